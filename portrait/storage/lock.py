"""Locks on files and directories, which end with the process that holds them, however that ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from portrait.errors import OutputExistsError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_SECONDS_BETWEEN_TRIES = 0.02


class Lock:
    """A lock, from its making until :meth:`release`, or the end of the ``with`` block."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def share(self) -> None:
        """Let other processes that share it hold the lock, too."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """End the lock."""
        os.close(self._descriptor)


def lock_file(
    path: Path,
    in_use: str,
    *,
    shared: bool = False,
    patience_seconds: float = 0,
    parameter: str | None = None,
) -> Lock:
    """Lock a file, which is created, and its directory with it, where it does not exist.

    Args:
        path: The file to lock.
        in_use: The message for the case that another process holds the lock.
        shared: Whether the lock may be shared with other processes if it cannot be had alone. It is had
            alone where that is possible, until :meth:`Lock.share`.
        patience_seconds: How long to wait for another process that holds the lock.
        parameter: The library's parameter whose change would help.

    Raises:
        OutputExistsError: Another process holds the lock.
        OSError: The file cannot be created.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        path.parent.mkdir(exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # its directory was removed meanwhile, by a process that has finished
            continue
        try:
            _take(descriptor, shared=shared)
        except BlockingIOError as error:
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise OutputExistsError(in_use, parameter=parameter) from error
            time.sleep(_SECONDS_BETWEEN_TRIES)
            continue
        if is_open_at(descriptor, path):
            return Lock(descriptor)
        os.close(descriptor)


def lock_directory(path: Path) -> Lock:
    """Lock a directory against others that lock it, and wait while one of them does.

    On a file system without locks, nothing is locked.

    Raises:
        OSError: The directory cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(descriptor)


def _take(descriptor: int, *, shared: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not shared:
            raise
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_open_at(descriptor: int, path: Path) -> bool:
    """Return whether ``path`` is still the file or directory that was opened there."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
