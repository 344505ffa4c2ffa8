"""Arrow files and streams, including Feather, of which only the wanted columns are read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.files.file import File, open_native
from portrait.corpus.files.file_shard import FileShard, runs
from portrait.corpus.formats.projection import (
    TableChunk,
    longest_shared_value,
    no_rows,
    require_columns,
    wanted_columns,
)
from portrait.corpus.formats.sizes.arrow_messages import Message, MessageError, file_messages, read_message
from portrait.errors import UnreadableFileError
from portrait.markup.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Format, Shard

_BATCH_BYTES = 1 << 22
#: Arrow decompresses a record batch as a whole: it may take this much, or as much as this many documents.
_UNPACKED_BYTES = 1 << 28
_UNPACKED_DOCUMENTS = 4
#: The first bytes of a file; anything else is a stream, which has no signature.
_FILE_SIGNATURE = b"ARROW1"
_FEATHER_1_SIGNATURE = b"FEA1"


class ArrowShard(FileShard):
    """An Arrow file or stream, or some record batches of a file."""

    kind: Format = "arrow"

    def __init__(self, path: File, columns: Columns) -> None:
        super().__init__(path, columns)
        #: The first record batch and the one after the last; ``None`` for all of them.
        self._batches: tuple[int, int] | None = None

    def chunks(self) -> Iterator[TableChunk]:
        """Read about four megabytes of rows at a time."""
        with _readable(self._path), open_native(self._path) as source:
            schema = _reader(source, self.label).schema
            require_columns(self._columns, schema, self.label)
            wanted = wanted_columns(self._columns, schema)
            reader = _reader(source, self.label, wanted)
            limit = _Limit(self.label, self._columns, schema, wanted)
            yield from self._sliced(self._read(reader, source, limit))

    def split(self, n_bytes: int) -> list[Shard]:
        """Divide a file into record batches of about ``n_bytes`` together; a stream stays whole."""
        try:
            with _readable(self._path), open_native(self._path) as source:
                reader = _reader(source, self.label)
                if not _is_file(reader):
                    return [self]
                first, stop = self._batches or (0, reader.num_record_batches)
        except UnreadableFileError:
            return [self]
        total = self.n_bytes or 0
        # Arrow does not tell how large each of them is.
        sizes = [max(1, total // max(1, stop - first))] * (stop - first)
        parts: list[Shard] = []
        for run in runs(sizes, n_bytes, total):
            part = self._part(run.n_bytes, first=not parts and bool(self.files))
            part._batches = (first + run.begin, first + run.end)
            parts.append(part)
        return parts if len(parts) > 1 else [self]

    def _sliced(self, batches: Iterator[tuple[Any, int]]) -> Iterator[TableChunk]:
        n_bytes = self.n_bytes or 0
        first = self._batches[0] if self._batches else 0
        preceding = _RowsBefore(self._path, first) if first else None
        row = accounted = 0
        last: TableChunk | None = None
        for batch, share in batches:
            _validate(batch)
            row_bytes = max(1, batch.nbytes // max(1, batch.num_rows))
            most = max(self._columns.max_document_bytes, _BATCH_BYTES)
            step = max(
                1, min(1 << 16, _BATCH_BYTES // row_bytes, most // max(1, longest_shared_value(batch)))
            )
            for start in range(0, batch.num_rows, step):
                if last is not None:
                    yield last
                rows = batch.slice(start, step)
                read_bytes = share if start + step >= batch.num_rows else 0
                last = TableChunk(self.label, row + start, rows, self._columns, read_bytes, preceding)
                accounted += read_bytes
            row += batch.num_rows
        if last is None:
            yield TableChunk(self.label, 0, no_rows(self._columns), self._columns, n_bytes)
        else:
            last.read_bytes += n_bytes - accounted
            yield last

    def _read(self, reader: Any, source: Any, limit: _Limit) -> Iterator[tuple[Any, int]]:
        """Yield the record batches, each with how much was read for it."""
        if _is_file(reader):
            first, stop = self._batches or (0, reader.num_record_batches)
            dictionaries, batches = file_messages(source)
            limit.require_small([read_message(source, at) for at in dictionaries])
            for i in range(first, stop):
                limit.require_small([read_message(source, batches[i])])
                yield reader.get_batch(i), (self.n_bytes or 0) // (stop - first)
            return
        position = 0
        while True:
            limit.require_small(_up_to_batch(source))
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            before, position = position, source.tell()
            yield batch, position - before


class _Limit:
    """The limit of what is decompressed at once, of some fields of a schema."""

    def __init__(self, label: str, columns: Columns, schema: Any, fields: list[int]) -> None:
        self._label, self._schema, self._fields = label, schema, frozenset(fields)
        self._max_bytes = max(_UNPACKED_BYTES, _UNPACKED_DOCUMENTS * columns.max_document_bytes)
        #: Dictionaries stay in memory.
        self._dictionary_bytes = 0

    def require_small(self, messages: list[Message | None]) -> None:
        """Check what Arrow is about to decompress.

        Raises:
            UnreadableFileError: It is too large.
        """
        batch_bytes = 0
        for message in filter(None, messages):
            n_bytes = message.unpacked_bytes(self._schema, self._fields)
            if message.is_dictionary:
                self._dictionary_bytes += n_bytes
            else:
                batch_bytes += n_bytes
        if self._dictionary_bytes + batch_bytes > self._max_bytes:
            raise UnreadableFileError(
                f"{self._label}: a record batch of more than {counted(self._max_bytes, 'byte')} when "
                "decompressed: write smaller ones, or raise the limit",
                parameter="max_document_bytes",
            )


def _up_to_batch(source: Any) -> list[Message | None]:
    """Return the next messages of a stream up to a record batch, and leave the stream where it is."""
    position = at = source.tell()
    messages: list[Message | None] = []
    while (message := read_message(source, at)) is not None:
        messages.append(message)
        at = message.end
        if not message.is_dictionary:
            break
    source.seek(position)
    return messages


class _RowsBefore:
    """The rows of a file that precede one of its record batches."""

    def __init__(self, path: File, batch: int) -> None:
        self._path, self._batch = path, batch
        self._n_rows: int | None = None

    def count(self) -> int:
        """Return their number, counting them at the first call.

        Raises:
            UnreadableFileError: The file cannot be read.
        """
        if self._n_rows is None:
            with _readable(self._path), open_native(self._path) as source:
                _, batches = file_messages(source)
                messages = (read_message(source, at) for at in batches[: self._batch])
                self._n_rows = sum(message.n_rows for message in messages if message is not None)
        return self._n_rows


@contextmanager
def _readable(path: File) -> Iterator[None]:
    """Turn Arrow's errors into an :class:`UnreadableFileError`."""
    pa = extras.load("pyarrow", "build")
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        problem = (str(error).splitlines() or ["unknown error"])[0]
        raise UnreadableFileError(f"{path}: not a readable Arrow file: {problem}") from error
    except MessageError as error:
        raise UnreadableFileError(f"{path}: not a readable Arrow file: {error}") from error


def _reader(source: Any, label: str, fields: list[int] | None = None) -> Any:
    """Return a reader of a file or a stream: of all its fields, or of those with these numbers."""
    ipc = extras.load("pyarrow.ipc", "build")
    source.seek(0)
    head = source.read(len(_FILE_SIGNATURE))
    source.seek(0)
    if head.startswith(_FEATHER_1_SIGNATURE):
        raise UnreadableFileError(f"{label}: a Feather file of version 1: save it as version 2")
    options = ipc.IpcReadOptions(included_fields=fields)
    open_source = ipc.open_file if head == _FILE_SIGNATURE else ipc.open_stream
    return open_source(source, options=options)


def _is_file(reader: Any) -> bool:
    return hasattr(reader, "num_record_batches")


def _validate(batch: Any) -> None:
    """Raise Arrow's error if a batch contradicts itself, which Arrow does not check when it reads.

    UTF-8 is checked later, where the error can name the row.
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
