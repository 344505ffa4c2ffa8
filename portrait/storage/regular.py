"""Regular files, opened without waiting: a FIFO or a device in a file's place is an error at once."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

#: What else may be in a file's place, by the test that recognises its mode.
_OTHERS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, or the one that a symbolic link leads to, to read.

    Raises:
        OSError: The file is missing, cannot be opened, or is not a regular file.
    """
    regular_status(path)  # opening a device may do something to it
    # The file may have been replaced since: opening a FIFO must not wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(descriptor), path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def regular_status(path: Path) -> os.stat_result:
    """Return the status of a regular file, or of the one that a symbolic link leads to.

    Raises:
        OSError: The file is missing, or is not a regular file.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise FileNotFoundError(
                errno.ENOENT, f"is a link to {path.readlink()}, which is missing", str(path)
            ) from None
        raise
    _require_regular(status, path)
    return status


def read_regular(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file that has no more than ``max_bytes``.

    Raises:
        OSError: The file cannot be read, is not a regular file, or is larger.
    """
    with open_regular(path) as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if n_bytes > max_bytes:
            raise OSError(errno.EFBIG, f"has more than {max_bytes:,} bytes", str(path))
        return file.read(n_bytes)


def _require_regular(status: os.stat_result, path: Path) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    what = next((name for is_one, name in _OTHERS if is_one(status.st_mode)), "something else")
    raise OSError(errno.EINVAL, f"is {what}, not a regular file", str(path))
