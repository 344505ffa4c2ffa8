"""Arrow tables one after the other → chunks of a good size, and how they go to another process."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.formats.projection import TableChunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from portrait.corpus.columns import Columns

#: What a chunk holds, about.
BATCH_BYTES = 1 << 22


def wanted(columns: Columns, there: Iterable[str]) -> list[str]:
    """The columns of a table that are wanted, or that hold what is."""
    return [
        column
        for column in there
        if any(name == column or name.startswith(f"{column}.") for name in columns.readable)
    ]


def table_chunks(
    tables: Iterable[Any], label: str, columns: Columns, *, first: int = 0, row_bytes: int = 0
) -> Iterator[TableChunk]:
    """The tables' rows, of which the first has the number ``first``, about four megabytes at a time."""
    for rows in _batches(tables):
        yield TableChunk(label, first, rows, columns, rows.num_rows * row_bytes)
        first += rows.num_rows


def _batches(tables: Iterable[Any]) -> Iterator[Any]:
    held: list[Any] = []
    n_bytes = 0
    for table in tables:
        # Streams that do not know their columns' types may give others later.
        if held and (n_bytes >= BATCH_BYTES or not table.schema.equals(held[0].schema)):
            yield from _cut(held, n_bytes)
            held, n_bytes = [], 0
        held.append(table)
        n_bytes += table.nbytes
    if held:
        yield from _cut(held, n_bytes)


def _cut(tables: list[Any], n_bytes: int) -> Iterator[Any]:
    whole = extras.load("pyarrow", "build").concat_tables(tables).combine_chunks()
    n_rows = whole.num_rows
    most = n_rows if n_bytes < 2 * BATCH_BYTES else n_rows * BATCH_BYTES // n_bytes
    yield from (batch for batch in whole.to_batches(max_chunksize=max(1, most)) if batch.num_rows)


def freeze(thing: Any, *, tables: bool = True) -> bytes:
    """What pickles: with no more of its tables than what belongs to it, and functions by their code.

    Arrow would pickle all of the memory that a table is a slice of. Without ``tables`` it is only a
    trial. Raises what the pickling of something raises that cannot leave this process.
    """
    try:
        return _pickled(pickle.Pickler, thing, tables)
    except (pickle.PicklingError, AttributeError, TypeError):
        return _pickled(extras.load("dill", "build").Pickler, thing, tables, recurse=True)


def thaw(frozen: bytes) -> Any:
    """What was frozen."""
    return pickle.loads(frozen)


def _pickled(base: Any, thing: Any, tables: bool, **options: Any) -> bytes:
    pa = extras.load("pyarrow", "build")

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if not options and getattr(obj, "__module__", None) == "__main__":
                # By its name, it would be sought in the other process's program.
                raise pickle.PicklingError("of the program itself")
            if isinstance(obj, pa.Table):
                if not tables:
                    return _table, (b"",)
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, obj.schema) as stream:
                    stream.write_table(obj)
                return _table, (sink.getvalue().to_pybytes(),)
            return NotImplemented

    out = io.BytesIO()
    Pickler(out, protocol=5, **options).dump(thing)
    return out.getvalue()


def _table(data: bytes) -> Any:
    with extras.load("pyarrow", "build").ipc.open_stream(data) as stream:
        return stream.read_all()
