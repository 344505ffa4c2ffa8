"""Datasets already loaded with the ``datasets`` library, read through their Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait.corpus import Batch
from portrait.readers.columns import require_column, text_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH_ROWS = 1000


class DatasetShard:
    """A ``datasets.Dataset`` or ``datasets.IterableDataset``."""

    n_bytes: int | None = None

    def __init__(self, dataset: Any, column: str) -> None:
        self._dataset = dataset
        self._column = column
        self._label = f"dataset {getattr(dataset.info, 'dataset_name', None) or ''}".strip()
        self.files: list[dict[str, Any]] = []

    def batches(self) -> Iterator[Batch]:
        """The text column, a thousand rows at a time."""
        if self._dataset.column_names is not None:
            require_column(self._column, self._dataset.column_names, self._label)
        row = 0
        for table in self._dataset.with_format("arrow").iter(_BATCH_ROWS):
            require_column(self._column, table.column_names, self._label)
            for texts in text_chunks(table.column(self._column), self._column, self._label):
                yield Batch(texts, self._place(row), 0)
                row += len(texts)

    def _place(self, first: int) -> Any:
        return lambda row: f"{self._label}, row {first + row + 1}"
