"""Datasets already loaded with the ``datasets`` library, read through their Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait.readers.columns import TablePiece, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.columns import Columns
    from portrait.corpus import Format, Shard

_BATCH_ROWS = 1000


class DatasetShard:
    """A ``datasets.Dataset`` or ``datasets.IterableDataset``."""

    kind: Format = "auto"
    n_bytes: int | None = None
    read_once = False

    def __init__(self, dataset: Any, columns: Columns) -> None:
        self._dataset = dataset
        self._columns = columns
        self.label = f"dataset {getattr(dataset.info, 'dataset_name', None) or ''}".strip()
        self.files: list[dict[str, Any]] = []

    def pieces(self) -> Iterator[TablePiece]:
        """The columns, a thousand rows at a time."""
        features = self._dataset.features
        if features is not None:
            require_columns(self._columns, features.arrow_schema, self.label)
        row = 0
        for table in self._dataset.with_format("arrow").iter(_BATCH_ROWS):
            require_columns(self._columns, table.schema, self.label)
            # Whole columns: what a path picks of a struct is picked when the piece is unpacked.
            wanted = [name for name in table.column_names if self._is_wanted(name)]
            for rows in table.select(wanted).to_batches():
                yield TablePiece(self.label, row, rows, self._columns, 0)
                row += rows.num_rows

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002
        """The shard itself."""
        return [self]

    def stamps(self) -> list[list[Any]]:
        """None: it is no file."""
        return []

    def digests(self) -> dict[str, str]:
        """None: it is no file."""
        return {}

    def _is_wanted(self, column: str) -> bool:
        return any(name == column or name.startswith(f"{column}.") for name in self._columns.all)
