"""Standard input: JSON lines if the first character is a brace, otherwise one document."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from portrait.corpus.files.streams import BOM, CHUNK_BYTES, ByteStream
from portrait.corpus.formats.delimited import DELIMITERS, delimited_chunks
from portrait.corpus.formats.jsonl import line_chunks
from portrait.corpus.formats.plain import PlainChunk, document, require_no_columns
from portrait.errors import CorpusError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Chunk, FileRecord, Format, Shard, Stamp

_LABEL = "standard input"


class StdinShard:
    """Standard input, which can be read once.

    Raises:
        CorpusError: The format cannot be read from a pipe, or the process has no standard input.
    """

    kind: Format = "auto"
    label = _LABEL
    n_bytes: int | None = None
    read_once = True

    def __init__(self, kind: Format, columns: Columns) -> None:
        if kind in ("parquet", "arrow"):
            raise CorpusError(f"{_LABEL}: {kind.title()} cannot be read from a pipe: save it to a file first")
        if sys.stdin is None:
            raise CorpusError(f"{_LABEL}: it is closed: name a file instead")
        self._kind = kind
        self._columns = columns
        self.files: list[FileRecord] = []

    def chunks(self) -> Iterator[Chunk]:
        """Read rows in chunks, or the one document."""
        stdin = _PeekablePipe(sys.stdin.buffer.read)
        stream = ByteStream(_LABEL, stdin.read, lambda: stdin.n_read)
        if self._kind in DELIMITERS:
            yield from delimited_chunks(stream, DELIMITERS[self._kind], self._columns)
            return
        first = stdin.first_text(self._columns.max_document_bytes)
        if self._kind == "jsonl" or (self._kind == "auto" and first.startswith(b"{")):
            yield from line_chunks(stream, self._columns)
            return
        data = stream.read_all(self._columns.max_document_bytes)
        if data is None:
            raise self._columns.too_large(_LABEL, UnreadableFileError)
        if data:
            require_no_columns(self._columns, _LABEL)
            yield PlainChunk([document(data, _LABEL)], [_LABEL], len(data))

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002
        """Return the shard alone."""
        return [self]

    def excerpt(self, n_bytes: int) -> StdinShard:  # noqa: ARG002
        """Return the shard itself: what is left out could not be read later."""
        return self

    def with_columns(self, columns: Columns) -> StdinShard:
        """Return standard input with other columns."""
        return StdinShard(self._kind, columns)

    def stamps(self) -> list[Stamp]:
        """Return no stamps: a pipe cannot be recognised."""
        return []

    def digests(self) -> dict[str, str]:
        """Return no digests: there are no files."""
        return {}


class _PeekablePipe:
    """A pipe whose beginning can be looked at before it is read."""

    def __init__(self, read: Any) -> None:
        self._read = read
        self._pending = b""
        self.n_read = 0

    def first_text(self, max_bytes: int) -> bytes:
        """Return the beginning without its white space: nothing if the first ``max_bytes`` have no other."""
        looked_at = bytearray()
        text = b""
        while not text and len(looked_at) <= max_bytes and (more := self._read(CHUNK_BYTES)):
            # A byte-order mark that comes in two pieces is no reason to look at everything again.
            text = (more if looked_at else more.removeprefix(BOM)).lstrip()
            looked_at += more
        self._pending = bytes(looked_at)
        return text

    def read(self, n_bytes: int) -> bytes:
        """Read at most ``n_bytes`` further bytes, or all that were looked at; none at the end."""
        data, self._pending = self._pending or self._read(n_bytes), b""
        self.n_read += len(data)
        return data
