"""Which column names the rows of an evaluation set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.reports.evaluation_sets import BENCHMARKS, USUAL_IDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.corpus.rows import Row

#: Longer ids are cut: an id names a row, it is not part of the report's subject.
MAX_ID_CHARS = 200


class RowIds:
    """The ids of rows, read as the rows are.

    The caller's ``column`` names the rows, and ``""`` means that none does. Without one (``None``), the
    ``benchmark``'s own id column and the usual ones are candidates: the first that all rows read first have
    is chosen, and dropped for all rows if a later row lacks it.
    """

    def __init__(self, column: str | None, benchmark: str | None) -> None:
        own = BENCHMARKS[benchmark].id_column if benchmark else None
        self.required = (column,) if column else ()
        self.candidates = (
            tuple(dict.fromkeys([own, *USUAL_IDS] if own else USUAL_IDS)) if column is None else ()
        )
        self._column = column or None
        self._is_chosen = column is not None

    def of(self, rows: Sequence[Row]) -> list[str | None]:
        """Return the id of each of the next rows, if they have one."""
        if not rows:
            return []
        if not self._is_chosen:
            self._is_chosen = True
            shared = [name for name in self.candidates if all(name in row.values for row in rows)]
            self._column = shared[0] if shared else None
        column = self._column
        if column is None or not all(column in row.values for row in rows):
            self._column = None
            return [None] * len(rows)
        values = (row.values[column] for row in rows)
        return [None if value is None else str(value)[:MAX_ID_CHARS] for value in values]

    @property
    def complete(self) -> bool:
        """Whether the ids returned so far name the rows: all rows have the column."""
        return self._column is not None
