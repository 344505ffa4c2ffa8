"""Rows as Python dictionaries, for streams that have no Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.columns import SEPARATOR, locate, names
from portrait.corpus.datasets.tables import BATCH_BYTES, wanted
from portrait.corpus.formats.projection import require_small
from portrait.corpus.shards import Batch
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.corpus.columns import Columns

#: Rows of a chunk, at most.
_MAX_ROWS = 1 << 14


class ExamplesChunk:
    """A :class:`portrait.corpus.shards.Chunk` of consecutive rows.

    Args:
        label: The stream's name in messages.
        first: The number of the first row, counted from 0.
        rows: The rows, each a mapping from column names to values.
        columns: The columns of text and those to keep.
    """

    def __init__(self, label: str, first: int, rows: list[dict[str, Any]], columns: Columns) -> None:
        self._label, self._first, self._rows, self._columns = label, first, rows, columns
        self.read_bytes = 0

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self._rows)

    def batch(self) -> Batch:
        """Return the rows' texts and kept values.

        Raises:
            BadRowError: A row lacks a column, or a column of text is not text.
        """
        pa = extras.load("pyarrow", "build")
        texts = [self._text(i, row) for i, row in enumerate(self._rows)]
        kept = tuple(
            _array(pa, [self._value(i, row, name) for i, row in enumerate(self._rows)])
            for name in self._columns.keep
        )
        optional = {
            name: [self._value(i, row, name) for i, row in enumerate(self._rows)]
            for name in self._columns.optional
            if all(locate(name, row) for row in self._rows)
        }
        array = pa.array(texts, pa.large_string())
        require_small(array, self._columns, self._place)
        return Batch(array, self._place, self.read_bytes, kept, optional)

    def places(self) -> list[str]:
        """Return the dataset and number of each row."""
        return [f"{self._label}:{self._first + row + 1}" for row in range(self.n_rows)]

    def slice(self, start: int, stop: int) -> ExamplesChunk:
        """Return the rows from ``start`` up to ``stop``."""
        return ExamplesChunk(self._label, self._first + start, self._rows[start:stop], self._columns)

    def _place(self, row: int) -> str:
        return f"{self._label}, row {self._first + row + 1}"

    def _text(self, number: int, row: dict[str, Any]) -> str:
        return SEPARATOR.join(
            _string(one, name, self._place(number))
            for name in self._columns.text
            for one in _as_list(self._value(number, row, name))
        )

    def _value(self, number: int, row: dict[str, Any], name: str) -> Any:
        path = locate(name, row)
        if path is None:
            raise self._columns.missing(name, names(row), self._place(number), BadRowError)
        value: Any = row
        for member in path:
            value = None if value is None else value[member]
        return value


def _as_list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _string(value: Any, name: str, where: str) -> str:
    if not isinstance(value, str):
        kind = "null" if value is None else type(value).__name__
        raise BadRowError(f"{where}: column {name!r} holds {kind}, not text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadRowError(
            f"{where}: column {name!r} has a lone surrogate at character {error.start}"
        ) from error
    return value


def _array(pa: Any, values: list[Any]) -> Any:
    """Return the values as an Arrow array, or as they are if Arrow cannot represent them."""
    try:
        return pa.array(values)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError):
        return values


def example_chunks(rows: Iterable[dict[str, Any]], label: str, columns: Columns) -> Iterator[ExamplesChunk]:
    """Yield rows in chunks of about four megabytes of text, without the columns that are not wanted."""
    pending: list[dict[str, Any]] = []
    first = n_bytes = 0
    for row in rows:
        values = {name: row[name] for name in wanted(columns, row)}
        # A row that lacks a column stays whole: the error lists the columns that it has.
        pending.append(values if all(locate(name, values) for name in columns.all) else dict(row))
        n_bytes += sum(len(value) if isinstance(value, str) else 64 for value in values.values())
        if n_bytes >= BATCH_BYTES or len(pending) == _MAX_ROWS:
            yield ExamplesChunk(label, first, pending, columns)
            first += len(pending)
            pending, n_bytes = [], 0
    if pending:
        yield ExamplesChunk(label, first, pending, columns)
