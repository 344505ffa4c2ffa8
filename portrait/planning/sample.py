"""A little of a corpus, read to tell what all of it amounts to.

Shards that are alike (of one source, one format, one compression) make a stratum. Places spread evenly
over a stratum's bytes are read, some rows each, the strata in proportion to their sizes; what is found
there is taken for the whole stratum, byte by byte.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from portrait import extras
from portrait.building.reader import Reader, ReadOptions
from portrait.corpus.shards import COMPRESSIONS, expansion
from portrait.errors import BadRowError, SpecError, UnreadableFileError
from portrait.filters import pybloom
from portrait.keys.maker import BatchSink, Counts, Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.shards import Batch, Chunk, FileRecord, Shard, Source
    from portrait.spec import WindowSpec

#: Places in a stratum, if its shards can be divided: more would be too small to be worth opening.
_PLACES = 32
#: Keys of the sample in memory, at most, however small the stride.
_MOST_KEYS = 1 << 22
#: The most of a document that is read.
_MOST_DOCUMENT_BYTES = 1 << 22
#: Strata of which something is read, whatever else has to be left out.
_MOST_STRATA = 100
#: More than was wanted is read, up to this, to learn how much text came of what a decoder has read.
_MOST_AHEAD_BYTES = 1 << 26
#: For how many windows the filter is sized whose building is timed.
_TIMED_WINDOWS = 1 << 20
#: The fractional part of the golden ratio: its multiples, modulo 1, are spread evenly, however many.
_GOLDEN = 0.6180339887498949


@dataclass(slots=True)
class Stratum:
    """Shards that are alike: what is known of them, and what was found in those places that were read.

    ``n_bytes`` is the length of all, ``read_bytes`` what of it was read, in ``seconds``; ``n_whole`` of
    ``n_places`` were read to their ends, and ``places`` are those that are left.
    """

    source: str
    kind: str
    suffix: str
    expansion: float
    n_bytes: int | None
    n_files: int
    places: list[Shard]
    n_places: int
    n_whole: int = 0
    read_bytes: int = 0
    seconds: float = 0.0
    counts: dict[str, Counts] = field(default_factory=dict)

    @property
    def text_bytes(self) -> int:
        """Of the text that was read."""
        return sum(counts.text_bytes for counts in self.counts.values())

    @property
    def whole(self) -> bool:
        """Whether nothing of it was left out."""
        return self.n_whole == self.n_places

    @property
    def factor(self) -> float | None:
        """How much more there is than was read; nothing where nothing was."""
        if self.whole:
            return 1.0
        if self.n_bytes is None or not self.read_bytes or not self.text_bytes:
            return None
        return max(1.0, self.n_bytes / self.read_bytes)

    @property
    def share(self) -> float:
        """How much of it was read."""
        return self.text_bytes / max(1.0, (self.n_bytes or 0) * self.expansion)


@dataclass(slots=True)
class Sample:
    """What was found: the strata, the keys of each source, and rows that cannot be read.

    ``filter_seconds`` is what filling a filter of kind ``pybloom`` took, where that was wanted.
    """

    strata: list[Stratum]
    keys: dict[str, Keys] = field(default_factory=dict)
    n_bad_rows: int = 0
    first_bad_row: str = ""
    filter_seconds: float = 0.0

    @property
    def text_bytes(self) -> int:
        """Of the text that was read."""
        return sum(stratum.text_bytes for stratum in self.strata)

    @property
    def counts(self) -> dict[str, Counts]:
        """What was read of each source."""
        found: dict[str, Counts] = {}
        for stratum in self.strata:
            for source, counts in stratum.counts.items():
                found.setdefault(source, Counts()).add(counts)
        return found

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return all(stratum.whole for stratum in self.strata)


def take(
    found: Sequence[Source],
    reading: ReadOptions,
    most_text_bytes: int,
    most_seconds: float,
    *,
    of_windows: bool,
) -> Sample:
    """Read about so much of some sources, or for about so long, but something of each.

    ``of_windows``: what is to be built holds windows, as ``pybloom`` does, and no keys of documents.
    Raises :class:`CorpusError` as reading all of it would, but for single rows that cannot be read.
    """
    sample = Sample(list(_strata(found)))
    taking = _Taking(sample, reading, of_windows=of_windows)
    expected = [stratum.n_bytes and stratum.n_bytes * stratum.expansion for stratum in sample.strata]
    small = None not in expected and sum(filter(None, expected)) <= most_text_bytes
    # Loading Arrow, and what it loads for its first array, takes longer than reading a small corpus.
    pa = extras.load("pyarrow", "build")
    pa.array([b""], pa.large_binary())
    began = time.perf_counter()

    def enough() -> bool:
        n_keys = sum(len(keys) for keys in sample.keys.values())
        late = time.perf_counter() - began >= most_seconds
        return sample.text_bytes >= most_text_bytes or n_keys >= _MOST_KEYS or late

    n_places = sum(len(stratum.places) for stratum in sample.strata)
    limit = most_text_bytes if small else max(1, most_text_bytes // n_places)
    for stratum in _one_of_each_source_first(sample.strata)[:_MOST_STRATA]:
        taking.read_next(stratum, limit)
    while not enough() and (open_ := [stratum for stratum in sample.strata if stratum.places]):
        taking.read_next(min(open_, key=lambda stratum: stratum.share), limit)
    return sample


def likeness(shard: Shard) -> tuple[str, str]:
    """What shards of one stratum have in common: format and suffix.

    Files of plain text are read many at a time, whatever their suffixes.
    """
    return shard.kind, "" if shard.kind == "txt" else Path(shard.label).suffix.lower()


def _one_of_each_source_first(strata: list[Stratum]) -> list[Stratum]:
    number: dict[str, int] = {}
    rank = []
    for stratum in strata:
        number[stratum.source] = number.get(stratum.source, 0) + 1
        rank.append(number[stratum.source])
    return [stratum for _, stratum in sorted(zip(rank, strata, strict=True), key=lambda pair: pair[0])]


def _strata(found: Sequence[Source]) -> Iterator[Stratum]:
    for source in found:
        alike: dict[tuple[str, str], list[Shard]] = {}
        for shard in source.shards:
            if shard.read_once:
                raise SpecError(
                    f"{shard.label}: can be read once, so that a plan would use it up: plan files instead"
                )
            alike.setdefault(likeness(shard), []).append(shard)
        for (kind, suffix), shards in alike.items():
            sizes = [shard.n_bytes for shard in shards]
            n_bytes = None if None in sizes else sum(size or 0 for size in sizes)
            size = max(1, (n_bytes or 0) // _PLACES)
            places = [
                part
                for shard in shards
                for part in (shard.split(size) if n_bytes and (shard.n_bytes or 0) > size else [shard])
            ]
            # From the last one on, as the list is used up.
            order = sorted(range(len(places)), key=lambda i: i * _GOLDEN % 1, reverse=True)
            n_files = sum(len(shard.files) for shard in shards)
            ordered = [places[i] for i in order]
            yield Stratum(
                source.name,
                kind,
                suffix,
                expansion(shards[0]),
                n_bytes,
                n_files,
                places=ordered,
                n_places=len(places),
            )


class _Taking:
    """Reads places of strata into a sample."""

    def __init__(self, sample: Sample, reading: ReadOptions, *, of_windows: bool) -> None:
        self._sample = sample
        self._asked = reading
        self._reading = ReadOptions(reading.windows, reading.source_column, "skip")
        self._of_windows = of_windows
        self._filter = (
            pybloom.PyBloomBuilder(reading.windows, _TIMED_WINDOWS, 0.01).documents if of_windows else None
        )

    def read_next(self, stratum: Stratum, limit: int) -> None:
        """Read up to about ``limit`` bytes of text in the next place of a stratum."""
        shard = stratum.places.pop()
        place = _SampledShard(shard.excerpt(_MOST_DOCUMENT_BYTES), limit)
        sinks: dict[str, _TimedSink] = {}

        def make(source: str) -> BatchSink:
            keys = self._sample.keys.setdefault(source, Keys(documents=not self._of_windows))
            return sinks.setdefault(source, _TimedSink(self._asked.windows, keys, self._filter))

        reader = Reader(self._reading, make)
        began = time.perf_counter()
        reader.read(cast("Shard", place), stratum.source, place.count)
        seconds = time.perf_counter() - began
        filled = sum(sink.filter_seconds for sink in sinks.values())
        self._sample.filter_seconds += filled
        stratum.seconds += seconds - filled
        for source, sink in sinks.items():
            stratum.counts.setdefault(source, Counts()).add(sink.counts)
        whole = place.whole
        stratum.n_whole += whole
        stratum.read_bytes += shard.n_bytes or 0 if whole else place.read_bytes
        if not whole and stratum.n_bytes is None:
            raise SpecError(
                f"{shard.label}: how much it holds is not known before it is read, and it is more than a "
                "plan reads: plan the files that it is made of"
            )
        self._note(reader, sinks)

    def _note(self, reader: Reader, sinks: dict[str, _TimedSink]) -> None:
        """Rows that cannot be read: an error as in a build, where there are no others."""
        skipped = list(reader.skipped.values())
        bad_rows = sum(one.rows for one in skipped)
        first = next((one.first for one in skipped if one.first is not None), "")
        if self._asked.on_error == "fail":
            for one in skipped:
                if one.unreadable is not None:
                    raise UnreadableFileError(one.unreadable)
            if bad_rows and not any(sink.counts.documents for sink in sinks.values()):
                raise BadRowError(first)
        self._sample.n_bad_rows += bad_rows
        self._sample.first_bad_row = self._sample.first_bad_row or first


class _SampledShard:
    """The first rows of a shard, which end where it is known how much of the shard they are.

    Otherwise it is that shard, but that it has no files: so it is read in one, whatever is in it.
    """

    def __init__(self, shard: Shard, limit: int) -> None:
        self.files: list[FileRecord] = []
        self._shard = shard
        self._limit = limit
        self._text_bytes = 0
        self._ended = False
        self.read_bytes = 0
        self.label = shard.label
        # A decoder reads ahead: only when it wants more is it known what came of what it had.
        self._buffered = shard.kind != "txt" and Path(shard.label).suffix.lower() in COMPRESSIONS

    def count(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:  # noqa: ARG002
        """So much of it was read since."""
        self._text_bytes += text_bytes

    @property
    def whole(self) -> bool:
        """Whether all of it was read."""
        n_bytes = self._shard.n_bytes
        all_read = n_bytes is not None and self.read_bytes >= n_bytes
        if self._shard.kind == "txt":  # a document may have been cut
            return all_read
        return self._ended or (all_read and not self._buffered)

    def chunks(self) -> Iterator[Chunk]:
        """Its chunks, up to the limit."""
        most = self._limit + (_MOST_AHEAD_BYTES if self._buffered else 0)
        for chunk in self._shard.chunks():
            if self._buffered and self._text_bytes >= self._limit and chunk.read_bytes:
                yield from self._last(chunk)
                return
            self.read_bytes += chunk.read_bytes
            yield chunk
            if self._text_bytes >= most:
                return
        self._ended = True

    def _last(self, chunk: Chunk) -> Iterator[Chunk]:
        """The chunk for which the decoder wanted more than it had: half of it came of what it had, about."""
        before = self._text_bytes
        yield chunk
        self.read_bytes = round(self.read_bytes * self._text_bytes / ((before + self._text_bytes) / 2))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shard, name)


class _TimedSink(BatchSink):
    """Makes keys; and fills a filter with the same windows, to see how long that takes."""

    def __init__(self, spec: WindowSpec, keys: Keys, filter_: BatchSink | None) -> None:
        super().__init__(spec, keys)
        self._filter = filter_
        self.filter_seconds = 0.0

    def add(self, batch: Batch) -> None:
        """Add a batch."""
        super().add(batch)
        if self._filter is not None:
            began = time.perf_counter()
            self._filter.add(batch)
            self.filter_seconds += time.perf_counter() - began
