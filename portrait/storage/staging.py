"""A staging directory: filled near its destination, and moved there when it is whole."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from portrait.storage.atomic import random_name, sync_directory
from portrait.storage.lock import Lock, is_open_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

#: What the name of a staging directory inside another one begins with.
_INSIDE = ".portrait.part-"


class StagingDirectory:
    """A hidden directory, locked as long as the ``with`` block lasts, then removed.

    Entering also removes what killed processes left: staging directories of the same prefix that are not
    locked. Methods raise :class:`OSError`, and :class:`ValueError` where the prefix cannot be in a name.

    Args:
        parent: The directory to create it in.
        prefix: What its name begins with; the rest is random.
        clean_up: Called with each staging directory that a killed process left, before that is removed.
    """

    def __init__(self, parent: Path, prefix: str, clean_up: Callable[[Path], object] | None = None) -> None:
        self._parent = parent
        self._prefix = prefix
        self._clean_up = clean_up
        self.path = parent / f"{prefix}{random_name()}"

    @classmethod
    def beside(cls, out: Path) -> Self:
        """Return one beside a directory that does not exist yet."""
        return cls(out.parent, f".{out.name}.part-")

    @classmethod
    def inside(cls, directory: Path, clean_up: Callable[[Path], object]) -> Self:
        """Return one inside a directory, whose files may be added to."""
        return cls(directory, _INSIDE, clean_up)

    def __enter__(self) -> Self:
        self._sweep()
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
            os.lstat(self.path)  # its name may be too long
        if not os.access(self._parent, os.W_OK | os.X_OK) or not self._parent.is_dir():
            os.listdir(self._parent)  # noqa: PTH208  # which says why, if it cannot
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def publish(self, out: Path) -> None:
        """Make the directory's entries durable and move it to ``out``, where there is nothing.

        Raises:
            OSError: There is something at ``out``, which stays; or the directory cannot be moved.
        """
        sync_directory(self.path)
        if os.path.lexists(out):  # an empty directory would be replaced
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out))
        self.path.rename(out)
        sync_directory(out.parent)

    def _sweep(self) -> None:
        """Remove the staging directories of the same prefix that no process has locked."""
        ours = re.compile(re.escape(self._prefix) + "[0-9a-f]{16}")
        for path in self._parent.iterdir():
            if not ours.fullmatch(path.name) or not path.is_dir() or path.is_symlink():
                continue
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if not is_open_at(descriptor, path):
                        continue  # removed meanwhile, and perhaps created again by its owner
                    if self._clean_up is not None:
                        self._clean_up(path)
                    shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(descriptor)


def _new_directory(path: Path) -> Lock:
    """Create an empty directory and lock it."""
    while True:
        path.mkdir()
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # swept away already, see below
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if is_open_at(descriptor, path):
            return Lock(descriptor)
        # Another process swept it away before it was locked.
        os.close(descriptor)
