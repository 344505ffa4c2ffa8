"""Failures of files and file systems, as one-line errors that name the file."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator


class RemoteError(OSError):
    """A failure of a client, as an :class:`OSError` of one line, which decoders pass on."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.EIO, message)

    def __str__(self) -> str:
        return str(self.strerror)


def reason(error: OSError) -> str:
    """Return what the system says is wrong, in one line."""
    return error.strerror or (str(error).splitlines() or ["unknown error"])[0]


def unreadable(path: object, error: OSError) -> UnreadableFileError:
    """Return the error for a file that cannot be opened or looked up."""
    return UnreadableFileError(f"{path}: {reason(error)}")


@contextmanager
def naming(url: str) -> Iterator[None]:
    """Turn whatever a client raises into an :class:`UnreadableFileError` that names ``url``."""
    try:
        yield
    except Exception as error:
        raise UnreadableFileError(f"{url}: {describe(error)}") from error


@contextmanager
def as_os_error() -> Iterator[None]:
    """Turn whatever a client raises into a :class:`RemoteError`."""
    try:
        yield
    except Exception as error:
        raise RemoteError(describe(error)) from error


def describe(error: BaseException) -> str:
    """Return what is wrong, in one line."""
    # Clients hide the cause behind a file that is not found.
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    status = getattr(error, "status", None)
    if isinstance(status, int) and status:
        return f"the server answers {status} {getattr(error, 'message', '')}".rstrip()
    if isinstance(error, FileNotFoundError):
        return "no such file or directory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
