"""Datasets already loaded with the ``datasets`` library, read through their Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.formats.projection import require_columns
from portrait.corpus.formats.tables import BATCH_BYTES, freeze, table_chunks, thaw, wanted
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.corpus.columns import Columns
    from portrait.corpus.formats.projection import TableChunk
    from portrait.corpus.shards import Format, Shard

#: Rows that are taken at a time, at most.
_MOST_ROWS = 1 << 16


def dataset_shard(dataset: Any, columns: Columns) -> Shard:
    """The shard of all of ``dataset``.

    Raises :class:`CorpusError` if it has several splits, or not the columns.
    """
    if isinstance(dataset, dict):
        dataset = _only(dataset)
    label = f"dataset {getattr(dataset.info, 'dataset_name', None) or ''}".strip()
    if hasattr(dataset, "num_rows"):
        return DatasetShard(dataset, columns, label)
    from portrait.corpus.datasets.stream import StreamShard

    return StreamShard(dataset, columns, label)


def _only(splits: dict[str, Any]) -> Any:
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
    """Consecutive rows of a ``datasets.Dataset``."""

    kind: Format = "auto"
    read_once = False

    def __init__(self, dataset: Any, columns: Columns, label: str) -> None:
        self.label = label
        self.files: list[dict[str, Any]] = []
        self._columns = columns
        fingerprint = getattr(dataset, "_fingerprint", None)
        self._stamps = [] if fingerprint is None else [[f"dataset {fingerprint}", dataset.num_rows]]
        require_columns(columns, dataset.features.arrow_schema, label)
        # What else there is, pictures perhaps, is left alone.
        self._dataset = dataset.select_columns(wanted(columns, dataset.features))
        self._first = 0
        table = self._dataset.data
        self._row_bytes: int = max(1, table.nbytes // max(1, table.num_rows))

    @property
    def n_bytes(self) -> int | None:
        """What the columns take in memory, about."""
        n_rows: int = self._dataset.num_rows
        return n_rows * self._row_bytes

    def stamps(self) -> list[list[Any]]:
        """The fingerprint that ``datasets`` gives the whole, if any, and how many rows that has."""
        return self._stamps

    def digests(self) -> dict[str, str]:
        """No files, no digests."""
        return {}

    def split(self, n_bytes: int) -> list[Shard]:
        """Parts of about ``n_bytes``."""
        n_rows, most = self._dataset.num_rows, max(1, n_bytes // self._row_bytes)
        if n_rows <= most:
            return [self]
        return [self._part(start, min(start + most, n_rows)) for start in range(0, n_rows, most)]

    def _part(self, start: int, stop: int) -> DatasetShard:
        part = object.__new__(DatasetShard)
        part.__dict__.update(self.__dict__)
        part._dataset = self._dataset.select(range(start, stop))
        part._first = self._first + start
        return part

    def chunks(self) -> Iterator[TableChunk]:
        """The columns, so many rows at a time as make about four megabytes."""
        most = max(1, min(_MOST_ROWS, BATCH_BYTES // self._row_bytes))
        tables = self._dataset.with_format("arrow").iter(most)
        return table_chunks(tables, self.label, self._columns, first=self._first, row_bytes=self._row_bytes)

    def __getstate__(self) -> dict[str, Any]:
        rows = self._dataset
        if getattr(rows, "_indices", None) is not None and not rows.cache_files:
            # Rows here and there of a table in memory: only these, not all of it.
            rows = extras.load("datasets", "build").Dataset(rows.with_format("arrow")[:])
        return {**self.__dict__, "_dataset": freeze(rows)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _dataset=thaw(state["_dataset"]))
