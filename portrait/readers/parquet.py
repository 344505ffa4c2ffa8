"""Parquet files: the wanted columns, a few row groups' pages at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.errors import CorpusError
from portrait.readers.columns import TablePiece, require_columns
from portrait.readers.streams import file_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portrait.columns import Columns
    from portrait.corpus import Format

_BATCH_BYTES = 1 << 22


class ParquetShard:
    """A Parquet file."""

    kind: Format = "parquet"
    read_once = False

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._columns = columns
        self.files: list[dict[str, Any]] = [file_record(path)]
        self.n_bytes: int | None = self.files[0]["bytes"]

    def pieces(self) -> Iterator[TablePiece]:
        """The columns, so many rows at a time as make about four megabytes."""
        pa = extras.load("pyarrow", "build")
        parquet = extras.load("pyarrow.parquet", "build")
        try:
            with parquet.ParquetFile(self._path) as file:
                yield from self._read(file)
        except (pa.ArrowException, OSError) as error:
            what = (str(error).splitlines() or ["unknown error"])[0]
            raise CorpusError(f"{self._path}: not a readable Parquet file: {what}") from error

    def _read(self, file: Any) -> Iterator[TablePiece]:
        label = str(self._path)
        require_columns(self._columns, file.schema_arrow, label)
        n_rows = file.metadata.num_rows
        n_bytes = self.n_bytes or 0
        names = list(self._columns.all)
        if n_rows == 0:
            pa = extras.load("pyarrow", "build")
            schema = pa.schema([(name, pa.string()) for name in names])
            nothing = pa.RecordBatch.from_pylist([], schema)
            yield TablePiece(label, 0, nothing, self._columns, n_bytes)
            return
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        row_bytes = max(1, sum(group.total_byte_size for group in groups) // n_rows)
        batch_rows = max(1, min(1 << 16, _BATCH_BYTES // row_bytes))
        row = 0
        for rows in file.iter_batches(batch_rows, columns=names, use_threads=False):
            share = n_bytes * (row + rows.num_rows) // n_rows - n_bytes * row // n_rows
            yield TablePiece(label, row, rows, self._columns, share)
            row += rows.num_rows
