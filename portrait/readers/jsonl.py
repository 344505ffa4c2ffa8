"""JSON lines: every line is an object, one of whose members is the text.

Arrow parses whole chunks; only when a chunk does not come out right is it gone through line by
line, to say which line is wrong and how.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus import Batch
from portrait.errors import CorpusError
from portrait.readers.columns import require_column
from portrait.readers.streams import BOM, ByteStream, file_record, open_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLANK = re.compile(rb"^[ \t\r]*$", re.MULTILINE)


class JsonlShard:
    """A file of JSON lines, perhaps compressed."""

    def __init__(self, path: Path, column: str) -> None:
        self._path = path
        self._column = column
        self.files: list[dict[str, Any]] = [file_record(path)]
        self.n_bytes: int | None = self.files[0]["bytes"]

    def batches(self) -> Iterator[Batch]:
        """The text column, a chunk of lines at a time."""
        with open_stream(self._path) as stream:
            yield from stream_batches(stream, self._column)


def stream_batches(stream: ByteStream, column: str) -> Iterator[Batch]:
    """Batches of the JSON lines that ``stream`` holds."""
    position = 0
    for line, chunk in _line_chunks(stream):
        lines = Lines(stream.label, chunk.removeprefix(BOM) if line == 1 else chunk, line, column)
        before, position = position, stream.position()
        yield Batch(lines.texts(), lines.place, position - before)


def _line_chunks(stream: ByteStream) -> Iterator[tuple[int, bytes]]:
    """The stream in chunks of whole lines, each with the number of its first."""
    line = 1
    parts: list[bytes] = []
    while True:
        try:
            data = stream.read()
        except CorpusError as error:
            # Name the row: the lines read so far are fine, the next one is where it breaks.
            raise type(error)(f"{error} (from line {line} on)") from error
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


class Lines:
    """A chunk of whole lines."""

    def __init__(self, label: str, chunk: bytes, first_line: int, column: str) -> None:
        self.label, self.chunk, self.first_line, self.column = label, chunk, first_line, column

    def texts(self) -> Any:
        """The column, as an Arrow array. Raises :class:`CorpusError`, naming the line."""
        pa = extras.load("pyarrow", "build")
        arrow_json = extras.load("pyarrow.json", "build")
        # Arrow's parser crashes where a chunk begins with null (apache/arrow#47409).
        if not self.chunk.lstrip().startswith(b"{"):
            return self._one_by_one(pa)
        schema = pa.schema([(self.column, pa.large_string())])
        try:
            table = arrow_json.read_json(
                pa.BufferReader(self.chunk),
                read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(self.chunk)),
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="ignore"
                ),
            )
        except pa.ArrowInvalid:
            return self._one_by_one(pa)
        texts = table.column(self.column)
        if texts.null_count or table.num_rows != self._n_rows():
            return self._one_by_one(pa)
        return texts.combine_chunks()

    def _n_rows(self) -> int:
        ends = self.chunk if self.chunk.endswith(b"\n") else self.chunk + b"\n"
        # Behind the last line feed the pattern sees one more empty line.
        return ends.count(b"\n") + 1 - len(_BLANK.findall(ends))

    def _rows(self) -> Iterator[tuple[int, bytes]]:
        for i, line in enumerate(self.chunk.split(b"\n")):
            if line.strip():
                yield self.first_line + i, line

    def place(self, row: int) -> str:
        """The file and line of the chunk's ``row``-th object."""
        for i, (line, _) in enumerate(self._rows()):
            if i == row:
                return f"{self.label}, line {line}"
        return self.label

    def _one_by_one(self, pa: Any) -> Any:
        return pa.array([self._text(line, data) for line, data in self._rows()], pa.large_string())

    def _text(self, line: int, data: bytes) -> str:
        where = f"{self.label}, line {line}"
        try:
            row = json.loads(data.decode())
        except UnicodeDecodeError as error:
            raise CorpusError(f"{where}: not UTF-8 at byte {error.start} of the line") from error
        except (ValueError, RecursionError) as error:
            raise CorpusError(
                f"{where}: not JSON: {error}: pass --format txt if this is plain text"
            ) from error
        if not isinstance(row, dict):
            raise CorpusError(f"{where}: a JSON {_kind(row)} instead of an object")
        require_column(self.column, row, where)
        text = row[self.column]
        if not isinstance(text, str):
            raise CorpusError(f"{where}: column {self.column!r} holds {_kind(text)}, not text")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise CorpusError(
                f"{where}: column {self.column!r} has a lone surrogate at character {error.start}"
            ) from error
        return text


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
