"""Commands and programs under the limits of a small process."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

#: Runs a command, and prints the largest resident size of it and its children in bytes.
_MEASURED = """
import json, resource, subprocess, sys
command, limits = json.loads(sys.argv[1])
def limit():
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
done = subprocess.run(command, capture_output=True, text=True, errors="replace", preexec_fn=limit)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps([done.returncode, done.stdout, done.stderr, peak]))
"""


class Outcome(NamedTuple):
    """How a process ended: its exit status, what it printed, and its largest resident size in bytes."""

    status: int
    stdout: str
    stderr: str
    peak_bytes: int


def run_limited(
    command: list[str], *, cwd: Path | None = None, timeout_seconds: float = 300, **limits: int
) -> Outcome:
    """Run a command under limits such as ``RLIMIT_NOFILE``.

    Args:
        command: The command and its arguments.
        cwd: Where to run it.
        timeout_seconds: How long it may take.
        limits: Soft and hard limits by their names in ``resource``.
    """
    assert all(hasattr(resource, name) for name in limits)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, json.dumps([command, limits])],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=True,
    )
    return Outcome(*json.loads(done.stdout))


def portrait_limited(*arguments: object, cwd: Path | None = None, **limits: int) -> Outcome:
    """Run ``portrait`` under limits, as :func:`run_limited` does."""
    return run_limited([sys.executable, "-m", "portrait", *map(str, arguments)], cwd=cwd, **limits)
