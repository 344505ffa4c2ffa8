"""Datasets and streams, pickled for another process."""

from __future__ import annotations

import io
import pickle
from typing import Any

from portrait import extras


def freeze(thing: Any, *, tables: bool = True) -> bytes:
    """Pickle something with no more of its Arrow tables than belongs to it, and functions by their code.

    Arrow itself would pickle all of the memory that a table is a slice of.

    Args:
        thing: What to pickle.
        tables: Whether to include tables; without them, this is only a trial.

    Raises:
        Exception: It cannot leave this process; whatever its parts raise.
    """
    try:
        return _pickled(pickle.Pickler, thing, tables)
    except (pickle.PicklingError, AttributeError, TypeError):
        return _pickled(extras.load("dill", "build").Pickler, thing, tables, recurse=True)


def thaw(frozen: bytes) -> Any:
    """Return what :func:`freeze` pickled."""
    return pickle.loads(frozen)


def _pickled(base: Any, thing: Any, tables: bool, **options: Any) -> bytes:
    pa = extras.load("pyarrow", "build")

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if not options and getattr(obj, "__module__", None) == "__main__":
                # By name, it would be looked up in the other process's program.
                raise pickle.PicklingError("defined in the program itself")
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
