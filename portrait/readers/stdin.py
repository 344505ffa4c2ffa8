"""Standard input: JSON lines where the first character is a brace, else one document."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from portrait.corpus import Batch, Format
from portrait.errors import CorpusError
from portrait.readers.jsonl import stream_batches
from portrait.readers.plain import document, documents
from portrait.readers.streams import CHUNK_BYTES, ByteStream

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABEL = "standard input"


class StdinShard:
    """Standard input, read once."""

    n_bytes: int | None = None

    def __init__(self, kind: Format, column: str) -> None:
        if kind == "parquet":
            raise CorpusError(f"{_LABEL}: Parquet cannot be read from a pipe: save it to a file first")
        self._kind = kind
        self._column = column
        self.files: list[dict[str, Any]] = []

    def batches(self) -> Iterator[Batch]:
        """Chunks of lines, or the one document."""
        stdin = sys.stdin.buffer
        # peek blocks until there is something to see; leading white space is no sign of either.
        n_read = 0

        def read(n_bytes: int) -> bytes:
            nonlocal n_read, held
            data, held = (held, b"") if held else (stdin.read1(n_bytes), b"")
            n_read += len(data)
            return data

        held = b""
        while not held.strip() and (more := stdin.read1(CHUNK_BYTES)):
            held += more
        stream = ByteStream(_LABEL, read, lambda: n_read)
        if self._kind == "jsonl" or (self._kind == "auto" and held.lstrip().startswith(b"{")):
            yield from stream_batches(stream, self._column)
        elif data := stream.read_all():
            yield Batch(documents([document(data, _LABEL)]), lambda _: _LABEL, len(data))
