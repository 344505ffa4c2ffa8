"""A sample of a corpus, from which its sizes are extrapolated.

Some rows are read at places spread evenly over each shard, of as many shards as possible, and of the strata
in proportion to their sizes. The counts of a place stand for its shard, byte for byte, and those of a
stratum's shards for its others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, cast

from portrait import extras
from portrait.building.reader import Reader, ReadOptions
from portrait.errors import BadRowError, SpecError, UnreadableFileError
from portrait.filters import pybloom
from portrait.keys.maker import BatchSink, Counts, Keys
from portrait.planning.excerpt import Excerpt
from portrait.planning.strata import PlaceRead, strata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.corpus.shards import Batch, Shard, Source
    from portrait.planning.strata import Stratum
    from portrait.spec import WindowSpec

#: The sample's keys in memory, at most, however dense the windows are.
_MAX_KEYS = 1 << 22
#: The part of a document that is read, at most.
_MAX_DOCUMENT_BYTES = 1 << 22
#: The number of strata that are read in any case, at most.
_MAX_STRATA = 100
#: The number of windows for which the filter is sized whose building is timed.
_TIMED_WINDOWS = 1 << 20


@dataclass(slots=True)
class Sample:
    """The strata with their counts, the keys of each source and place, and the rows that cannot be read.

    ``filter_seconds`` is the time it took to fill a ``pybloom`` filter, if that is the filter to be built.
    """

    strata: list[Stratum]
    keys: dict[str, list[Keys]] = field(default_factory=dict)
    n_bad_rows: int = 0
    first_bad_row: str = ""
    filter_seconds: float = 0.0

    @property
    def text_bytes(self) -> int:
        """The number of bytes of text that were read."""
        return sum(stratum.text_bytes for stratum in self.strata)

    @property
    def counts(self) -> dict[str, Counts]:
        """The counts of what was read of each source."""
        totals: dict[str, Counts] = {}
        for stratum in self.strata:
            for source, counts in stratum.counts.items():
                totals.setdefault(source, Counts()).add(counts)
        return totals

    @property
    def n_shards(self) -> tuple[int, int]:
        """The number of shards of which something was read, and of all."""
        shards = [shard for stratum in self.strata for shard in stratum.shards]
        return sum(bool(shard.reads) for shard in shards), len(shards)

    @property
    def whole(self) -> bool:
        """Whether the sample is all of the corpus."""
        return all(stratum.whole for stratum in self.strata)


def take(
    sources: Sequence[Source],
    reading: ReadOptions,
    max_text_bytes: int,
    max_seconds: float,
    *,
    of_windows: bool,
) -> Sample:
    """Read a sample of some sources, and something of each.

    Args:
        sources: The sources.
        reading: How the build reads them.
        max_text_bytes: About how many bytes of text to read.
        max_seconds: About how long to read.
        of_windows: Whether the filter contains windows, as ``pybloom`` filters do, and no keys of documents.

    Returns:
        The sample.

    Raises:
        CorpusError: Reading all of the sources would raise it, too. Unreadable rows are counted if others are
            read.
        SpecError: A source can be read only once, or its size is unknown.
    """
    sample = Sample(list(strata(sources)))
    sampler = _Sampler(sample, reading, of_windows=of_windows)
    expected = [stratum.n_bytes and stratum.n_bytes * stratum.expansion for stratum in sample.strata]
    small = None not in expected and sum(filter(None, expected)) <= max_text_bytes
    # Loading Arrow, and what it loads for its first array, takes longer than reading a small corpus.
    pa = extras.load("pyarrow", "build")
    pa.array([b""], pa.large_binary())
    began = time.perf_counter()

    def enough() -> bool:
        n_keys = sum(len(keys) for places in sample.keys.values() for keys in places)
        late = time.perf_counter() - began >= max_seconds
        return sample.text_bytes >= max_text_bytes or n_keys >= _MAX_KEYS or late

    n_places = sum(stratum.n_places for stratum in sample.strata)
    limit = max_text_bytes if small else max(1, max_text_bytes // n_places)
    for stratum in _one_of_each_source_first(sample.strata)[:_MAX_STRATA]:
        sampler.read_next(stratum, limit)
    while not enough() and (open_ := [stratum for stratum in sample.strata if stratum.next_shard()]):
        sampler.read_next(min(open_, key=lambda stratum: stratum.share), limit)
    if reading.on_error == "fail":
        _require_good_rows(sample.strata)
    return sample


def _require_good_rows(strata: list[Stratum]) -> None:
    """Check that not all rows that were read of a stratum are bad, as where a column is missing."""
    for stratum in strata:
        if stratum.first_bad_row and not any(counts.documents for counts in stratum.counts.values()):
            raise BadRowError(stratum.first_bad_row)


def _one_of_each_source_first(strata: list[Stratum]) -> list[Stratum]:
    by_source: dict[str, list[Stratum]] = {}
    for stratum in strata:
        by_source.setdefault(stratum.source, []).append(stratum)
    rounds = zip_longest(*by_source.values())
    return [stratum for one_of_each in rounds for stratum in one_of_each if stratum is not None]


class _Sampler:
    """Reads places of strata into a sample."""

    def __init__(self, sample: Sample, reading: ReadOptions, *, of_windows: bool) -> None:
        self._sample = sample
        self._options = reading
        self._skipping = ReadOptions(reading.windows, reading.source_column, "skip", reading.documents)
        self._filter = (
            pybloom.PyBloomBuilder(reading.windows, _TIMED_WINDOWS, 0.01).documents if of_windows else None
        )

    def read_next(self, stratum: Stratum, limit: int) -> None:
        """Read up to about ``limit`` bytes of text in the next place of a stratum."""
        sampled = stratum.next_shard()
        assert sampled is not None
        shard = sampled.places.pop()
        place = Excerpt(shard.excerpt(_MAX_DOCUMENT_BYTES), limit)
        sinks: dict[str, _TimedSink] = {}

        def make(source: str) -> BatchSink:
            keys = Keys(documents=self._options.documents)
            self._sample.keys.setdefault(source, []).append(keys)
            return sinks.setdefault(source, _TimedSink(self._options.windows, keys, self._filter))

        reader = Reader(self._skipping, make)
        began = time.perf_counter()
        reader.read(cast("Shard", place), stratum.source, place.count)
        seconds = time.perf_counter() - began
        filled = sum(sink.filter_seconds for sink in sinks.values())
        self._sample.filter_seconds += filled
        stratum.seconds += seconds - filled
        whole = place.whole
        sampled.n_whole += whole
        n_bytes = (shard.n_bytes or 0) if whole else place.read_bytes
        sampled.reads.append(PlaceRead(n_bytes, {source: sink.counts for source, sink in sinks.items()}))
        if not whole and shard.n_bytes is None:
            raise SpecError(
                f"{shard.label}: its size is unknown before it is read, and larger than the sample: "
                "plan the files that it is made of"
            )
        self._note(reader, stratum)

    def _note(self, reader: Reader, stratum: Stratum) -> None:
        """Count the rows that cannot be read. Raise an error for a file, as the build does."""
        skipped = list(reader.skipped.values())
        first = next((one.first for one in skipped if one.first is not None), "")
        if self._options.on_error == "fail":
            for one in skipped:
                if one.unreadable is not None:
                    raise UnreadableFileError(one.unreadable)
        self._sample.n_bad_rows += sum(one.rows for one in skipped)
        self._sample.first_bad_row = self._sample.first_bad_row or first
        stratum.first_bad_row = stratum.first_bad_row or first


class _TimedSink(BatchSink):
    """Makes keys, and measures how long it takes to fill a filter with the same windows."""

    def __init__(self, spec: WindowSpec, keys: Keys, filter_: BatchSink | None) -> None:
        super().__init__(spec, keys)
        self._filter = filter_
        self.filter_seconds = 0.0

    def add(self, batch: Batch) -> None:
        """Add a batch of texts."""
        super().add(batch)
        if self._filter is not None:
            began = time.perf_counter()
            self._filter.add(batch)
            self.filter_seconds += time.perf_counter() - began
