"""Chunks of JSON lines.

Arrow parses whole chunks. Only if it fails, or could differ from JSON, is a chunk parsed line by line, which
names the line that is wrong.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from portrait import extras
from portrait.corpus.formats.arrow_json import ParsedChunk, parse_chunk
from portrait.corpus.formats.json_line import MAX_ROW_DEPTH, JsonRow, parse_line
from portrait.corpus.formats.projection import require_small
from portrait.corpus.shards import Batch
from portrait.strict_json import nests_deeper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.file_shard import Preceding


class LinesChunk:
    """A :class:`portrait.corpus.shards.Chunk` of whole lines.

    Args:
        label: The file's name in messages.
        data: The lines.
        line: The number of the first, counted from 1 and from the end of the ``preceding`` lines.
        columns: The columns of text and those to keep.
        read_bytes: How much was read for this chunk.
        preceding: The lines of the file that precede the part of it that ``line`` counts in.
    """

    def __init__(
        self,
        label: str,
        data: bytes,
        line: int,
        columns: Columns,
        read_bytes: int,
        preceding: Preceding | None = None,
    ) -> None:
        self.label, self.read_bytes = label, read_bytes
        self._data, self._columns = data, columns
        self._line, self._preceding = line, preceding

    @property
    def first_line(self) -> int:
        """The number of the first line in its file.

        Raises:
            UnreadableFileError: The preceding lines cannot be counted.
        """
        return self._line + (self._preceding.count() if self._preceding else 0)

    @cached_property
    def n_rows(self) -> int:
        """The number of lines that are not blank."""
        # A regular expression for blank lines would take longer than Arrow takes to parse them all.
        return sum(1 for line in self._data.split(b"\n") if line.strip())

    def lines(self) -> list[bytes]:
        """Return the lines as they are in the file, without line feeds and without blank lines."""
        return [line for _, line in self._rows()]

    def slice(self, start: int, stop: int) -> LinesChunk:
        """Return the objects from ``start`` up to ``stop``."""
        lines = self._data.split(b"\n")
        numbers = [i for i, line in enumerate(lines) if line.strip()][start:stop]
        first, end = (numbers[0], numbers[-1] + 1) if numbers else (0, 0)
        data = b"\n".join(lines[first:end])
        return LinesChunk(self.label, data, self._line + first, self._columns, 0, self._preceding)

    def batch(self) -> Batch:
        """Parse the lines.

        Raises:
            CorpusError: A line is bad; the message names the file and the line.
        """
        parsed = parse_chunk(self._data, self.n_rows, self._columns, self.place)
        texts, kept, optional = parsed or self._parse_lines()
        require_small(texts, self._columns, self.place)
        return Batch(texts, self.place, self.read_bytes, kept, optional)

    def _parse_lines(self) -> ParsedChunk:
        pa = extras.load("pyarrow", "build")
        rows = [self._parse_line(i, line) for i, line in self._rows()]
        kept = tuple([row.kept[i] for row in rows] for i in range(len(self._columns.keep)))
        optional = {
            name: [row.optional[name] for row in rows]
            for name in self._columns.optional
            if all(name in row.optional for row in rows)
        }
        return ParsedChunk(pa.array([row.text for row in rows], pa.large_string()), kept, optional)

    def _parse_line(self, i: int, line: bytes) -> JsonRow:
        if nests_deeper(line, MAX_ROW_DEPTH) and (parsed := parse_chunk(line, 1, self._columns, self.place)):
            return JsonRow(parsed.texts[0].as_py(), [], {})
        return parse_line(line, self._columns, _LinePlace(self, i))

    def place(self, row: int) -> str:
        """Return the file and line of the chunk's ``row``-th object."""
        for i, (line, _) in enumerate(self._rows()):
            if i == row:
                return str(_LinePlace(self, line))
        return self.label

    def places(self) -> list[str]:
        """Return the file and line of each object."""
        n_lines = self._data.count(b"\n") + (not self._data.endswith(b"\n"))
        first = self.first_line
        if n_lines == self.n_rows:  # none is blank
            return [f"{self.label}:{line}" for line in range(first, first + n_lines)]
        return [f"{self.label}:{first + i}" for i, _ in self._rows()]

    def _rows(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that are not blank, each with the number of lines in front of it."""
        for i, line in enumerate(self._data.split(b"\n")):
            if line.strip():
                yield i, line


class OversizedLine:
    """A :class:`portrait.corpus.shards.Chunk` of one line that is not read, since it is too long.

    Args:
        label: The file's name in messages.
        line: The number of the line, as of :class:`LinesChunk`.
        columns: The columns, and the limit.
        read_bytes: How much was read for this chunk.
        preceding: The lines of the file that precede the part of it that ``line`` counts in.
    """

    n_rows = 1

    def __init__(
        self, label: str, line: int, columns: Columns, read_bytes: int, preceding: Preceding | None = None
    ) -> None:
        self._chunk = LinesChunk(label, b"", line, columns, 0, preceding)
        self._columns = columns
        self.read_bytes = read_bytes

    def batch(self) -> Batch:
        """Raise :class:`BadRowError`."""
        raise self._columns.too_large(_LinePlace(self._chunk, 0), what="a line")

    def places(self) -> list[str]:
        """Return the file and line."""
        return [f"{self._chunk.label}:{self._chunk.first_line}"]

    def slice(self, start: int, stop: int) -> OversizedLine:  # noqa: ARG002
        """Return the line itself."""
        return self


class _LinePlace(NamedTuple):
    """The place of a line, computed when it is printed: preceding lines may have to be counted."""

    chunk: LinesChunk
    line: int

    def __str__(self) -> str:
        return f"{self.chunk.label}, line {self.chunk.first_line + self.line}"
