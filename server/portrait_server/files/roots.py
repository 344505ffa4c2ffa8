"""Roots: the directories whose files the service may open, and the way in which it opens one.

A portrait's directory comes from somebody else, and any name in it may be a link to any file of the machine,
or a pipe that never ends. So links are resolved first, and what they lead to is opened from a root downwards
without following any: whoever exchanges a file for a link meanwhile gets an error, not another file.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ForbiddenFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Opens directories only for what is in them, where the system knows the difference.
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Does not wait for the other end of a pipe, nor make a terminal that of this process.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Roots:
    """Directories, without links in their paths, below which files may be opened."""

    directories: tuple[Path, ...]

    @classmethod
    def of_portrait(cls, path: Path, more: Iterable[Path] = ()) -> Roots:
        """Return the roots of a portrait: its own directory, where a link at ``path`` itself is followed.

        Args:
            path: The portrait as the settings name it.
            more: The other roots that the settings name.
        """
        real = _real(path)
        own = (real,) if real.is_dir() else (real.parent, _real(path.parent))
        return cls((*dict.fromkeys((*own, *map(_real, more))),))

    def open(self, file: Path) -> int:
        """Open a regular file for reading, and return its descriptor.

        Raises:
            ForbiddenFileError: The file is outside the roots, or is not a regular file.
            OSError: It cannot be opened.
        """
        real = Path(os.path.realpath(file, strict=True))
        for root in self.directories:
            if real != root and real.is_relative_to(root):
                try:
                    return _open_below(root, real.relative_to(root).parts, file)
                except OSError as error:
                    error.filename = str(file)
                    raise
        if real in self.directories:
            raise ForbiddenFileError(f"{file}: is not a regular file")
        raise ForbiddenFileError(
            f"{file}: leads to {real}, outside the directories that this service may read: if it may be "
            f"served, add {real.parent} to the setting 'roots'",
            parameter="roots",
        )

    def status(self, file: Path) -> os.stat_result:
        """Return the status of a file that :meth:`open` opens; it raises the same errors."""
        descriptor = self.open(file)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def read(self, file: Path, max_bytes: int) -> bytes:
        """Return the first ``max_bytes`` of a file that :meth:`open` opens; it raises the same errors."""
        with os.fdopen(self.open(file), "rb") as opened:
            return opened.read(max_bytes)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _open_below(root: Path, steps: tuple[str, ...], file: Path) -> int:
    """Open the regular file that ``steps`` lead to from ``root``, none of which is a link."""
    *folders, name = steps
    at = os.open(root, _STEP)
    try:
        for folder in folders:
            inner = os.open(folder, _STEP, dir_fd=at)
            os.close(at)
            at = inner
        # Opening a device can already have an effect; a pipe or a device put here now is noticed below.
        _require_regular(os.stat(name, dir_fd=at, follow_symlinks=False), file)
        descriptor = os.open(name, _READ, dir_fd=at)
    finally:
        os.close(at)
    try:
        _require_regular(os.fstat(descriptor), file)
    except ForbiddenFileError:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(status: os.stat_result, file: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ForbiddenFileError(f"{file}: is not a regular file")
