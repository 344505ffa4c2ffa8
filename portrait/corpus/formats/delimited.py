"""Tables of delimited text, CSV and TSV: the first row names the columns."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.files.file import File, StreamShard
from portrait.corpus.files.streams import BOM, ByteStream, open_stream
from portrait.corpus.formats.projection import TableChunk, no_rows
from portrait.errors import BadRowError, CorpusError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Batch, Format

DELIMITERS: dict[Format, str] = {"csv": ",", "tsv": "\t"}

#: Bytes parsed at a time; no row can be larger.
_BLOCK_BYTES = 1 << 24
_BATCH_BYTES = 1 << 22


class DelimitedShard(StreamShard):
    """A file of delimited text, perhaps compressed."""

    def __init__(self, path: File, kind: Format, columns: Columns) -> None:
        super().__init__(path, columns)
        self.kind: Format = kind

    def chunks(self) -> Iterator[DelimitedChunk]:
        """The columns, so many rows at a time as make about four megabytes."""
        self._digest = None
        with open_stream(self._path) as stream:
            yield from delimited_chunks(stream, DELIMITERS[self.kind], self._columns)
            self._digest = stream.digest


def delimited_chunks(stream: ByteStream, delimiter: str, columns: Columns) -> Iterator[DelimitedChunk]:
    """The rows that ``stream`` holds. Raises :class:`CorpusError`."""
    label = stream.label
    source = _Source(stream)
    header = _header(source.head(), delimiter, label)
    for name in columns.all:
        if name not in header:
            if not header:
                break
            raise columns.missing(name, header, label)
        if header.count(name) > 1:
            raise CorpusError(f"{label}: there are two columns {name!r}: rename one")
    position = row = 0
    last: DelimitedChunk | None = None
    bad: list[tuple[int, str]] = []
    if header:
        names = [name for name in columns.readable if header.count(name) == 1]
        for rows in _batches(source, delimiter, names, label, bad):
            step = max(1, _BATCH_BYTES * rows.num_rows // max(1, rows.nbytes))
            for at in range(0, rows.num_rows, step):
                if last is not None:
                    yield last
                some = rows.slice(at, step)
                before, position = position, stream.position()
                last = DelimitedChunk(label, row, some, columns, position - before, _take(bad, row, some))
                row += last.n_rows
    while stream.read():  # to the end, whatever is there
        pass
    if last is None:
        last = DelimitedChunk(label, 0, no_rows(columns), columns, 0, [])
    last.read_bytes += stream.position() - position
    last.add(bad)
    yield last


def _take(bad: list[tuple[int, str]], first: int, rows: Any) -> list[tuple[int, str]]:
    """The bad rows among the good ones, the first of which has this number; they leave the list."""
    taken: list[tuple[int, str]] = []
    stop = first + rows.num_rows
    while bad and bad[0][0] < stop:
        taken.append(bad.pop(0))
        stop += 1
    return taken


def _batches(
    source: _Source, delimiter: str, names: list[str], label: str, bad: list[tuple[int, str]]
) -> Iterator[Any]:
    """The good rows as Arrow parses them; the bad ones' numbers, from 0, and errors go to ``bad``."""
    pa = extras.load("pyarrow", "build")
    arrow_csv = extras.load("pyarrow.csv", "build")

    def skip(row: Any) -> str:
        # Arrow counts the header, and rows from 1.
        number = row.number - 2
        what = f"{row.actual_columns} fields where the header has {row.expected_columns}"
        bad.append((number, f"{label}, row {number + 1}: {what}: quote fields that hold delimiters"))
        return "skip"

    try:
        yield from arrow_csv.open_csv(
            pa.PythonFile(source, "r"),
            # In one thread, or rows would have no numbers.
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            # Whether text is UTF-8 is asked where a row can be named for it.
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False,
                include_columns=names,
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException as error:
        what = (str(error).splitlines() or ["unknown error"])[0]
        if "straddling" in what:
            what = f"a row is larger than {_BLOCK_BYTES >> 20} MB, or a quote is not closed"
        raise UnreadableFileError(f"{label}: not a readable table: {what}") from error


def _header(head: bytes, delimiter: str, label: str) -> list[str]:
    """The names in the first row that is not blank; none if there is no such row."""
    try:
        text = head.removeprefix(BOM).decode(errors="surrogateescape")
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = next((row for row in rows if row), [])
        "".join(header).encode()
    except UnicodeEncodeError as error:
        raise UnreadableFileError(f"{label}: the header is not UTF-8: convert it to UTF-8") from error
    except csv.Error as error:
        raise UnreadableFileError(f"{label}: no header can be read: {error}") from error
    return header


class DelimitedChunk(TableChunk):
    """Consecutive rows, of which some may be bad: their numbers in the file, from 0, and what is wrong."""

    def __init__(
        self,
        label: str,
        first: int,
        rows: Any,
        columns: Columns,
        read_bytes: int,
        bad: Sequence[tuple[int, str]],
    ) -> None:
        super().__init__(label, first, rows, columns, read_bytes)
        self._bad: list[tuple[int, str]] = []
        self.add(bad)

    def add(self, bad: Sequence[tuple[int, str]]) -> None:
        """Bad rows that stand among these or behind them."""
        self._bad += bad
        self.n_rows += len(bad)

    def batch(self) -> Batch:
        """The rows' texts and kept values. Raises :class:`BadRowError` for the first bad one."""
        if self._bad:
            raise BadRowError(self._bad[0][1])
        return super().batch()

    def slice(self, start: int, stop: int) -> DelimitedChunk:
        """The rows from ``start`` up to ``stop``, good and bad."""
        first = self._first + start
        bad = [one for one in self._bad if first <= one[0] < self._first + stop]
        start -= sum(number < first for number, _ in self._bad)
        stop -= sum(number < self._first + stop for number, _ in self._bad)
        rows = self._rows.slice(start, stop - start)
        return DelimitedChunk(self._label, first, rows, self._columns, 0, bad)


class _Source(io.RawIOBase):
    """A stream that gives as much as it is asked for, and whose beginning can be looked at."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._held = b""

    def readable(self) -> bool:
        return True

    def head(self) -> bytes:
        """The first bytes: with the header, if there is one."""
        self._held = self._stream.read()
        return self._held

    def read(self, n_bytes: int = -1, /) -> bytes:
        """``n_bytes`` further bytes, fewer at the end."""
        parts = [self._held]
        left = n_bytes - len(self._held)
        while left > 0 and (data := self._stream.read(left)):
            parts.append(data)
            left -= len(data)
        data = b"".join(parts)
        data, self._held = data[:n_bytes], data[n_bytes:]
        # A header alone is a header, too, without a line feed behind it.
        return data + b"\n" if left > 0 and data and not data.endswith(b"\n") else data
