"""Datasets loaded with the ``datasets`` library, read through their Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.datasets.pickling import freeze, thaw
from portrait.corpus.datasets.stream import IterableDatasetShard
from portrait.corpus.datasets.tables import BATCH_BYTES, table_chunks, wanted
from portrait.corpus.formats.projection import require_columns
from portrait.corpus.shards import Stamp
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.formats.projection import TableChunk
    from portrait.corpus.shards import FileRecord, Format, Shard

#: Rows read at a time, at most.
_MAX_ROWS = 1 << 16


def dataset_shard(dataset: Any, columns: Columns) -> Shard:
    """Return the shard of a dataset, of a stream, or of a mapping with one split.

    Raises:
        CorpusError: There are several splits or none, or the dataset lacks a column.
    """
    if isinstance(dataset, dict):
        dataset = _only_split(dataset)
    label = f"dataset {getattr(dataset.info, 'dataset_name', None) or ''}".strip()
    if hasattr(dataset, "num_rows"):
        return DatasetShard(dataset, columns, label)
    return IterableDatasetShard(dataset, columns, label)


def _only_split(splits: dict[str, Any]) -> Any:
    names = sorted(splits)
    if len(names) == 1:
        return splits[names[0]]
    if not names:
        raise CorpusError("the dataset has no splits: there is nothing to read")
    raise CorpusError(
        f"the dataset has several splits, {', '.join(names)}: pass one of them, such as "
        f"data[{names[0]!r}], or dict(data) for a source of each"
    )


class DatasetShard:
    """Consecutive rows of a ``datasets.Dataset``.

    Raises:
        CorpusError: The dataset lacks a column.
    """

    kind: Format = "auto"
    read_once = False

    def __init__(self, dataset: Any, columns: Columns, label: str, first: int = 0) -> None:
        self.label = label
        self.files: list[FileRecord] = []
        self._columns = columns
        fingerprint = getattr(dataset, "_fingerprint", None)
        self._stamps = [] if fingerprint is None else [Stamp(f"dataset {fingerprint}", (dataset.num_rows,))]
        require_columns(columns, dataset.features.arrow_schema, label)
        #: All columns of all rows, of which the first has the number ``_base`` and this shard's ``_first``.
        self._whole, self._base = dataset, first
        self._rows = dataset.select_columns(wanted(columns, dataset.features))
        self._first = first
        table = self._rows.data
        self._row_bytes: int = max(1, table.nbytes // max(1, table.num_rows))

    @property
    def n_bytes(self) -> int | None:
        """About how much memory the wanted columns take."""
        n_rows: int = self._rows.num_rows
        return n_rows * self._row_bytes

    def stamps(self) -> list[Stamp]:
        """Return the fingerprint that ``datasets`` gives the whole, if any, and its number of rows."""
        return self._stamps

    def digests(self) -> dict[str, str]:
        """Return no digests: there are no files."""
        return {}

    def split(self, n_bytes: int) -> list[Shard]:
        """Divide the rows into parts of about ``n_bytes``."""
        n_rows, max_rows = self._rows.num_rows, max(1, n_bytes // self._row_bytes)
        if n_rows <= max_rows:
            return [self]
        return [self._part(start, min(start + max_rows, n_rows)) for start in range(0, n_rows, max_rows)]

    def _part(self, start: int, stop: int) -> DatasetShard:
        part = object.__new__(DatasetShard)
        part.__dict__.update(self.__dict__)
        part._rows = self._rows.select(range(start, stop))
        part._first = self._first + start
        return part

    def excerpt(self, n_bytes: int) -> DatasetShard:  # noqa: ARG002
        """Return the shard itself: its documents are rows."""
        return self

    def with_columns(self, columns: Columns) -> DatasetShard:
        """Return this shard with other columns.

        Raises:
            CorpusError: The dataset lacks a column.
        """
        other = DatasetShard(self._whole, columns, self.label, self._base)
        other._stamps = self._stamps
        start, n_rows = self._first - self._base, self._rows.num_rows
        return other if n_rows == self._whole.num_rows else other._part(start, start + n_rows)

    def chunks(self) -> Iterator[TableChunk]:
        """Read about four megabytes of rows at a time."""
        max_rows = max(1, min(_MAX_ROWS, BATCH_BYTES // self._row_bytes))
        tables = self._rows.with_format("arrow").iter(max_rows)
        return table_chunks(tables, self.label, self._columns, first=self._first, row_bytes=self._row_bytes)

    def __getstate__(self) -> dict[str, Any]:
        rows = self._rows
        if getattr(rows, "_indices", None) is not None and not rows.cache_files:
            # A selection of a table in memory: only the selected rows, not all of the table.
            rows = extras.load("datasets", "build").Dataset(rows.with_format("arrow")[:])
        return {**self.__dict__, "_rows": freeze(rows), "_whole": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        rows = thaw(state["_rows"])
        self.__dict__.update(state, _rows=rows, _whole=rows, _base=state["_first"])
