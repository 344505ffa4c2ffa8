"""From shards to sinks, source by source: the half of a build that sees the text.

The rows of a shard belong to its source, or each to the source that a column names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from portrait import extras
from portrait.corpus.provenance import Skipped
from portrait.errors import BadRowError, CorpusError, EmptyCorpusError, SpecError, UnreadableFileError
from portrait.keys.maker import BatchSink, Counts
from portrait.markup.numbers import count
from portrait.spec import DocumentKeys, WindowSpec, require_source_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from portrait.corpus.shards import Batch, Chunk, Shard, Source, Stamp
    from portrait.engines.task import ProgressCallback

OnError = Literal["fail", "skip"]
ON_ERROR: tuple[str, ...] = get_args(OnError)

#: Every answer asks each layer: a column of more values than this does not name sources.
MAX_SOURCES = 1000


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How shards are read.

    Args:
        windows: How texts are cut.
        source_column: The column that names each row's source; it is the last one that the shards keep.
        on_error: Whether a row or file that cannot be read ends the build or is skipped.
        documents: Which documents have a key of their whole text.

    Raises:
        SpecError: ``on_error`` is unknown.
    """

    windows: WindowSpec
    source_column: str | None = None
    on_error: OnError = "fail"
    documents: DocumentKeys = "long"

    def __post_init__(self) -> None:
        if self.on_error not in ON_ERROR:
            raise SpecError(
                f"unknown on_error {self.on_error!r}: choose one of {', '.join(ON_ERROR)}",
                parameter="on_error",
            )


def require_few_sources(n_sources: int, reading: ReadOptions) -> None:
    """Check that a column does not name more sources than a portrait may have.

    Raises:
        CorpusError: There are too many sources.
    """
    if reading.source_column is not None and n_sources > MAX_SOURCES:
        raise CorpusError(
            f"column {reading.source_column!r} names more than {count(MAX_SOURCES)} sources, each of which "
            "would be a layer: choose a column of fewer values",
            parameter="source_column",
        )


def require_text(
    sources: Sequence[Source],
    counts: dict[str, Counts],
    source_column: str | None,
    skipped: Sequence[tuple[str, Skipped]] = (),
) -> None:
    """Check that there is text: in each source, or in any that a column names.

    Args:
        sources: The sources that were named.
        counts: What was read of each source.
        source_column: The column that names each row's source, if any.
        skipped: What was left out, each time with the named source that it belongs to.

    Raises:
        EmptyCorpusError: There is none.
    """
    if source_column is not None:
        if not any(counted.text_bytes for counted in counts.values()):
            raise EmptyCorpusError(f"the sources hold no text{_left_out(one for _, one in skipped)}")
        return
    for source in sources:
        if source.name not in counts or counts[source.name].text_bytes == 0:
            places = ", ".join(source.locations)
            why = _left_out(one for name, one in skipped if name == source.name)
            raise EmptyCorpusError(f"source {source.name!r} holds no text: {places}{why}")


def _left_out(skipped: Iterable[Skipped]) -> str:
    """Return the first reason why something was left out, for the end of a message."""
    reason = next((reason for one in skipped if (reason := one.first or one.unreadable)), None)
    return "" if reason is None else f"; left out: {reason}"


class Reader:
    """A reader that puts the rows of shards into sinks, one for each source.

    ``digests`` are the digests of the files, by path; ``skipped`` is what was left out, by the label of the
    shard.

    Args:
        reading: How shards are read.
        make_sink: Returns the sink of a source, when its first row arrives.
        after_chunk: Called after each chunk, such as to write what the sinks hold.
    """

    def __init__(
        self,
        reading: ReadOptions,
        make_sink: Callable[[str], BatchSink],
        after_chunk: Callable[[], None] | None = None,
    ) -> None:
        self.sinks: dict[str, BatchSink] = {}
        self.skipped: dict[str, Skipped] = {}
        self.digests: dict[str, str] = {}
        self._reading = reading
        self._make_sink = make_sink
        self._after_chunk = after_chunk

    def read(self, shard: Shard, source: str, report: ProgressCallback) -> set[str]:
        """Read a shard to its end.

        Args:
            shard: The shard.
            source: The source of its rows, unless a column names them.
            report: Receives the progress.

        Returns:
            The sources of its rows.

        Raises:
            CorpusError: A row or a file cannot be read, and is not to be skipped.
        """
        sources: set[str] = set()
        skip = self._reading.on_error == "skip"
        # One bad file would take with it those that are read together with it.
        for part in shard.split(1) if skip and len(shard.files) > 1 else [shard]:
            for chunk in self._chunks(part):
                before = self._total()
                for batch in self._batches(chunk, part):
                    sources |= self._put(batch, source, part)
                after = self._total()
                report(
                    chunk.read_bytes, after.documents - before.documents, after.text_bytes - before.text_bytes
                )
                if self._after_chunk is not None:
                    self._after_chunk()
            if self.skipped.get(part.label, Skipped()).unreadable is None:
                self.digests.update(part.digests())
        return sources

    def _total(self) -> Counts:
        total = Counts()
        for sink in self.sinks.values():
            total.add(sink.counts)
        return total

    def _chunks(self, shard: Shard) -> Iterator[Chunk]:
        try:
            yield from shard.chunks()
        except UnreadableFileError as error:
            if self._reading.on_error == "fail":
                raise
            skipped = self.skipped.get(shard.label, Skipped())
            self.skipped[shard.label] = replace(skipped, unreadable=str(error))

    def _batches(self, chunk: Chunk, shard: Shard) -> Iterator[Batch]:
        """Yield the chunk as a batch, or its good rows as several."""
        try:
            yield chunk.batch()
        except BadRowError as error:
            if self._reading.on_error == "fail":
                raise
            if chunk.n_rows <= 1:
                self._skip_row(shard, error)
                return
            middle = chunk.n_rows // 2
            yield from self._batches(chunk.slice(0, middle), shard)
            yield from self._batches(chunk.slice(middle, chunk.n_rows), shard)

    def _put(self, batch: Batch, source: str, shard: Shard) -> set[str]:
        if self._reading.source_column is None:
            self._add(batch, source, shard)
            return {source}
        sources = set()
        for name, rows in self._by_source(batch, shard):
            self._add(rows, name, shard)
            sources.add(name)
            require_few_sources(len(self.sinks), self._reading)
        return sources

    def _add(self, batch: Batch, source: str, shard: Shard) -> None:
        sink = self.sinks.get(source)
        if sink is None:
            sink = self.sinks[source] = self._make_sink(source)
        try:
            sink.add(batch)
        except BadRowError as error:
            if self._reading.on_error == "fail":
                raise
            n_rows = len(batch.texts)
            if n_rows <= 1:
                self._skip_row(shard, error)
                return
            middle = n_rows // 2
            self._add(_rows(batch, 0, middle), source, shard)
            self._add(_rows(batch, middle, n_rows), source, shard)

    def _by_source(self, batch: Batch, shard: Shard) -> Iterator[tuple[str, Batch]]:
        """Yield the rows of each source that the column names."""
        pa = extras.load("pyarrow", "build")
        compute = extras.load("pyarrow.compute", "build")
        names = batch.kept[-1]
        if isinstance(names, list):
            names = pa.array([_source_name(name) for name in names], pa.large_string())
        else:
            names = names.cast(pa.large_string())
        for name in compute.unique(names).to_pylist():
            chosen = compute.is_null(names) if name is None else compute.equal(names, name)
            numbers = compute.indices_nonzero(chosen.fill_null(False)).to_pylist()
            try:
                if not isinstance(name, str):
                    raise SpecError("names no source")
                require_source_name(name)
            except SpecError as error:
                self._refuse_source(batch, numbers, name, shard, error)
                continue
            texts = batch.texts if len(numbers) == len(batch.texts) else batch.texts.filter(chosen)
            yield name, replace(batch, texts=texts, place=_Places(batch.place, numbers), kept=())

    def _refuse_source(
        self, batch: Batch, numbers: list[int], name: Any, shard: Shard, error: SpecError
    ) -> None:
        what = "is null" if name is None else str(error)
        problem = BadRowError(
            f"{batch.place(numbers[0])}: column {self._reading.source_column!r}, which names the row's "
            f"source: {what}"
        )
        if self._reading.on_error == "fail":
            raise problem from error
        for _ in numbers:
            self._skip_row(shard, problem)

    def _skip_row(self, shard: Shard, error: CorpusError) -> None:
        skipped = self.skipped.get(shard.label, Skipped())
        first = str(error) if skipped.first is None else skipped.first
        self.skipped[shard.label] = replace(skipped, rows=skipped.rows + 1, first=first)


def _source_name(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class _Places:
    """The places of chosen rows of a batch."""

    place: Callable[[int], str]
    numbers: list[int] | range

    def __call__(self, row: int) -> str:
        return self.place(self.numbers[row])


def _rows(batch: Batch, start: int, stop: int) -> Batch:
    place = _Places(batch.place, range(start, stop))
    return replace(batch, texts=batch.texts.slice(start, stop - start), place=place)


def require_unchanged(before: list[Stamp], shard: Shard) -> None:
    """Check that the files of a shard are what they were.

    Args:
        before: What :meth:`Shard.stamps` returned.
        shard: The shard.

    Raises:
        CorpusError: A file has changed.
    """
    after = shard.stamps()
    for old, new in zip(before, after, strict=False):
        if old != new:
            raise CorpusError(
                f"{old.path}: changed while it was read, or is another file to another process: wait until "
                "nobody writes to it, then start the build over",
                parameter="restart",
            )
