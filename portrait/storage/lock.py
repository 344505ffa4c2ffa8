"""Locks on files and directories: they end with the process that holds them, however that ends.

A lock is the descriptor of what it is on, and is held until that is closed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS_BETWEEN_TRIES = 0.02


def lock_file(path: Path, *, shared: bool = False, patience_seconds: float = 0) -> int:
    """The lock on a file, which is made, and its directory, too, where they are not there.

    ``shared``: it may be held together with others that share it, if it is not to be had alone; for
    alone it is held first. Raises :class:`BlockingIOError` where another process has it and keeps it for
    as long as ``patience_seconds``.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        path.parent.mkdir(exist_ok=True)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # removed since, by a process that has finished
            continue
        try:
            _take(lock, shared=shared)
        except BlockingIOError:
            os.close(lock)
            if time.monotonic() >= deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_TRIES)
            continue
        if path.exists() and os.path.samestat(os.fstat(lock), path.stat()):
            return lock
        os.close(lock)


def _take(lock: int, *, shared: bool) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not shared:
            raise
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


def share(lock: int) -> None:
    """Let others who share it hold the lock, too."""
    fcntl.flock(lock, fcntl.LOCK_SH)


def new_directory(path: Path) -> int:
    """The lock on a directory that is made here, and empty, whatever was there."""
    while True:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        lock = os.open(path, os.O_RDONLY)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        # It was swept away before it was locked.
        os.close(lock)


def sweep(parent: Path, prefix: str) -> None:
    """Remove directories of such names that nobody has locked: killed processes have left them."""
    for path in parent.iterdir():
        if not path.name.startswith(prefix) or not path.is_dir() or path.is_symlink():
            continue
        with suppress(OSError):
            lock = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
