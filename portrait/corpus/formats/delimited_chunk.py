"""Rows of delimited text as Arrow parsed them, with the bad rows among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from portrait.corpus.formats.projection import TableChunk
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Batch


class BadRow(NamedTuple):
    """A row that Arrow refused: its number in the file, counted from 0, and what is wrong with it."""

    number: int
    message: str


class DelimitedChunk(TableChunk):
    """Consecutive rows, some of which may be bad.

    Args:
        label: The file's name in messages.
        first: The number of the first row, counted from 0.
        rows: The good rows as an Arrow record batch.
        columns: The columns of text and those to keep.
        read_bytes: How much was read for this chunk.
        bad: The bad rows.
    """

    def __init__(
        self,
        label: str,
        first: int,
        rows: Any,
        columns: Columns,
        read_bytes: int,
        bad: Sequence[BadRow],
    ) -> None:
        super().__init__(label, first, rows, columns, read_bytes)
        self._bad: list[BadRow] = []
        self.add(bad)

    def add(self, bad: Sequence[BadRow]) -> None:
        """Add bad rows that are among these rows or follow them."""
        self._bad += bad
        self.n_rows += len(bad)

    def batch(self) -> Batch:
        """Return the rows' texts and kept values.

        Raises:
            BadRowError: Some row is bad; the message names the first one.
        """
        if self._bad:
            raise BadRowError(self._bad[0].message)
        return super().batch()

    def slice(self, start: int, stop: int) -> DelimitedChunk:
        """Return the rows from ``start`` up to ``stop``, good and bad."""
        first, end = self._first + start, self._first + stop
        bad = [row for row in self._bad if first <= row.number < end]
        n_bad_before = sum(row.number < first for row in self._bad)
        offset, n_good = start - n_bad_before, stop - start - len(bad)
        return DelimitedChunk(self._label, first, self._rows.slice(offset, n_good), self._columns, 0, bad)
