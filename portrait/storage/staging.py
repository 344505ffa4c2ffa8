"""A staging directory: filled beside its destination, and moved there when it is whole."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from portrait.storage.atomic import random_name, sync_directory
from portrait.storage.lock import Lock, is_open_at

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class StagingDirectory:
    """A hidden directory beside ``out``, locked as long as the ``with`` block lasts, then removed.

    Entering also removes what killed processes left: staging directories for ``out`` that are not locked.
    Methods raise :class:`OSError`, and :class:`ValueError` where ``out`` cannot be a file's name.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._prefix = f".{out.name}.part-"
        self.path = out.parent / f"{self._prefix}{random_name()}"

    def __enter__(self) -> Self:
        _sweep(self.out.parent, self._prefix)
        self._lock = _new_directory(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()

    def check(self) -> None:
        """Raise now what entering the block would raise."""
        with suppress(FileNotFoundError):
            os.lstat(self.path)  # its name is longer than that of ``out``
        parent = self.out.parent
        if not os.access(parent, os.W_OK | os.X_OK) or not parent.is_dir():
            os.listdir(parent)  # noqa: PTH208  # which says why, if it cannot
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def publish(self) -> None:
        """Make the directory's entries durable and move it to ``out``, in place of what is there."""
        sync_directory(self.path)
        if self.out.exists():
            self._replace()
        else:
            self.path.rename(self.out)
        sync_directory(self.out.parent)

    def _replace(self) -> None:
        # A directory cannot be renamed over another. A crash between the two renames leaves the old one
        # whole under its other name.
        old = self.out.parent / f".{self.out.name}.old-{random_name()}"
        self.out.rename(old)
        try:
            self.path.rename(self.out)
        except OSError:
            old.rename(self.out)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _new_directory(path: Path) -> Lock:
    """Create an empty directory and lock it."""
    while True:
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if is_open_at(descriptor, path):
            return Lock(descriptor)
        # Another process swept it away before it was locked.
        os.close(descriptor)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove the directories whose names begin with ``prefix`` and that no process has locked."""
    for path in parent.iterdir():
        if not path.name.startswith(prefix) or not path.is_dir() or path.is_symlink():
            continue
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)
