"""The rows of an evaluation set, written to a clean and a contaminated file by their verdicts.

Rows are written as they were: lines of JSON byte for byte, rows of Parquet files with all their columns.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from itertools import compress
from typing import IO, TYPE_CHECKING, Any, Protocol

from portrait import extras
from portrait.corpus.formats.lines import Lines
from portrait.corpus.formats.projection import TableChunk
from portrait.errors import CorpusError, OutputError, PortraitError, SpecError
from portrait.storage.outputs import writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.corpus.shards import Chunk, Shard

#: Rows of the data of which a row group of a Parquet file is made.
_GROUP_ROWS = 1 << 12
#: Suffixes of compressed files: the output is not compressed, so its name must not say so.
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz")


def require_splittable(shards: Sequence[Shard], out: Path) -> None:
    """Check that the rows of some shards can be written to ``out``.

    Raises:
        CorpusError: The data has no rows to write as they were: it is a stream, a dataset, or of a
            format other than JSON lines and Parquet.
        SpecError: The name of the output implies another format.
    """
    for shard in shards:
        if shard.read_once or shard.kind == "auto":
            raise CorpusError("only files can be split: save the data to a file first")
        if shard.kind == "txt":
            raise CorpusError(f"{shard.files[0]['path']}: plain text has no rows to split: use JSON lines")
        if shard.kind not in ("jsonl", "parquet"):
            raise CorpusError(
                f"{shard.label}: only JSON lines and Parquet can be split: convert it to one of them"
            )
    if out.suffix.lower() in _COMPRESSED:
        raise SpecError(f"{out}: the output is not compressed: choose a name without {out.suffix}")
    if _is_parquet(out) and any(shard.kind != "parquet" for shard in shards):
        raise SpecError(f"{out}: rows of JSON lines are written as JSON lines: choose another name")


def _is_parquet(out: Path) -> bool:
    return out.suffix.lower() == ".parquet"


def original_rows(chunk: Chunk) -> list[bytes] | TableChunk:
    """Return the rows of a chunk as they were: lines of JSON, or rows of a Parquet file with all columns."""
    if isinstance(chunk, Lines):
        return chunk.lines()
    assert isinstance(chunk, TableChunk)
    return chunk


class RowSink(Protocol):
    """A file that receives rows."""

    def write(self, rows: list[bytes] | TableChunk, mask: bytes) -> None:
        """Write those of some :func:`original_rows` for which ``mask`` is not 0.

        Raises:
            SpecError: JSON cannot represent a value.
            OutputError: The file cannot be written, or cannot contain such rows.
        """


@contextmanager
def row_sink(out: Path, file: IO[bytes]) -> Iterator[RowSink]:
    """Return a sink that writes to ``file``; ``out`` is the file's final name, which implies its format.

    The file is complete when the block ends without an error.
    """
    if not _is_parquet(out):
        yield _JsonLines(out, file)
        return
    sink = _Parquet(out, file)
    try:
        yield sink
        sink.finish()
    finally:
        sink.abandon()


class _JsonLines:
    """Writes lines as they were, and rows of tables as JSON objects."""

    def __init__(self, out: Path, file: IO[bytes]) -> None:
        self._out, self._file = out, file

    def write(self, rows: list[bytes] | TableChunk, mask: bytes) -> None:
        with writing(self._out):
            if isinstance(rows, list):
                self._file.writelines(line + b"\n" for line in compress(rows, mask))
                return
            for i in compress(range(rows.rows.num_rows), mask):
                (row,) = rows.rows.slice(i, 1).to_pylist()
                self._file.write(_dumps(row) + b"\n")


def _dumps(row: dict[str, Any]) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False, default=_as_json).encode()
    except PortraitError:
        raise
    except ValueError as error:
        raise SpecError(
            "the data has a number that JSON cannot represent (NaN or infinity): name the output .parquet"
        ) from error


def _as_json(value: Any) -> Any:
    """Return a value that JSON can represent: dates and times in ISO 8601, decimals and others as text."""
    if isinstance(value, bytes):
        raise SpecError(
            "the data has a column of bytes, which JSON cannot represent: name the output .parquet"
        )
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class _Parquet:
    """Writes a Parquet file with the schema and the compression of the first file of the data."""

    def __init__(self, out: Path, file: IO[bytes]) -> None:
        self._out, self._file = out, file
        self._pa = extras.load("pyarrow", "build")
        self._writer: Any = None
        self._schema: Any = None
        # The chosen rows of a group, and how many more rows of the data belong to it.
        self._group: list[Any] = []
        self._n_missing = _GROUP_ROWS

    def write(self, rows: list[bytes] | TableChunk, mask: bytes) -> None:
        assert isinstance(rows, TableChunk)
        with writing(self._out):
            if self._writer is None:
                self._begin(rows)
            if not rows.rows.schema.equals(self._schema):
                raise OutputError(
                    f"{self._out}: the files have different columns, which one Parquet file cannot contain: "
                    "name the output .jsonl, or report on each file separately"
                )
            at = 0
            while at < len(mask):
                step = min(self._n_missing, len(mask) - at)
                self._add(rows.rows.slice(at, step), mask[at : at + step])
                at += step

    def _begin(self, rows: TableChunk) -> None:
        parquet = extras.load("pyarrow.parquet", "build")
        self._schema = rows.rows.schema
        codec = {"UNCOMPRESSED": "NONE"}.get(rows.codec, rows.codec)
        self._writer = parquet.ParquetWriter(self._file, self._schema, compression=codec)

    def _add(self, batch: Any, mask: bytes) -> None:
        """Add the chosen rows of a group's next rows."""
        if any(mask):
            chosen = self._pa.array(mask, self._pa.uint8()).cast(self._pa.bool_())
            self._group.append(batch.filter(chosen))
        self._n_missing -= len(mask)
        if not self._n_missing:
            self._end_group()

    def _end_group(self) -> None:
        if self._group:
            self._writer.write_table(self._pa.Table.from_batches(self._group).combine_chunks())
        self._group, self._n_missing = [], _GROUP_ROWS

    def finish(self) -> None:
        """Write what is left, and the footer."""
        if self._writer is not None:
            with writing(self._out):
                self._end_group()
                self._writer.close()

    def abandon(self) -> None:
        """Close the writer in whatever state while the file is open: it would write when collected."""
        if self._writer is not None:
            with suppress(Exception):
                self._writer.close()
            self._writer.is_open = False
