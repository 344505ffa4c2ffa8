"""The directory in which the workers of one server count together, and those that dead servers left.

A server holds a lock on its directory, which ends with the last of its processes, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from prometheus_client import values

PREFIX = "portrait-metrics-"


class SharedCounters:
    """Makes the processes that this one forks count together, in a directory of their own.

    What dead servers of the same user left beside it is removed.
    """

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        sweep(parent)
        # Under its final name, nobody ever sees it without the lock.
        made = Path(tempfile.mkdtemp(prefix=f"new-{PREFIX}", dir=parent))
        self._lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.directory = made.rename(parent / made.name.removeprefix("new-"))
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self.directory)
        # prometheus_client chose how to count when it was imported.
        values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]

    def remove(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self.directory, ignore_errors=True)
        os.close(self._lock)


def sweep(parent: Path) -> None:
    """Remove the directories of counters in ``parent`` that dead servers of this user left."""
    for directory in parent.glob(f"{PREFIX}*"):
        # What cannot be opened or removed is not in the way.
        with suppress(OSError):
            _remove_if_dead(directory)


def _remove_if_dead(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory)
    finally:
        os.close(descriptor)
