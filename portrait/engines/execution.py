"""How a build is carried out: engine, workers, memory, work directory. None of it changes the result."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from portrait.engines.pool import available, require_workers
from portrait.errors import SpecError
from portrait.keys.maker import KEY_BYTES

if TYPE_CHECKING:
    from portrait.engines.task import Engine

EngineName = Literal["local", "ray"]
ENGINES: tuple[str, ...] = get_args(EngineName)

#: The memory of a process by default, and the least it needs.
_WORKER_BYTES = 512 << 20
_MIN_WORKER_BYTES = 256 << 20
#: The part of it that Python, Arrow and the piece of text at hand take.
_OVERHEAD_BYTES = 96 << 20
#: A larger buffer of keys makes reading no faster.
_MAX_BUFFER_BYTES = 64 << 20
#: A key that is sorted is in memory twice; as much again is for the filter.
BYTES_PER_SORTED_KEY = 3 * KEY_BYTES


@dataclass(frozen=True, slots=True)
class Execution:
    """How a build is carried out. The portrait is the same, whatever the values.

    Args:
        engine: What runs the tasks: ``local`` (processes of this machine) or ``ray``.
        workers: How many tasks run at a time, 1 to 4,096; by default one for each CPU of this machine, or
            of the cluster.
        memory_bytes: The memory of all workers together; by default 512 MiB for each.
        work_dir: The directory for keys that do not fit into memory, and for what a build needs to resume;
            by default a hidden directory beside the output.
        restart: Whether to start over where an interrupted build could resume.
        ray_address: The address of a Ray cluster; by default one starts on this machine.

    Raises:
        SpecError: A value is outside its range, or does not go with the others.
    """

    engine: EngineName = "local"
    workers: int | None = None
    memory_bytes: int | None = None
    work_dir: str | os.PathLike[str] | None = None
    restart: bool = False
    ray_address: str | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise SpecError(
                f"unknown engine {self.engine!r}: choose one of {', '.join(ENGINES)}", parameter="engine"
            )
        if self.workers is not None:
            require_workers(self.workers)
        if self.work_dir is not None and "://" in os.fspath(self.work_dir):
            raise SpecError(
                f"{os.fspath(self.work_dir)}: the work directory must be in a file system: mount it, and "
                "give its path",
                parameter="work_dir",
            )
        if self.ray_address is not None and self.engine != "ray":
            raise SpecError(
                f"the address of a Ray cluster goes with the engine ray, not {self.engine}",
                parameter="engine",
            )
        memory = self.memory_bytes
        if memory is None:
            return
        if self.ray_address is not None and self.workers is None:
            raise SpecError(
                "the memory is for all workers of the cluster together: give the number of workers, too",
                parameter="workers",
            )
        if not isinstance(memory, int) or isinstance(memory, bool) or memory < _MIN_WORKER_BYTES:
            raise SpecError(
                f"the memory is at least {_MIN_WORKER_BYTES >> 20} MB for each worker, not {memory!r} bytes",
                parameter="memory_bytes",
            )

    @property
    def n_workers(self) -> int:
        """How many tasks run at a time: no more than there is memory for."""
        wanted = self.workers or available()
        if self.memory_bytes is None:
            return wanted
        return max(1, min(wanted, self.memory_bytes // _MIN_WORKER_BYTES))

    @property
    def total_bytes(self) -> int:
        """The memory of all processes together."""
        return self.memory_bytes or self.n_workers * _WORKER_BYTES

    @property
    def worker_bytes(self) -> int:
        """The memory of each process."""
        return self.total_bytes // self.n_workers

    @property
    def keys_in_memory(self) -> int:
        """How many keys a build in one process may keep in memory until its filters are built."""
        return max(0, self.total_bytes - _OVERHEAD_BYTES) // BYTES_PER_SORTED_KEY

    @property
    def buffer_keys(self) -> int:
        """How many keys a worker collects before it writes a run; partitioning takes as much memory again."""
        spare = max(_MIN_WORKER_BYTES // 4, self.worker_bytes - _OVERHEAD_BYTES)
        return min(_MAX_BUFFER_BYTES, spare // 4) // KEY_BYTES

    @property
    def sorted_keys(self) -> int:
        """How many keys a worker may have in memory at a time to sort them and build a part of a filter."""
        spare = max(_MIN_WORKER_BYTES // 4, self.worker_bytes - _OVERHEAD_BYTES)
        return spare // BYTES_PER_SORTED_KEY

    @property
    def needs_work_dir(self) -> bool:
        """Whether keys go to a work directory, whatever their number: other processes read them there."""
        return self.engine != "local" or self.work_dir is not None

    def can_resume(self, out: Path) -> bool:
        """Whether there is an unfinished build of ``out`` to resume."""
        return os.path.exists(self.work_path(out))  # noqa: PTH110  # no error for long names

    def work_path(self, out: Path) -> Path:
        """Return the path of the work directory of a build of ``out``."""
        return Path(self.work_dir) if self.work_dir is not None else out.parent / f".{out.name}.build"

    def start(self) -> Engine:
        """Start the engine.

        Raises:
            MissingExtraError: Ray is not installed.
            WorkerError: The cluster cannot be reached or started.
        """
        if self.engine == "ray":
            from portrait.engines.ray import RayEngine

            all_cpus = self.ray_address is not None and self.workers is None
            return RayEngine(None if all_cpus else self.n_workers, self.ray_address)
        from portrait.engines.local import LocalEngine

        return LocalEngine(self.n_workers)
