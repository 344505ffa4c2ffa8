"""Waiting for a condition, and checking whether a process is alive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The longest wait for a condition: long enough for a slow machine, since it usually holds at once.
PATIENCE_SECONDS = 30


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail after :data:`PATIENCE_SECONDS`."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
