"""JSON lines: every line is an object, one of whose members is the text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from portrait.corpus.files.file import File, FileShard, StreamShard, is_compressed
from portrait.corpus.files.ranges import LinesBefore, open_range
from portrait.corpus.files.streams import BOM, ByteStream, open_stream
from portrait.corpus.formats.lines import Lines
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Format, Shard


class JsonlShard(StreamShard):
    """A file of JSON lines, perhaps compressed; or the lines that begin in a range of its bytes."""

    kind: Format = "jsonl"

    def __init__(self, path: File, columns: Columns) -> None:
        super().__init__(path, columns)
        #: All of the file, while nothing.
        self._range: tuple[int, int | None] | None = None

    def chunks(self) -> Iterator[Lines]:
        """A chunk of lines at a time."""
        if self._range is not None and isinstance(self._path, Path):
            with open_range(self._path, *self._range) as stream:
                before = LinesBefore(self._path, self._range[0])
                yield from stream_chunks(stream, self._columns, before)
            return
        self._digest = None
        with open_stream(self._path) as stream:
            yield from stream_chunks(stream, self._columns)
            self._digest = stream.digest

    def split(self, n_bytes: int) -> list[Shard]:
        """Ranges of about ``n_bytes`` bytes, if the file is not compressed."""
        all_bytes = self.n_bytes
        if all_bytes is None or is_compressed(self._path) or not isinstance(self._path, Path):
            return [self]
        n_parts = -(-all_bytes // max(1, n_bytes))
        if n_parts <= 1:
            return [self]
        start, stop = self._range or (0, None)
        cuts: list[int | None] = [start + all_bytes * i // n_parts for i in range(n_parts)]
        parts: list[Shard] = []
        for i, (first, last) in enumerate(zip(cuts, [*cuts[1:], stop], strict=True)):
            part = self._part(
                all_bytes * (i + 1) // n_parts - all_bytes * i // n_parts, first=i == 0 and bool(self.files)
            )
            part._range = (first or 0, last)
            parts.append(part)
        return parts

    def digests(self) -> dict[str, str]:
        """The digest of the file, once it has been read to its end."""
        return super().digests() if self._range is None else FileShard.digests(self)


def stream_chunks(stream: ByteStream, columns: Columns, before: LinesBefore | None = None) -> Iterator[Lines]:
    """The JSON lines that ``stream`` holds, in chunks; ``before`` are those that stand before them."""
    position = 0
    for line, chunk in _line_chunks(stream, before):
        last, position = position, stream.position()
        bare = chunk.removeprefix(BOM) if line == 1 and (before is None or before.none) else chunk
        yield Lines(stream.label, bare, line, columns, position - last, before)


def _line_chunks(stream: ByteStream, before: LinesBefore | None) -> Iterator[tuple[int, bytes]]:
    """The stream in chunks of whole lines, each with the number that its first has in the stream."""
    line = 1
    parts: list[bytes] = []
    while True:
        try:
            data = stream.read()
        except CorpusError as error:
            # Name the row: the lines read so far are fine, the next one is where it breaks.
            number = line + (before.count() if before else 0)
            raise type(error)(f"{error} (from line {number} on)") from error
        if not data:
            break
        cut = data.rfind(b"\n") + 1
        if cut:
            chunk = b"".join([*parts, data[:cut]])
            yield line, chunk
            line += chunk.count(b"\n")
            parts = []
        if cut < len(data):
            parts.append(data[cut:])
    if parts:
        yield line, b"".join(parts)
