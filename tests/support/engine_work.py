"""Tasks for the tests of engines and pools, in a module that other processes can import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.errors import BadRowError
from support.processes import is_alive

if TYPE_CHECKING:
    from portrait.engines.task import ProgressCallback


@dataclass(frozen=True)
class Chore:
    """A task that leaves a trace of each attempt in a directory; ``deaths`` attempts kill their process."""

    name: str
    directory: Path = Path()
    deaths: int = 0

    @property
    def label(self) -> str:
        return f"shard {self.name}"


def traces(directory: Path, name: str = "*") -> list[int]:
    """Return the process ids of all attempts at chores whose name matches a glob pattern."""
    return [int(path.name.split(".")[1]) for path in directory.glob(f"{name}.*.*")]


def ignore(_n_bytes: int, _documents: int = 0, _text_bytes: int = 0, /) -> None:
    """Ignore the progress of a task."""


def trace(chore: Chore) -> int:
    """Write a file whose name has the id of this process, and return the number of attempts so far."""
    chore.directory.joinpath(f"{chore.name}.{os.getpid()}.{time.monotonic_ns()}").touch()
    return len(list(chore.directory.glob(f"{chore.name}.*")))


def echo(chore: Chore, report: ProgressCallback) -> dict[str, Any]:
    """Report progress, and return the chore's name, the process id and the resolved directory."""
    report(7, 1, 5)
    return {"name": chore.name, "pid": os.getpid(), "directory": str(chore.directory.resolve())}


def die_at_first(chore: Chore, report: ProgressCallback) -> dict[str, Any]:
    """Kill the worker process in the chore's first ``deaths`` attempts, then succeed."""
    n_attempts = trace(chore)
    if n_attempts <= chore.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return echo(chore, report)


def fail(chore: Chore, _report: ProgressCallback) -> dict[str, Any]:
    """Raise an error of the library."""
    raise BadRowError(f"{chore.label}, row 3: is odd")


def fail_strangely(chore: Chore, _report: ProgressCallback) -> dict[str, Any]:
    """Raise an error whose class no other process can import."""

    class Strange(Exception):  # noqa: N818  # defined where no other process can import it
        pass

    raise Strange(f"{chore.label} is odd")


def linger(chore: Chore, report: ProgressCallback) -> dict[str, Any]:
    """Run until interrupted, and leave a trace then; the chore named ``quick`` ends at once."""
    trace(chore)
    try:
        while chore.name != "quick":
            time.sleep(0.05)
    finally:
        chore.directory.joinpath(f"{chore.name}.interrupted-{os.getpid()}").touch()
    return echo(chore, report)


def still_lingers(directory: Path, pid: int) -> bool:
    """Return whether a process still runs a chore of :func:`linger`."""
    interrupted = list(directory.glob(f"*.interrupted-{pid}"))
    return is_alive(pid) and len(interrupted) < traces(directory).count(pid)


def linger_uninterruptibly(chore: Chore, report: ProgressCallback) -> dict[str, Any]:
    """Leave a trace and block in one call that no interrupt ends; the chore named ``quick`` ends at once."""
    trace(chore)
    if chore.name != "quick":
        time.sleep(600)
    return echo(chore, report)


class Squares:
    """A pool's function that returns a number's square, the process id and when the process was set up."""

    def __init__(self) -> None:
        self.prepared = time.monotonic_ns()

    def __call__(self, number: int) -> tuple[int, int, int]:
        if number == 13:
            raise BadRowError("row 13: is odd")
        return number * number, os.getpid(), self.prepared


class Exiting:
    """A pool's function that ends its process with a number as the exit code."""

    def __call__(self, code: int) -> None:
        os._exit(code)


#: A program that runs endless chores on the engine named by its first argument.
PARENT = """
import sys
from pathlib import Path
from support import engine_work
from portrait.engines.execution import Execution
engine = Execution(sys.argv[1], workers=2).start()
list(engine.run(engine_work.linger, [engine_work.Chore(str(i), Path.cwd()) for i in range(2)], print))
"""
