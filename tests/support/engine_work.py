"""What the tests of engines have done: work that other processes can import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.errors import BadRowError

if TYPE_CHECKING:
    from portrait.engines.task import ProgressCallback


@dataclass(frozen=True)
class Chore:
    """A task, and a directory to leave traces in; relative ones are the engine's."""

    name: str
    directory: Path = Path()
    deaths: int = 0

    @property
    def label(self) -> str:
        return f"shard {self.name}"


def trace(chore: Chore) -> int:
    """Leave a file that says which process has tried; how many there are now."""
    chore.directory.joinpath(f"{chore.name}.{os.getpid()}.{time.monotonic_ns()}").touch()
    return len(list(chore.directory.glob(f"{chore.name}.*")))


def echo(chore: Chore, report: ProgressCallback) -> dict[str, Any]:
    report(7, 1, 5)
    return {"name": chore.name, "pid": os.getpid(), "directory": str(chore.directory.resolve())}


def die_at_first(chore: Chore, report: ProgressCallback) -> dict[str, Any]:
    """Be killed as often as the chore says, then do it."""
    tried = trace(chore)
    if tried <= chore.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return echo(chore, report)


def fail(chore: Chore, _report: ProgressCallback) -> dict[str, Any]:
    raise BadRowError(f"{chore.label}, row 3: is odd")


def fail_strangely(chore: Chore, _report: ProgressCallback) -> dict[str, Any]:
    class Strange(Exception):  # noqa: N818  # no other process knows it
        pass

    raise Strange(f"{chore.label} is odd")


def linger(chore: Chore, report: ProgressCallback) -> dict[str, Any]:
    """Leave a trace, and take for ever; the chore called ``quick`` does not."""
    trace(chore)
    if chore.name != "quick":
        time.sleep(600)
    return echo(chore, report)
