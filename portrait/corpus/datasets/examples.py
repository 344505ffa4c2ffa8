"""Rows as Python holds them → chunks: for streams that have no Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.columns import SEPARATOR, locate, names
from portrait.corpus.formats.tables import BATCH_BYTES, wanted
from portrait.corpus.shards import Batch
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.corpus.columns import Columns

#: Rows of a chunk, at most.
_MOST_ROWS = 1 << 14


class ExamplesChunk:
    """Consecutive rows, each a mapping from columns' names; a :class:`portrait.corpus.shards.Chunk`."""

    def __init__(self, label: str, first: int, rows: list[dict[str, Any]], columns: Columns) -> None:
        self._label, self._first, self._rows, self._columns = label, first, rows, columns
        self.read_bytes = 0

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def batch(self) -> Batch:
        """The rows' texts and kept values."""
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
        return Batch(pa.array(texts, pa.large_string()), self._place, self.read_bytes, kept, optional)

    def places(self) -> list[str]:
        """The dataset and number of each row."""
        return [f"{self._label}:{self._first + row + 1}" for row in range(self.n_rows)]

    def slice(self, start: int, stop: int) -> ExamplesChunk:
        """The rows from ``start`` up to ``stop``."""
        return ExamplesChunk(self._label, self._first + start, self._rows[start:stop], self._columns)

    def _place(self, row: int) -> str:
        return f"{self._label}, row {self._first + row + 1}"

    def _text(self, number: int, row: dict[str, Any]) -> str:
        return SEPARATOR.join(
            _string(one, name, self._place(number))
            for name in self._columns.text
            for one in _several(self._value(number, row, name))
        )

    def _value(self, number: int, row: dict[str, Any], name: str) -> Any:
        path = locate(name, row)
        if path is None:
            raise self._columns.missing(name, names(row), self._place(number), BadRowError)
        value: Any = row
        for member in path:
            value = None if value is None else value[member]
        return value


def _several(value: Any) -> Iterable[Any]:
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
    """The values as Arrow holds them, if it can; else themselves."""
    try:
        return pa.array(values)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError):
        return values


def example_chunks(rows: Iterable[dict[str, Any]], label: str, columns: Columns) -> Iterator[ExamplesChunk]:
    """The rows, about four megabytes of text at a time; of other columns, only the names are kept."""
    held: list[dict[str, Any]] = []
    first = n_bytes = 0
    for row in rows:
        found = {name: row[name] for name in wanted(columns, row)}
        # A row without what is wanted keeps its columns' names, for the error.
        held.append(found if all(locate(name, found) for name in columns.all) else dict(row))
        n_bytes += sum(len(value) if isinstance(value, str) else 64 for value in found.values())
        if n_bytes >= BATCH_BYTES or len(held) == _MOST_ROWS:
            yield ExamplesChunk(label, first, held, columns)
            first += len(held)
            held, n_bytes = [], 0
    if held:
        yield ExamplesChunk(label, first, held, columns)
