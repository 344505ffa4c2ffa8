"""Arrow tables, cut and joined into chunks of a good size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.formats.projection import TableChunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.corpus.columns import Columns

#: About how many bytes a chunk holds.
BATCH_BYTES = 1 << 22


def wanted(columns: Columns, present: Iterable[str]) -> list[str]:
    """Return those of a table's columns that are wanted, or that contain a wanted one."""
    return [
        column
        for column in present
        if any(name == column or name.startswith(f"{column}.") for name in columns.readable)
    ]


def table_chunks(
    tables: Iterable[Any], label: str, columns: Columns, *, first: int = 0, row_bytes: int = 0
) -> Iterator[TableChunk]:
    """Yield the rows of tables in chunks of about four megabytes.

    Args:
        tables: The Arrow tables.
        label: Their name in messages.
        columns: The columns of text and those to keep.
        first: The number of the first row, counted from 0.
        row_bytes: How much counts as read for a row.
    """
    for rows in _batches(tables):
        yield TableChunk(label, first, rows, columns, rows.num_rows * row_bytes)
        first += rows.num_rows


def _batches(tables: Iterable[Any]) -> Iterator[Any]:
    """Yield record batches of about four megabytes, each of one schema."""
    pending: list[Any] = []
    n_bytes = 0
    for table in tables:
        # A stream that does not know its columns' types may change them on the way.
        if pending and (n_bytes >= BATCH_BYTES or not table.schema.equals(pending[0].schema)):
            yield from _cut(pending, n_bytes)
            pending, n_bytes = [], 0
        pending.append(table)
        n_bytes += table.nbytes
    if pending:
        yield from _cut(pending, n_bytes)


def _cut(tables: list[Any], n_bytes: int) -> Iterator[Any]:
    joined = extras.load("pyarrow", "build").concat_tables(tables).combine_chunks()
    n_rows = joined.num_rows
    max_rows = n_rows if n_bytes < 2 * BATCH_BYTES else n_rows * BATCH_BYTES // n_bytes
    yield from (batch for batch in joined.to_batches(max_chunksize=max(1, max_rows)) if batch.num_rows)
