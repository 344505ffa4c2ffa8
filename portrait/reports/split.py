"""The rows of an evaluation set, sorted by verdict into a clean and a contaminated file.

The data is read a second time, for rows are to be written as they were: the very lines of JSON, all
columns of a table, not only what was asked about. What is remembered from the first time is a
verdict of one byte a row.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from itertools import compress
from typing import IO, TYPE_CHECKING, Any

from portrait import extras
from portrait.errors import CorpusError, OutputError, PortraitError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.corpus.shards import Shard

_BATCH_ROWS = 1 << 12
#: Names that promise what would not be in the file.
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz")


def require_splittable(shards: Sequence[Shard], out: Path) -> None:
    """Raise where the rows of ``shards`` cannot be written to ``out``: :class:`CorpusError` if they
    can be read but once or are no rows, :class:`SpecError` if the name asks for another format.
    """
    for shard in shards:
        if shard.read_once or shard.kind == "auto":
            raise CorpusError(
                "only files can be split, for they are read twice: save the data to a file first"
            )
        if shard.kind not in ("txt", "jsonl", "parquet"):
            raise CorpusError(
                f"{shard.label}: only JSON lines and Parquet can be split: convert it to one of them"
            )
        if shard.kind == "txt":
            raise CorpusError(f"{shard.files[0].path}: plain text has no rows to split: use JSON lines")
    if out.suffix.lower() in _COMPRESSED:
        raise SpecError(f"{out}: is written uncompressed: choose a name without {out.suffix}")
    if _is_parquet(out) and any(shard.kind != "parquet" for shard in shards):
        raise SpecError(f"{out}: rows of JSON lines are written as JSON lines: choose another name")


def _is_parquet(out: Path) -> bool:
    return out.suffix.lower() == ".parquet"


def split(shards: Sequence[Shard], verdicts: bytes, letters: bytes, out: Path, file: IO[bytes]) -> None:
    """Write to ``file`` the rows whose verdict is one of ``letters``; ``out`` is what it will be called.

    Raises :class:`CorpusError` where the data is no longer what it was, :class:`OutputError`.
    """
    chosen = bytes(verdict in letters for verdict in verdicts)
    at = 0
    with _sink(shards, out, file) as sink:
        for shard in shards:
            for rows in _originals(shard):
                mask = chosen[at : at + len(rows)]
                at += len(rows)
                if len(mask) == len(rows):
                    sink.write(rows, mask)
    if at != len(chosen):
        raise CorpusError(f"{out}: the data has changed while it was being read: run the report again")


def _originals(shard: Shard) -> Iterator[Any]:
    """The rows as they were: lists of lines, or Arrow's record batches."""
    if shard.kind == "jsonl":
        for chunk in shard.chunks():
            lines: Any = chunk
            yield lines.lines()
        return
    table: Any = shard
    with table.opened() as file:
        yield from file.iter_batches(_BATCH_ROWS, use_threads=False)


@contextmanager
def _sink(shards: Sequence[Shard], out: Path, file: IO[bytes]) -> Iterator[Any]:
    if not _is_parquet(out):
        yield _JsonLines(file)
        return
    sink = _Parquet(shards, out, file)
    try:
        yield sink
        sink.finish()
    finally:
        sink.abandon()


class _JsonLines:
    """Lines as they were, and rows of tables as JSON objects."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, rows: Any, mask: bytes) -> None:
        if isinstance(rows, list):
            for line in compress(rows, mask):
                self._file.write(line + b"\n")
            return
        for i in (i for i, wanted in enumerate(mask) if wanted):
            (row,) = rows.slice(i, 1).to_pylist()
            self._file.write(_dumps(row) + b"\n")


def _dumps(row: dict[str, Any]) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False, default=_as_json).encode()
    except PortraitError:
        raise
    except ValueError as error:
        raise SpecError(
            "the data has a number that JSON cannot hold (NaN, or infinite): name the output .parquet"
        ) from error


def _as_json(value: Any) -> Any:
    """Values that JSON has no form for: dates and times in ISO 8601, numbers and the rest as text."""
    if isinstance(value, bytes):
        raise SpecError("the data has a column of bytes, which JSON cannot hold: name the output .parquet")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class _Parquet:
    """A Parquet file of the input's schema and compression."""

    def __init__(self, shards: Sequence[Shard], out: Path, file: IO[bytes]) -> None:
        self._out = out
        parquet = extras.load("pyarrow.parquet", "build")
        table: Any = shards[0]
        with table.opened() as first:
            self._schema = first.schema_arrow
            meta = first.metadata
            known = meta.num_row_groups and meta.num_columns
            codec = meta.row_group(0).column(0).compression if known else "SNAPPY"
        codec = {"UNCOMPRESSED": "NONE"}.get(codec, codec)
        self._writer = parquet.ParquetWriter(file, self._schema, compression=codec)

    def write(self, rows: Any, mask: bytes) -> None:
        pa = extras.load("pyarrow", "build")
        if not rows.schema.equals(self._schema):
            raise OutputError(
                f"{self._out}: the files' columns differ, so that their rows fit no one Parquet file: "
                "name the output .jsonl, or report on each file by itself"
            )
        if any(mask):
            self._writer.write_batch(rows.filter(pa.array(mask, pa.uint8()).cast(pa.bool_())))

    def finish(self) -> None:
        self._writer.close()

    def abandon(self) -> None:
        """End it whatever its state, while the file is still open: it would write again when collected."""
        with suppress(Exception):
            self._writer.close()
        self._writer.is_open = False
