"""Who does the work of a build, where, and in how much memory: nothing of it changes what is built."""

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

#: What a process has for itself unless told otherwise, and at least.
_WORKER_BYTES = 512 << 20
_MIN_WORKER_BYTES = 256 << 20
#: What Python, Arrow and the piece that is being read take of it.
_OVERHEAD_BYTES = 96 << 20
#: More keys than this in memory make reading no faster.
_MAX_BUFFER_BYTES = 64 << 20
#: A key that is sorted is in memory twice; as much again is for the filter.
BYTES_PER_SORTED_KEY = 3 * KEY_BYTES


@dataclass(frozen=True, slots=True)
class Execution:
    """How a build is carried out.

    ``engine`` runs its tasks, ``workers`` of them at a time (default: one for each CPU, of this machine
    or of the cluster). ``memory_bytes`` is for all of them together; half a gigabyte for each by default.
    Keys that do not fit lie in ``work_dir``, by default a hidden directory beside the output; so does what
    is needed to go on with a build that was stopped, unless ``restart``. ``ray_address`` is that of a
    cluster; by default one is started on this machine. Raises :class:`SpecError`.
    """

    engine: EngineName = "local"
    workers: int | None = None
    memory_bytes: int | None = None
    work_dir: str | os.PathLike[str] | None = None
    restart: bool = False
    ray_address: str | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise SpecError(f"unknown engine {self.engine!r}: choose one of {', '.join(ENGINES)}")
        if self.workers is not None:
            require_workers(self.workers)
        if self.work_dir is not None and "://" in os.fspath(self.work_dir):
            raise SpecError(
                f"{os.fspath(self.work_dir)}: the work directory is one of a file system: mount it, and give "
                "its path"
            )
        if self.ray_address is not None and self.engine != "ray":
            raise SpecError("an address of Ray is for the engine ray")
        memory = self.memory_bytes
        if memory is None:
            return
        if self.ray_address is not None and self.workers is None:
            raise SpecError("the memory is for all workers of the cluster together: give --workers, too")
        if not isinstance(memory, int) or isinstance(memory, bool) or memory < _MIN_WORKER_BYTES:
            raise SpecError(
                f"the memory is {_MIN_WORKER_BYTES >> 20} MB or more, {_MIN_WORKER_BYTES >> 20} MB for each "
                f"worker, not {memory!r} bytes"
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
        """The memory of all processes."""
        return self.memory_bytes or self.n_workers * _WORKER_BYTES

    @property
    def worker_bytes(self) -> int:
        """The memory of each."""
        return self.total_bytes // self.n_workers

    @property
    def held_keys(self) -> int:
        """How many keys a build in one process may have in memory to the end."""
        return max(0, self.total_bytes - _OVERHEAD_BYTES) // BYTES_PER_SORTED_KEY

    @property
    def buffer_keys(self) -> int:
        """How many keys a worker gathers before it writes them, for which it needs as much again."""
        spare = max(_MIN_WORKER_BYTES // 4, self.worker_bytes - _OVERHEAD_BYTES)
        return min(_MAX_BUFFER_BYTES, spare // 4) // KEY_BYTES

    @property
    def sorted_keys(self) -> int:
        """How many keys a worker may have in memory at a time to sort them and build of them."""
        spare = max(_MIN_WORKER_BYTES // 4, self.worker_bytes - _OVERHEAD_BYTES)
        return spare // BYTES_PER_SORTED_KEY

    @property
    def spools(self) -> bool:
        """Whether keys go to files whatever their number: somebody else is to find them there."""
        return self.engine != "local" or self.work_dir is not None

    def begun(self, out: Path) -> bool:
        """Whether a build of ``out`` was stopped that is to be gone on with."""
        return os.path.exists(self.work_path(out))  # noqa: PTH110  # no error for long names

    def work_path(self, out: Path) -> Path:
        """The work directory of a build of ``out``."""
        return Path(self.work_dir) if self.work_dir is not None else out.parent / f".{out.name}.build"

    def start(self) -> Engine:
        """The engine, ready. Raises :class:`MissingExtraError`, :class:`WorkerError`."""
        if self.engine == "ray":
            from portrait.engines.ray import RayEngine

            elsewhere = self.ray_address is not None and self.workers is None
            return RayEngine(None if elsewhere else self.n_workers, self.ray_address)
        from portrait.engines.local import LocalEngine

        return LocalEngine(self.n_workers)
