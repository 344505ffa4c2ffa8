"""Standard input: JSON lines where the first character is a brace, else one document."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from portrait.corpus.files.streams import BOM, CHUNK_BYTES, ByteStream
from portrait.corpus.formats.delimited import DELIMITERS, delimited_chunks
from portrait.corpus.formats.jsonl import stream_chunks
from portrait.corpus.formats.plain import PlainChunk, document, require_no_columns
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Chunk, Format, Shard

_LABEL = "standard input"


class StdinShard:
    """Standard input, read once."""

    kind: Format = "auto"
    label = _LABEL
    n_bytes: int | None = None
    read_once = True

    def __init__(self, kind: Format, columns: Columns) -> None:
        if kind in ("parquet", "arrow"):
            raise CorpusError(f"{_LABEL}: {kind.title()} cannot be read from a pipe: save it to a file first")
        if sys.stdin is None:
            raise CorpusError(f"{_LABEL}: there is none: name a file instead")
        self._kind = kind
        self._columns = columns
        self.files: list[dict[str, Any]] = []

    def chunks(self) -> Iterator[Chunk]:
        """Chunks of lines, or the one document."""
        stdin = _Rewindable(sys.stdin.buffer.read)
        stream = ByteStream(_LABEL, stdin.read, lambda: stdin.n_read)
        if self._kind in DELIMITERS:
            yield from delimited_chunks(stream, DELIMITERS[self._kind], self._columns)
            return
        first = stdin.first_text()
        if self._kind == "jsonl" or (self._kind == "auto" and first.startswith(b"{")):
            yield from stream_chunks(stream, self._columns)
        elif data := stream.read_all():
            require_no_columns(self._columns, _LABEL)
            yield PlainChunk([document(data, _LABEL)], [_LABEL], len(data))

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002
        """The shard itself."""
        return [self]

    def stamps(self) -> list[list[Any]]:
        """None."""
        return []

    def digests(self) -> dict[str, str]:
        """None."""
        return {}


class _Rewindable:
    """A pipe that can be looked into before it is read."""

    def __init__(self, read: Any) -> None:
        self._read = read
        self._held = b""
        self.n_read = 0

    def first_text(self) -> bytes:
        """The beginning, up to and beyond the first character that is not white space, if any."""
        while not (text := self._held.removeprefix(BOM).lstrip()) and (more := self._read(CHUNK_BYTES)):
            self._held += more
        return text

    def read(self, n_bytes: int) -> bytes:
        """At most ``n_bytes`` further bytes, or all that was looked at; none at the end."""
        data, self._held = self._held or self._read(n_bytes), b""
        self.n_read += len(data)
        return data
