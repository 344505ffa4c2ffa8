"""Files of JSON lines: each line is an object, one of whose members is the text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from portrait.corpus.files.file import File, is_compressed
from portrait.corpus.files.file_shard import FileShard, SequentialShard
from portrait.corpus.files.ranges import LinesBefore, open_range
from portrait.corpus.files.streams import BOM, CHUNK_BYTES, ByteStream, open_stream
from portrait.corpus.formats.lines import LinesChunk, OversizedLine
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Format, Shard


class JsonlShard(SequentialShard):
    """A file of JSON lines, perhaps compressed, or the lines that begin in a range of its bytes."""

    kind: Format = "jsonl"

    def __init__(self, path: File, columns: Columns) -> None:
        super().__init__(path, columns)
        #: The first byte of the range and the one after the last; ``None`` for the whole file.
        self._range: tuple[int, int | None] | None = None

    def chunks(self) -> Iterator[LinesChunk | OversizedLine]:
        """Read about a megabyte of lines at a time."""
        if self._range is not None and isinstance(self._path, Path):
            with open_range(self._path, *self._range) as stream:
                preceding = LinesBefore(self._path, self._range[0])
                yield from line_chunks(stream, self._columns, preceding)
            return
        self._digest = None
        with open_stream(self._path) as stream:
            yield from line_chunks(stream, self._columns)
            self._digest = stream.digest

    def split(self, n_bytes: int) -> list[Shard]:
        """Divide an uncompressed local file into ranges of about ``n_bytes``."""
        total = self.n_bytes
        if total is None or is_compressed(self._path) or not isinstance(self._path, Path):
            return [self]
        n_parts = -(-total // max(1, n_bytes))
        if n_parts <= 1:
            return [self]
        start, stop = self._range or (0, None)
        shares = [total * i // n_parts for i in range(n_parts + 1)]
        parts: list[Shard] = []
        for i in range(n_parts):
            part = self._part(shares[i + 1] - shares[i], first=i == 0 and bool(self.files))
            part._range = (start + shares[i], stop if i == n_parts - 1 else start + shares[i + 1])
            parts.append(part)
        return parts

    def digests(self) -> dict[str, str]:
        """Return the digest of the file, once it has been read to its end."""
        return super().digests() if self._range is None else FileShard.digests(self)


def line_chunks(
    stream: ByteStream, columns: Columns, preceding: LinesBefore | None = None
) -> Iterator[LinesChunk | OversizedLine]:
    """Read JSON lines in chunks; a line that is too long is a chunk of its own.

    Args:
        stream: The lines.
        columns: The columns of text and those to keep.
        preceding: The lines of the file that precede the stream, if it is a range.

    Raises:
        CorpusError: The stream cannot be read; the message names the line where it breaks off.
    """
    position = 0
    for line, data in _whole_lines(stream, columns.max_document_bytes, preceding):
        last, position = position, stream.position()
        if data is None:
            yield OversizedLine(stream.label, line, columns, position - last, preceding)
            continue
        if line == 1 and (preceding is None or preceding.none):
            data = data.removeprefix(BOM)
        yield LinesChunk(stream.label, data, line, columns, position - last, preceding)


def _whole_lines(
    stream: ByteStream, max_bytes: int, preceding: LinesBefore | None
) -> Iterator[tuple[int, bytes | None]]:
    """Yield the stream in chunks of whole lines, each with the number of its first line in the stream.

    A line of more than ``max_bytes``, and of more than is read at a time, comes alone, as ``None``, before
    the rest of it is read.
    """
    line = 1
    parts: list[bytes] = []
    n_pending = 0
    too_long = False
    while True:
        try:
            data = stream.read()
        except CorpusError as error:
            # The lines read so far are fine; the next one is where the stream breaks off.
            number = line + (preceding.count() if preceding else 0)
            raise type(error)(f"{error} (from line {number} on)") from error
        if not data:
            break
        if too_long:
            end = data.find(b"\n") + 1
            if not end:
                continue
            data, too_long = data[end:], False
            line += 1
        end = data.rfind(b"\n") + 1
        if end:
            chunk = b"".join([*parts, data[:end]])
            yield line, chunk
            line += chunk.count(b"\n")
            parts, n_pending = [], 0
        if end < len(data):
            parts.append(data[end:])
            n_pending += len(data) - end
        if n_pending > max(max_bytes, CHUNK_BYTES):
            parts, n_pending, too_long = [], 0, True
            yield line, None
    if parts:
        yield line, b"".join(parts)
