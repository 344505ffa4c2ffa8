"""Files of delimited text, CSV and TSV, whose first row names the columns."""

from __future__ import annotations

import csv
import io
from collections import deque
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.files.file_shard import SequentialShard
from portrait.corpus.files.streams import BOM, CHUNK_BYTES, ByteStream, open_stream
from portrait.corpus.formats.delimited_chunk import BadRow, DelimitedChunk
from portrait.corpus.formats.projection import no_rows
from portrait.errors import CorpusError, UnreadableFileError
from portrait.markup.numbers import count, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.file import File
    from portrait.corpus.shards import Format

DELIMITERS: dict[Format, str] = {"csv": ",", "tsv": "\t"}

#: Bytes parsed at a time; no row can be larger.
_BLOCK_BYTES = 1 << 24
_BATCH_BYTES = 1 << 22


class DelimitedShard(SequentialShard):
    """A file of delimited text, perhaps compressed."""

    def __init__(self, path: File, kind: Format, columns: Columns) -> None:
        super().__init__(path, columns)
        self.kind: Format = kind

    def chunks(self) -> Iterator[DelimitedChunk]:
        """Read about four megabytes of rows at a time."""
        self._digest = None
        with open_stream(self._path) as stream:
            yield from delimited_chunks(stream, DELIMITERS[self.kind], self._columns)
            self._digest = stream.digest


def delimited_chunks(stream: ByteStream, delimiter: str, columns: Columns) -> Iterator[DelimitedChunk]:
    """Read delimited text in chunks of about four megabytes.

    Args:
        stream: The text.
        delimiter: The character between two fields.
        columns: The columns of text and those to keep.

    Raises:
        CorpusError: The stream cannot be read, is not a table, or lacks a column.
    """
    label = stream.label
    table = _Table(stream, delimiter, columns)
    position = row = 0
    last: DelimitedChunk | None = None
    for rows in table.batches() if table.header else ():
        step = max(1, _BATCH_BYTES * rows.num_rows // max(1, rows.nbytes))
        for start in range(0, rows.num_rows, step):
            if last is not None:
                yield last
            some = rows.slice(start, step)
            before, position = position, stream.position()
            bad = table.take_bad(row, some.num_rows)
            last = DelimitedChunk(label, row, some, columns, position - before, bad)
            row += last.n_rows
    while stream.read():  # The digest covers the whole file, whatever Arrow left unread.
        pass
    if last is None:
        last = DelimitedChunk(label, 0, no_rows(columns), columns, 0, [])
    last.read_bytes += stream.position() - position
    last.add(list(table.bad))
    yield last


class _Table:
    """A table that Arrow parses; ``bad`` are the rows it refused that no chunk has taken yet."""

    def __init__(self, stream: ByteStream, delimiter: str, columns: Columns) -> None:
        self._label = stream.label
        self._source = _PeekableStream(stream)
        self._delimiter = delimiter
        self.bad: deque[BadRow] = deque()
        self.header = _header(self._source.peek(), delimiter, self._label)
        self._names = [name for name in columns.readable if self.header.count(name) == 1]
        for name in columns.all if self.header else ():
            if name not in self.header:
                raise columns.missing(name, self.header, self._label)
            if self.header.count(name) > 1:
                raise CorpusError(f"{self._label}: there are two columns {name!r}: rename one")

    def batches(self) -> Iterator[Any]:
        """Yield the good rows as Arrow record batches, and collect the bad ones."""
        pa = extras.load("pyarrow", "build")
        arrow_csv = extras.load("pyarrow.csv", "build")
        try:
            yield from arrow_csv.open_csv(
                pa.PythonFile(self._source, "r"),
                # Several threads would not number the rows.
                read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._refuse
                ),
                # UTF-8 is checked later, where the error can name the row.
                convert_options=arrow_csv.ConvertOptions(
                    check_utf8=False,
                    include_columns=self._names,
                    column_types=dict.fromkeys(self._names, pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowException as error:
            problem = (str(error).splitlines() or ["unknown error"])[0]
            if "straddling" in problem:
                problem = f"a row is larger than {_BLOCK_BYTES >> 20} MB, or a quote is not closed"
            raise UnreadableFileError(f"{self._label}: not a readable table: {problem}") from error

    def take_bad(self, first: int, n_good: int) -> list[BadRow]:
        """Remove and return the bad rows among ``n_good`` good ones, the first of them number ``first``."""
        taken: list[BadRow] = []
        while self.bad and self.bad[0].number < first + n_good + len(taken):
            taken.append(self.bad.popleft())
        return taken

    def _refuse(self, row: Any) -> str:
        # Arrow counts from 1, and counts the header.
        number = row.number - 2
        fields = f"{counted(row.actual_columns, 'field')} where the header has {count(row.expected_columns)}"
        message = f"{self._label}, row {number + 1}: {fields}: quote fields that contain delimiters"
        self.bad.append(BadRow(number, message))
        return "skip"


def _header(head: bytes, delimiter: str, label: str) -> list[str]:
    """Return the fields of the first row that is not blank; none if there is no such row."""
    try:
        text = head.removeprefix(BOM).decode(errors="surrogateescape")
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = next((row for row in rows if row), [])
        "".join(header).encode()
    except UnicodeEncodeError as error:
        raise UnreadableFileError(f"{label}: the header is not UTF-8: convert it to UTF-8") from error
    except csv.Error as error:
        raise UnreadableFileError(f"{label}: the header cannot be read: {error}") from error
    return header


class _PeekableStream(io.RawIOBase):
    """A stream whose beginning can be read twice, and which returns as much as is requested."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._pending = b""

    def readable(self) -> bool:
        return True

    def peek(self) -> bytes:
        """Return the first bytes: enough for any header."""
        self._pending = self._stream.read_some(CHUNK_BYTES)
        return self._pending

    def read(self, n_bytes: int = -1, /) -> bytes:
        """Read ``n_bytes`` further bytes, fewer only at the end."""
        parts = [self._pending]
        left = n_bytes - len(self._pending)
        while left > 0 and (data := self._stream.read(left)):
            parts.append(data)
            left -= len(data)
        data = b"".join(parts)
        data, self._pending = data[:n_bytes], data[n_bytes:]
        # Arrow takes a header for one only if a line feed ends it.
        return data + b"\n" if left > 0 and data and not data.endswith(b"\n") else data
