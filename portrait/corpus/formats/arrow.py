"""Arrow files and streams, Feather among them: the wanted columns, a record batch at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.files.file import File, FileShard, open_native, runs
from portrait.corpus.formats.projection import TableChunk, no_rows, require_columns, wanted_columns
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Format, Shard

_BATCH_BYTES = 1 << 22
#: How a file begins; anything else is a stream, which has no mark of its own.
_FILE = b"ARROW1"
_OLD_FEATHER = b"FEA1"


class ArrowShard(FileShard):
    """An Arrow file or stream, or some record batches of a file."""

    kind: Format = "arrow"

    def __init__(self, path: File, columns: Columns) -> None:
        super().__init__(path, columns)
        #: The first record batch and the one behind the last; all of them, while nothing.
        self._batches: tuple[int, int] | None = None

    def chunks(self) -> Iterator[TableChunk]:
        """The columns, so many rows at a time as make about four megabytes."""
        with _readable(self._path), open_native(self._path) as source:
            schema = _reader(source, self.label).schema
            require_columns(self._columns, schema, self.label)
            wanted = wanted_columns(self._columns, schema)
            yield from self._sliced(_reader(source, self.label, wanted), source)

    def split(self, n_bytes: int) -> list[Shard]:
        """Record batches, as many as make about ``n_bytes`` bytes; one part of streams and damaged files."""
        try:
            with _readable(self._path), open_native(self._path) as source:
                reader = _reader(source, self.label)
                if not _is_file(reader):
                    return [self]
                first, stop = self._batches or (0, reader.num_record_batches)
        except UnreadableFileError:
            return [self]
        total = self.n_bytes or 0
        # How large each of them is, Arrow does not tell.
        sizes = [max(1, total // max(1, stop - first))] * (stop - first)
        parts: list[Shard] = []
        for (begin, end), share in runs(sizes, n_bytes, total):
            part = self._part(share, first=not parts and bool(self.files))
            part._batches = (first + begin, first + end)
            parts.append(part)
        return parts if len(parts) > 1 else [self]

    def _sliced(self, reader: Any, source: Any) -> Iterator[TableChunk]:
        n_bytes = self.n_bytes or 0
        first = self._batches[0] if self._batches else 0
        before = _RowsBefore(self._path, first) if first else None
        row = given = 0
        last: TableChunk | None = None
        for batch, share in self._read(reader, source):
            _validate(batch)
            row_bytes = max(1, batch.nbytes // max(1, batch.num_rows))
            step = max(1, min(1 << 16, _BATCH_BYTES // row_bytes))
            for at in range(0, batch.num_rows, step):
                if last is not None:
                    yield last
                rows = batch.slice(at, step)
                read_bytes = share if at + step >= batch.num_rows else 0
                last = TableChunk(self.label, row + at, rows, self._columns, read_bytes, before)
                given += read_bytes
            row += batch.num_rows
        if last is None:
            yield TableChunk(self.label, 0, no_rows(self._columns), self._columns, n_bytes)
        else:
            last.read_bytes += n_bytes - given
            yield last

    def _read(self, reader: Any, source: Any) -> Iterator[tuple[Any, int]]:
        """The record batches, each with how much was read for it."""
        if _is_file(reader):
            first, stop = self._batches or (0, reader.num_record_batches)
            for i in range(first, stop):
                yield reader.get_batch(i), (self.n_bytes or 0) // (stop - first)
            return
        position = 0
        for batch in reader:
            before, position = position, source.tell()
            yield batch, position - before


class _RowsBefore:
    """How many rows of a file stand before one of its record batches: counted when it is asked for."""

    def __init__(self, path: File, batch: int) -> None:
        self._path, self._batch = path, batch
        self._n_rows: int | None = None

    def count(self) -> int:
        """The number. Raises :class:`UnreadableFileError`."""
        if self._n_rows is None:
            with _readable(self._path), open_native(self._path) as source:
                reader = _reader(source, str(self._path), [0])
                self._n_rows = sum(reader.get_batch(i).num_rows for i in range(self._batch))
        return self._n_rows


@contextmanager
def _readable(path: File) -> Iterator[None]:
    pa = extras.load("pyarrow", "build")
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        what = (str(error).splitlines() or ["unknown error"])[0]
        raise UnreadableFileError(f"{path}: not a readable Arrow file: {what}") from error


def _reader(source: Any, label: str, fields: list[int] | None = None) -> Any:
    """A reader of a file or of a stream: of all its fields, or of those with these numbers."""
    ipc = extras.load("pyarrow.ipc", "build")
    source.seek(0)
    head = source.read(len(_FILE))
    source.seek(0)
    if head.startswith(_OLD_FEATHER):
        raise UnreadableFileError(f"{label}: a Feather file of version 1: write it anew as version 2")
    options = ipc.IpcReadOptions(included_fields=fields)
    opened = ipc.open_file if head == _FILE else ipc.open_stream
    return opened(source, options=options)


def _is_file(reader: Any) -> bool:
    return hasattr(reader, "num_record_batches")


def _validate(batch: Any) -> None:
    """Raise Arrow's error if a batch contradicts itself: Arrow takes files at their word.

    Whether text is UTF-8 is not asked here, but where a row can be named for it.
    """
    for column in batch.columns:
        _validate_array(column)


def _validate_array(array: Any) -> None:
    pa = extras.load("pyarrow", "build")
    if pa.types.is_string(array.type):
        array.view(pa.binary()).validate(full=True)
    elif pa.types.is_large_string(array.type):
        array.view(pa.large_binary()).validate(full=True)
    elif pa.types.is_struct(array.type):
        array.validate()
        for i in range(array.type.num_fields):
            _validate_array(array.field(i))
    else:
        array.validate(full=True)
