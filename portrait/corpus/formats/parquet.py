"""Parquet files, of which only the wanted columns are read."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.files.file_shard import FileShard, runs
from portrait.corpus.formats.projection import TableChunk, no_rows, require_columns
from portrait.corpus.formats.sizes.parquet_pages import rows_within
from portrait.errors import UnreadableFileError
from portrait.markup.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.file import File
    from portrait.corpus.shards import Format, Shard

_BATCH_BYTES = 1 << 22
#: Arrow decompresses a page as a whole: it may take this much, or as much as this many documents.
_PAGE_BYTES = 1 << 28
_PAGE_DOCUMENTS = 4


class ParquetShard(FileShard):
    """A Parquet file, or some of its row groups."""

    kind: Format = "parquet"

    def __init__(self, path: File, columns: Columns) -> None:
        super().__init__(path, columns)
        #: The first row group and the one after the last; ``None`` for all of them.
        self._groups: tuple[int, int] | None = None

    def chunks(self) -> Iterator[TableChunk]:
        """Read about four megabytes of rows at a time."""
        with self.opened() as file:
            yield from self._read(file)

    def split(self, n_bytes: int) -> list[Shard]:
        """Divide the file into row groups of about ``n_bytes`` together, unless it cannot be read."""
        try:
            with self.opened() as file:
                metadata = file.metadata
                sizes = [_compressed_bytes(metadata.row_group(i)) for i in range(metadata.num_row_groups)]
        except UnreadableFileError:
            return [self]
        first, stop = self._groups or (0, len(sizes))
        parts: list[Shard] = []
        for run in runs(sizes[first:stop], n_bytes, self.n_bytes or 0):
            part = self._part(run.n_bytes, first=not parts and bool(self.files))
            part._groups = (first + run.begin, first + run.end)
            parts.append(part)
        return parts if len(parts) > 1 else [self]

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """Open the file as Arrow reads it.

        Raises:
            UnreadableFileError: The file cannot be opened, or reading it within the block fails.
        """
        pa = extras.load("pyarrow", "build")
        parquet = extras.load("pyarrow.parquet", "build")
        try:
            if isinstance(self._path, Path):
                with parquet.ParquetFile(self._path) as file:
                    yield file
            else:
                with (
                    self._path.open(sequential=False) as remote,
                    parquet.ParquetFile(remote, pre_buffer=True) as file,
                ):
                    yield file
        except (pa.ArrowException, OSError) as error:
            problem = (str(error).splitlines() or ["unknown error"])[0]
            raise UnreadableFileError(f"{self._path}: not a readable Parquet file: {problem}") from error

    def _read(self, file: Any) -> Iterator[TableChunk]:
        label = str(self._path)
        require_columns(self._columns, file.schema_arrow, label)
        first, stop = self._groups or (0, file.metadata.num_row_groups)
        groups = [file.metadata.row_group(i) for i in range(first, stop)]
        n_rows = sum(group.num_rows for group in groups)
        n_bytes = self.n_bytes or 0
        names = None if self._columns.whole else list(self._columns.readable)
        some_column = file.metadata.num_row_groups and file.metadata.num_columns
        codec = file.metadata.row_group(0).column(0).compression if some_column else "SNAPPY"
        if n_rows == 0:
            pa = extras.load("pyarrow", "build")
            whole = self._columns.whole
            empty = pa.RecordBatch.from_pylist([], file.schema_arrow) if whole else no_rows(self._columns)
            yield TableChunk(label, 0, empty, self._columns, n_bytes, codec=codec)
            return
        row_bytes = max(1, sum(group.total_byte_size for group in groups) // n_rows)
        batch_rows = max(1, min(1 << 16, _BATCH_BYTES // row_bytes))
        before = sum(file.metadata.row_group(i).num_rows for i in range(first))
        row = 0
        for together, limit in self._together(file, range(first, stop), batch_rows, names):
            for rows in file.iter_batches(limit, row_groups=together, columns=names, use_threads=False):
                share = n_bytes * (row + rows.num_rows) // n_rows - n_bytes * row // n_rows
                yield TableChunk(label, before + row, rows, self._columns, share, codec=codec)
                row += rows.num_rows

    def _together(
        self, file: Any, groups: range, batch_rows: int, names: list[str] | None
    ) -> list[tuple[Sequence[int], int]]:
        """Return row groups that are read in one go, each time with the number of rows of a batch.

        Raises:
            UnreadableFileError: A page is too large.
        """
        path = self._path
        if not isinstance(path, Path):
            # Arrow keeps what it fetches ahead until all groups of an iteration are read: so one at a time.
            return [([i], batch_rows) for i in groups]
        max_bytes = max(self._columns.max_document_bytes, _BATCH_BYTES)
        page_bytes = max(_PAGE_BYTES, _PAGE_DOCUMENTS * max_bytes)
        lists = _lists(file.schema)
        limits = [
            rows_within(
                path, file.metadata.row_group(i), names, max_bytes, page_bytes=page_bytes, lists=lists
            )
            for i in groups
        ]
        if 0 in limits:
            raise UnreadableFileError(
                f"{path}, row group {groups[limits.index(0)] + 1}: a page of text of more than "
                f"{counted(page_bytes, 'byte')} when decompressed: write smaller ones, or raise the limit",
                parameter="max_document_bytes",
            )
        if all(limit >= batch_rows for limit in limits):
            return [(groups, batch_rows)]
        return [([i], min(batch_rows, limit)) for i, limit in zip(groups, limits, strict=True)]


def _lists(schema: Any) -> frozenset[str]:
    """Return the paths of the columns of which a row may have several values."""
    columns = (schema.column(i) for i in range(len(schema)))
    return frozenset(column.path for column in columns if column.max_repetition_level)


def _compressed_bytes(group: Any) -> int:
    return sum(group.column(i).total_compressed_size for i in range(group.num_columns))
