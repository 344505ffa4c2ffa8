"""Streams of the ``datasets`` library, read as they come."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.datasets.examples import example_chunks
from portrait.corpus.datasets.pickling import freeze, thaw
from portrait.corpus.datasets.stream_parts import epoch, n_parts
from portrait.corpus.datasets.tables import table_chunks, wanted
from portrait.corpus.formats.projection import require_columns
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Chunk, FileRecord, Format, Shard, Stamp

#: Rows taken at a time: few, because their lengths are unknown.
_ROWS = 64


class IterableDatasetShard:
    """A ``datasets.IterableDataset``, or a shard of one."""

    kind: Format = "auto"
    n_bytes: int | None = None

    def __init__(self, stream: Any, columns: Columns, label: str) -> None:
        self.label = label
        self.files: list[FileRecord] = []
        self._stream = stream
        self._columns = columns

    @cached_property
    def read_once(self) -> bool:
        """Whether no other process can read it."""
        try:
            freeze(self._stream, tables=False)
        except Exception:  # whatever a user's function refers to
            return True
        return False

    def stamps(self) -> list[Stamp]:
        """Return no stamps: nothing tells whether a stream yields the same rows again."""
        return []

    def digests(self) -> dict[str, str]:
        """Return no digests: there are no files."""
        return {}

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002  # the size of a shard is unknown
        """Divide the stream into its own shards, if they have exactly its rows."""
        n = n_parts(self._stream)
        if n < 2:
            return [self]
        return [
            IterableDatasetShard(
                self._stream.shard(num_shards=n, index=i),
                self._columns,
                f"{self.label}, shard {i + 1} of {n}",
            )
            for i in range(n)
        ]

    def excerpt(self, n_bytes: int) -> Shard:  # noqa: ARG002
        """Return the shard itself: its documents are rows."""
        return self

    def with_columns(self, columns: Columns) -> Shard:
        """Return this shard with other columns."""
        return IterableDatasetShard(self._stream, columns, self.label)

    def chunks(self) -> Iterator[Chunk]:
        """Read about four megabytes of rows at a time, as Arrow tables where the stream has them."""
        return self._stream_chunks()

    def _stream_chunks(self) -> Generator[Chunk]:
        with self._named_errors():
            stream = self._opened()
            arrow = getattr(getattr(stream, "_ex_iterable", None), "iter_arrow", None) is not None
            if stream.features is not None:
                require_columns(self._columns, stream.features.arrow_schema, self.label)
                stream = _like(stream, stream.select_columns(wanted(self._columns, stream.features)))
            elif arrow and self._columns.plain:
                # The types of other columns may change on the way.
                stream = _like(stream, stream.select_columns(self._present(stream)))
            else:
                arrow = False
            if arrow:
                tables = _like(stream, stream.with_format("arrow")).iter(_ROWS)
                yield from table_chunks(tables, self.label, self._columns)
            else:
                rows = _like(stream, stream.with_format(None))
                yield from example_chunks(rows, self.label, self._columns)

    def _opened(self) -> Any:
        """Return the stream to read."""
        return self._stream

    def _present(self, stream: Any) -> list[str]:
        """Return the columns that the first row has, or raise :class:`CorpusError`."""
        for table in _like(stream, stream.with_format("arrow")).iter(1):
            require_columns(self._columns, table.schema, self.label)
            required, present = self._columns.all, table.schema.names
            return [name for name in self._columns.readable if name in required or name in present]
        return list(self._columns.all)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Name the stream in errors of reading; those of users' own functions stay as they are."""
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
    """Return the first line of an error of another library that is not blank."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _like(before: Any, after: Any) -> Any:
    """Return ``after``, a view of the stream ``before``, in the same epoch, which views forget."""
    if epoch(before):
        after.set_epoch(epoch(before))
    return after
