"""The messages of Arrow files and streams, read before Arrow reads them: how much they take, decompressed.

A buffer that is compressed states its size, and Arrow allocates that much: a file of a few kilobytes can ask
for any amount of memory. So the stated sizes of the wanted columns are added up first.

A message is its header's length (after four bytes of ones, except in old files), the header, which is a
FlatBuffer (https://arrow.apache.org/docs/format/Columnar.html), and the body, which holds the buffers.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from portrait import extras

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

#: What the first four bytes of a message are, unless they are the length of its header.
_CONTINUATION = -1
#: Headers have some bytes for each buffer.
_MAX_HEADER_BYTES = 64 << 20
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
#: The end of a file: the length of the footer, and the signature.
_FILE_END = struct.Struct("<i6s")
#: Where a file has a message: its position, the length of its header with what precedes it, and of its body.
_BLOCK = struct.Struct("<qi4xq")
_BUFFER = struct.Struct("<qq")
#: The size that a compressed buffer begins with, or -1: it is not compressed.
_SIZE = struct.Struct("<q")

#: What reading a FlatBuffer raises that contradicts itself.
_MALFORMED = (struct.error, ValueError)


class MessageError(Exception):
    """A file or stream whose messages contradict the format."""


class Message(NamedTuple):
    """A record batch or a batch of a dictionary.

    ``sizes`` are the bytes that each buffer takes, decompressed; ``variadic`` says how many buffers each
    column of views has beyond its first two; ``end`` is where the next message begins.
    """

    kind: int
    n_rows: int
    is_compressed: bool
    sizes: tuple[int, ...]
    variadic: tuple[int, ...]
    end: int

    @property
    def is_dictionary(self) -> bool:
        """Whether it is a batch of a dictionary."""
        return self.kind == _DICTIONARY_BATCH

    def unpacked_bytes(self, schema: Any, fields: Container[int]) -> int:
        """Return how much memory decompressing takes: of some columns, or of all of a dictionary.

        Args:
            schema: The schema of the file or stream.
            fields: The numbers of the fields that are read.
        """
        if not self.is_compressed:
            return 0
        if self.is_dictionary:
            return sum(self.sizes)
        variadic = iter(self.variadic)
        at = total = 0
        for i in range(len(schema)):
            n = _n_buffers(schema.field(i).type, variadic)
            total += sum(self.sizes[at : at + n]) if i in fields else 0
            at += n
        return total


def read_message(source: Any, at: int) -> Message | None:
    """Return the message that begins at a position of an open file; ``None`` at the end.

    Raises:
        MessageError: It is no message.
    """
    try:
        return _read_message(source, at)
    except _MALFORMED as error:
        raise MessageError("a message is damaged") from error


def file_messages(source: Any) -> tuple[list[int], list[int]]:
    """Return where a file's batches of dictionaries and its record batches begin.

    Raises:
        MessageError: The file has no footer.
    """
    try:
        return _file_messages(source)
    except _MALFORMED as error:
        raise MessageError("the footer is damaged") from error


def _read_message(source: Any, at: int) -> Message | None:
    source.seek(at)
    prefix = source.read(4)
    if len(prefix) < 4:
        return None
    (n_bytes,) = struct.unpack("<i", prefix)
    at += 4
    if n_bytes == _CONTINUATION:
        (n_bytes,) = struct.unpack("<i", source.read(4))
        at += 4
    if n_bytes == 0:
        return None
    if not 0 < n_bytes <= _MAX_HEADER_BYTES:
        raise ValueError("a message's header has no plausible size")
    header = _FlatTable.root(source.read(n_bytes))
    body_at, kind = at + n_bytes, header.number(1, "<B")
    end = body_at + header.number(3, "<Q")
    if kind not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return Message(kind, 0, False, (), (), end)
    batch = header.table(2)
    if kind == _DICTIONARY_BATCH:
        batch = batch.table(1)
    buffers = list(batch.structs(2, _BUFFER))
    is_compressed = batch.has(3)
    return Message(
        kind,
        batch.number(0, "<q"),
        is_compressed,
        tuple(_unpacked(source, body_at + start, n) if is_compressed else n for start, n in buffers),
        tuple(n for (n,) in batch.structs(4, _SIZE)),
        end,
    )


def _file_messages(source: Any) -> tuple[list[int], list[int]]:
    end = source.size() - _FILE_END.size
    source.seek(max(0, end))
    n_bytes, _ = _FILE_END.unpack(source.read(_FILE_END.size))
    if not 0 < n_bytes <= end:
        raise ValueError("a footer has no plausible size")
    source.seek(end - n_bytes)
    footer = _FlatTable.root(source.read(n_bytes))
    dictionaries, batches = ([at for at, _, _ in footer.structs(field, _BLOCK)] for field in (2, 3))
    return dictionaries, batches


def _unpacked(source: Any, at: int, n_bytes: int) -> int:
    """Return the size of a compressed buffer, decompressed."""
    if n_bytes < _SIZE.size:
        return max(0, n_bytes)
    source.seek(at)
    (size,) = _SIZE.unpack(source.read(_SIZE.size))
    return n_bytes - _SIZE.size if size < 0 else int(size)


def _n_buffers(kind: Any, variadic: Iterator[int]) -> int:
    """Return how many buffers a message has of a column of a type."""
    types = extras.load("pyarrow", "build").types
    kind = getattr(kind, "storage_type", kind)
    # Arrow counts a buffer of validity that these types do not have.
    n = kind.num_buffers - (types.is_null(kind) or types.is_union(kind) or types.is_run_end_encoded(kind))
    if kind.has_variadic_buffers:
        n += next(variadic, 0)
    return int(n) + sum(_n_buffers(kind.field(i).type, variadic) for i in range(kind.num_fields))


class _FlatTable(NamedTuple):
    """A table of a FlatBuffer: its fields are found by offsets in another table, all of them checked."""

    data: bytes
    at: int

    @classmethod
    def root(cls, data: bytes) -> Self:
        return cls(data, _unsigned(data, "<I", 0))

    def has(self, field: int) -> bool:
        return self._where(field) is not None

    def number(self, field: int, layout: str) -> int:
        """Return a number; 0 if it is left out."""
        at = self._where(field)
        return 0 if at is None else int(struct.unpack_from(layout, self.data, at)[0])

    def table(self, field: int) -> _FlatTable:
        at = self._where(field)
        if at is None:
            raise ValueError("a table is missing")
        return _FlatTable(self.data, at + _unsigned(self.data, "<I", at))

    def structs(self, field: int, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
        """Yield the members of each structure in a vector; none if it is left out."""
        at = self._where(field)
        if at is None:
            return
        at += _unsigned(self.data, "<I", at)
        n = _unsigned(self.data, "<I", at)
        for i in range(n):
            yield layout.unpack_from(self.data, at + 4 + i * layout.size)

    def _where(self, field: int) -> int | None:
        """Return where a field is; ``None`` if it is left out."""
        fields_at = self.at - int(struct.unpack_from("<i", self.data, self.at)[0])
        if fields_at < 0:
            raise ValueError("a table's fields are outside the header")
        n_bytes = _unsigned(self.data, "<H", fields_at)
        if 4 + 2 * field >= n_bytes:
            return None
        offset = _unsigned(self.data, "<H", fields_at + 4 + 2 * field)
        return self.at + offset if offset else None


def _unsigned(data: bytes, layout: str, at: int) -> int:
    return int(struct.unpack_from(layout, data, at)[0])
