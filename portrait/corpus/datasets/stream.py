"""Streams of the ``datasets`` library: read to their end, shard by shard where that gives the same rows."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.datasets.examples import example_chunks
from portrait.corpus.formats.projection import require_columns
from portrait.corpus.formats.tables import freeze, table_chunks, thaw, wanted
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Chunk, Format, Shard

#: Rows that are taken at a time: few, for nobody knows how long they are.
_ROWS = 64

#: Steps of a stream whose shards together give the rows of the whole, by what ``datasets`` calls them.
#: Others count rows (take, skip), number them, or stop when one of several streams ends.
_SAFE_STEPS = {
    "ArrowExamplesIterable",
    "BufferShuffledExamplesIterable",
    "ExamplesIterable",
    "FormattedExamplesIterable",
    "InterleavedShardsExamplesIterable",
    "SelectColumnsIterable",
    "VerticallyConcatenatedMultiSourcesExamplesIterable",
}
_SAFE_IF_ROW_BY_ROW = {"FilteredExamplesIterable", "MappedExamplesIterable"}
_SAFE_IF_NOTHING_IS_LEFT_OUT = {
    "CyclingMultiSourcesExamplesIterable",
    "RandomlyCyclingMultiSourcesExamplesIterable",
}


class StreamShard:
    """A ``datasets.IterableDataset``, or a shard of one."""

    kind: Format = "auto"
    n_bytes: int | None = None

    def __init__(self, stream: Any, columns: Columns, label: str) -> None:
        self.label = label
        self.files: list[dict[str, Any]] = []
        self._stream = stream
        self._columns = columns

    @cached_property
    def read_once(self) -> bool:
        """Whether no other process can read it."""
        try:
            freeze(self._stream, tables=False)
        except Exception:  # whatever a function of somebody's holds on to
            return True
        return False

    def stamps(self) -> list[list[Any]]:
        """Nothing tells whether a stream gives the same rows again."""
        return []

    def digests(self) -> dict[str, str]:
        """No files, no digests."""
        return {}

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002  # nobody knows how much is in a shard
        """Its own shards, one by one."""
        stream, columns = self._stream, self._columns
        n = stream.num_shards if _can_be_split(stream) else 1
        if n < 2:
            return [self]
        labels = [f"{self.label}, shard {i + 1} of {n}" for i in range(n)]
        parts = [stream.shard(num_shards=n, index=i) for i in range(n)]
        return [StreamShard(part, columns, label) for part, label in zip(parts, labels, strict=True)]

    def chunks(self) -> Iterator[Chunk]:
        """The columns, as Arrow tables where the stream has them, about four megabytes at a time."""
        stream = self._stream
        with self._named_errors():
            tables = getattr(getattr(stream, "_ex_iterable", None), "iter_arrow", None) is not None
            if stream.features is not None:
                require_columns(self._columns, stream.features.arrow_schema, self.label)
                stream = _like(stream, stream.select_columns(wanted(self._columns, stream.features)))
            elif tables and self._columns.plain:
                # Of columns that are not asked for, the types may change on the way.
                stream = _like(stream, stream.select_columns(self._present()))
            else:
                tables = False
            if tables:
                batches = _like(stream, stream.with_format("arrow")).iter(_ROWS)
                yield from table_chunks(batches, self.label, self._columns)
            else:
                rows = _like(stream, stream.with_format(None))
                yield from example_chunks(rows, self.label, self._columns)

    def _present(self) -> list[str]:
        """The wanted columns that the first row has. Raises :class:`CorpusError` for one that is missing."""
        for table in _like(self._stream, self._stream.with_format("arrow")).iter(1):
            require_columns(self._columns, table.schema, self.label)
            required, there = self._columns.all, table.schema.names
            return [name for name in self._columns.readable if name in required or name in there]
        return list(self._columns.all)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Reading's errors by our name; those of people's own functions stay as they are."""
        pa = extras.load("pyarrow", "build")
        datasets = extras.load("datasets", "build")
        try:
            yield
        except (OSError, pa.ArrowException, datasets.exceptions.DatasetsError) as error:
            raise UnreadableFileError(f"{self.label}: {first_line(error)}") from error

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stream": freeze(self._stream)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _stream=thaw(state["_stream"]))


def first_line(error: BaseException) -> str:
    """What an error of another library says, in one line."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _like(before: Any, after: Any) -> Any:
    """``after``, a view of the stream ``before``, in the same epoch, which it forgets."""
    epoch = _epoch(before)
    if epoch:
        after.set_epoch(epoch)
    return after


def _epoch(stream: Any) -> int:
    return int(getattr(stream, "epoch", None) or 0)


def _can_be_split(stream: Any) -> bool:
    # A node's part of a stream has its own shards, but would be cut out of all nodes'.
    if getattr(stream, "_distributed", None) is not None or _epoch(stream):
        return False
    return _is_safe(getattr(stream, "_ex_iterable", None))


def _is_safe(step: Any) -> bool:
    name = type(step).__name__
    if name in _SAFE_IF_ROW_BY_ROW:
        safe = not (step.batched or step.with_indices)
    elif name in _SAFE_IF_NOTHING_IS_LEFT_OUT:
        safe = step.stopping_strategy == "all_exhausted_without_replacement"
    elif name == "RebatchedArrowExamplesIterable":
        safe = not step.drop_last_batch
    else:
        safe = name in _SAFE_STEPS
    inner = [*getattr(step, "ex_iterables", ()), getattr(step, "ex_iterable", None)]
    return safe and all(_is_safe(one) for one in inner if one is not None)
