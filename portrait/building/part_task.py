"""The reduce task: a range of keys of all runs → a part of a filter in a file, and a record of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import xxhash

from portrait import strict_json
from portrait.errors import OutputError, WorkDirError
from portrait.filters import kinds as filters
from portrait.filters.protocols import KeyRange, Part
from portrait.keys.runs import KeysInRuns, Run
from portrait.storage.atomic import replacing, write_all
from portrait.storage.mapping import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

    from portrait.engines.task import ProgressCallback
    from portrait.keys.maker import Keys
    from portrait.spec import FilterSpec

#: A part is written and digested piece by piece, so that a piece is in the cache for both.
_WRITE_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class PartTask:
    """A part of a layer's filter to build; a :class:`portrait.engines.task.Task`.

    Args:
        name: The name of the record, and of the part's file.
        source: The layer's source.
        spec: The kind of the filter and its rate.
        n_keys: For how many keys the filter is laid out.
        within: The range of keys.
        directory: Where the runs are, and where the part goes.
        runs: The file there that lists the layer's runs, a :class:`RunList`.
        n_partitions: How many partitions each run has.
    """

    name: str
    source: str
    spec: FilterSpec
    n_keys: int
    within: KeyRange
    directory: Path
    runs: str
    n_partitions: int

    @property
    def label(self) -> str:
        """The source and the number of the part."""
        return f"source {self.source!r}, {self.name}"


@dataclass(frozen=True, slots=True)
class RunList:
    """All runs of a layer: in a file, because a list of many runs is too long for each task to carry."""

    runs: tuple[Run, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the list as JSON."""
        return {"runs": [run.to_json() for run in self.runs]}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the list of :meth:`to_json`."""
        return cls(tuple(map(Run.from_json, content["runs"])))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the list from a file.

        Raises:
            WorkDirError: The file cannot be read.
        """
        try:
            return cls.from_json(strict_json.loads(path.read_bytes(), surrogates=True))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise WorkDirError(
                f"{path}: cannot be read: {error}: re-run the same call, which writes it again"
            ) from error


@dataclass(frozen=True, slots=True)
class PartRecord:
    """What a reduce task leaves for the rest of the build.

    Args:
        sizes: The sizes of the part's buffers in bytes; they are end to end in its file.
        xxh3_64: The checksum of the file.
        n_keys: How many distinct keys the part holds, where the kind of filter counts them.
    """

    sizes: tuple[int, ...]
    xxh3_64: str
    n_keys: int | None

    @property
    def n_bytes(self) -> int:
        """The size of the file."""
        return sum(self.sizes)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {"sizes": list(self.sizes), "xxh3_64": self.xxh3_64, "n_keys": self.n_keys}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the record of :meth:`to_json`.

        Raises:
            LookupError, TypeError, ValueError: ``content`` is something else.
        """
        n_keys = content["n_keys"]
        return cls(
            sizes=tuple(map(int, content["sizes"])),
            xxh3_64=str(content["xxh3_64"]),
            n_keys=None if n_keys is None else int(n_keys),
        )


def build_part(task: PartTask, report: ProgressCallback) -> PartRecord:
    """Build a part of a filter and write it to its file.

    Several attempts at one task may run at once: each writes a file of its own, and the last to finish stays.

    Args:
        task: The task.
        report: Receives the progress, in bytes of keys.

    Returns:
        What is in the file.

    Raises:
        WorkDirError: A run is gone or damaged.
        OutputError: The file cannot be written.
    """
    runs = RunList.read(task.directory / task.runs)
    keys = KeysInRuns(task.directory, runs.runs, task.n_partitions)

    def counted() -> Iterator[Keys | Buffer]:
        for some in keys.within(task.within.first_key, task.within.last_key):
            report(memoryview(some).nbytes)
            yield some

    part = filters.layout(task.spec, task.n_keys).build(counted(), task.within)
    try:
        digest = _write(_path(task.directory, task.name), part.buffers)
    except OSError as error:
        raise OutputError(
            f"{task.directory}: cannot write a part of the filter there: {error.strerror}: make room and "
            "re-run the same call, which resumes the build, or choose another work directory",
            parameter="work_dir",
        ) from error
    return PartRecord(tuple(memoryview(buffer).nbytes for buffer in part.buffers), digest, part.n_keys)


def open_part(directory: Path, name: str, record: PartRecord) -> Part:
    """Map the part of a filter that the task ``name`` built.

    Raises:
        WorkDirError: Its file is gone or damaged.
    """
    path = _path(directory, name)
    again = "re-run the same call, which builds it again"
    try:
        data = open_file(path, "sequential")
    except OSError as error:
        raise WorkDirError(f"{path}: {error.strerror}: {again}") from error
    if len(data) != record.n_bytes or not data:
        raise WorkDirError(f"{path}: has the wrong length: {again}")
    if xxhash.xxh3_64_hexdigest(data) != record.xxh3_64:
        raise WorkDirError(f"{path}: is damaged: its checksum does not fit: {again}")
    buffers = []
    for n_bytes in record.sizes:
        buffers.append(data[:n_bytes])
        data = data[n_bytes:]
    return Part(tuple(buffers), record.n_keys)


def _path(directory: Path, name: str) -> Path:
    return directory / f"{name}.filter"


def _write(path: Path, buffers: Sequence[Buffer]) -> str:
    """Write buffers end to end, and return their checksum."""
    digest = xxhash.xxh3_64()
    with replacing(path, durable=False) as file:
        for buffer in buffers:
            view = memoryview(buffer).cast("B")
            for start in range(0, len(view), _WRITE_BYTES):
                chunk = view[start : start + _WRITE_BYTES]
                write_all(file, chunk)
                digest.update(chunk)
    return digest.hexdigest()
