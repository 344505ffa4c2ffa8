"""A reduce task: a range of keys of all runs → a part of a filter."""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash

from portrait.errors import OutputError, SpoolError
from portrait.filters.protocols import KeyRange, Part
from portrait.keys.runs import Run, Spool

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.building.layer import Measured
    from portrait.engines.task import ProgressCallback
    from portrait.spec import FilterSpec

_WRITE_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class PartTask:
    """A part of a layer's filter to be made; a :class:`portrait.engines.task.Task`.

    ``runs`` is a file that lists the layer's runs of ``n_partitions`` each, as JSON.
    """

    name: str
    source: str
    spec: FilterSpec
    measured: Measured
    within: KeyRange
    directory: Path
    runs: str
    n_partitions: int

    @property
    def label(self) -> str:
        """The source's, and the number of the part."""
        return f"source {self.source!r}, {self.name}"


def read_runs(directory: Path, name: str) -> list[Run]:
    """The runs that a file lists. Raises :class:`SpoolError`."""
    try:
        return [Run(*run) for run in json.loads((directory / name).read_bytes())["runs"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SpoolError(
            f"{directory / name}: cannot be read: {error}: run the same command again"
        ) from error


def build_part(task: PartTask, report: ProgressCallback) -> dict[str, Any]:
    """Make a part of a filter and write it to a file; what it returns says what is in that.

    Raises :class:`SpoolError`, :class:`OutputError`.
    """
    spool = Spool(task.directory, read_runs(task.directory, task.runs), task.n_partitions)
    layout = task.measured.layout(task.spec)
    n_bytes = 0

    def keys() -> Any:
        nonlocal n_bytes
        for some in spool.within(task.within.first_key, task.within.last_key):
            size = memoryview(some).nbytes
            n_bytes += size
            report(size)
            yield some

    part = layout.build(keys(), task.within)
    digest = xxhash.xxh3_64()
    path = task.directory / f"{task.name}.part"
    try:
        with path.open("wb", buffering=0) as file:
            for buffer in part.buffers:
                rest = memoryview(buffer).cast("B")
                while rest:
                    chunk = rest[: file.write(rest[:_WRITE_BYTES])]
                    digest.update(chunk)
                    rest = rest[len(chunk) :]
        path.rename(path.with_suffix(".filter"))
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(
            f"{task.directory}: cannot write a part of the filter there: {error.strerror}: make room, or "
            "choose another --work-dir; the same command goes on from here"
        ) from error
    sizes = [memoryview(buffer).nbytes for buffer in part.buffers]
    return {"sizes": sizes, "xxh3_64": digest.hexdigest(), "n_keys": part.n_keys}


def open_part(directory: Path, name: str, record: dict[str, Any]) -> Part:
    """Map a part that :func:`build_part` made. Raises :class:`SpoolError` where it is not as it was."""
    path = directory / f"{name}.filter"
    again = "run the same command again, which will make it anew"
    sizes = record["sizes"]
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size != sum(sizes) or not size:
                raise SpoolError(f"{path}: is not as long as it was: {again}")
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise SpoolError(f"{path}: {error.strerror}: {again}") from error
    if xxhash.xxh3_64_hexdigest(data) != record["xxh3_64"]:
        raise SpoolError(f"{path}: is damaged: its checksum does not fit: {again}")
    buffers = []
    for n_bytes in sizes:
        buffers.append(data[:n_bytes])
        data = data[n_bytes:]
    return Part(tuple(buffers), record["n_keys"])
