"""Parquet files: one column, a few row groups' pages at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus import Batch
from portrait.errors import CorpusError
from portrait.readers.columns import require_column, text_chunks
from portrait.readers.streams import file_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BATCH_BYTES = 1 << 22


class ParquetShard:
    """A Parquet file."""

    def __init__(self, path: Path, column: str) -> None:
        self._path = path
        self._column = column
        self.files: list[dict[str, Any]] = [file_record(path)]
        self.n_bytes: int | None = self.files[0]["bytes"]

    def batches(self) -> Iterator[Batch]:
        """The text column, so many rows at a time as make about four megabytes."""
        pa = extras.load("pyarrow", "build")
        parquet = extras.load("pyarrow.parquet", "build")
        try:
            with parquet.ParquetFile(self._path) as file:
                yield from self._read(file)
        except (pa.ArrowException, OSError) as error:
            what = (str(error).splitlines() or ["unknown error"])[0]
            raise CorpusError(f"{self._path}: not a readable Parquet file: {what}") from error

    def _read(self, file: Any) -> Iterator[Batch]:
        require_column(self._column, file.schema_arrow.names, str(self._path))
        n_rows = file.metadata.num_rows
        n_bytes = self.n_bytes or 0
        if n_rows == 0:
            yield Batch(extras.load("pyarrow", "build").array([], "string"), self._place(0), n_bytes)
            return
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        row_bytes = max(1, sum(group.total_byte_size for group in groups) // n_rows)
        batch_rows = max(1, min(1 << 16, _BATCH_BYTES // row_bytes))
        row = 0
        for batch in file.iter_batches(batch_rows, columns=[self._column], use_threads=False):
            for texts in text_chunks(batch.column(0), self._column, str(self._path)):
                share = n_bytes * (row + len(texts)) // n_rows - n_bytes * row // n_rows
                yield Batch(texts, self._place(row), share)
                row += len(texts)

    def _place(self, first: int) -> Any:
        return lambda row: f"{self._path}, row {first + row + 1}"
