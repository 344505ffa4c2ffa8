"""Errors of the file system, raised as the library's own errors, which name the output."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from portrait.errors import OutputError, PortraitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def writing(path: Path, what: str = "", *, advice: str = "", parameter: str | None = None) -> Iterator[None]:
    """Turn the errors of writing into an :class:`OutputError`; errors of ours pass unchanged.

    Args:
        path: The output that the message names.
        what: The part of it that is being written, such as ``layer 'main'``.
        advice: What the reader of the message can do.
        parameter: The library's parameter whose change would help.

    Raises:
        OutputError: The block raised :class:`OSError` or :class:`ValueError`; the latter is what an
            impossible name raises, or a writer for content that its format cannot hold.
    """
    try:
        yield
    except PortraitError:
        raise
    except (OSError, ValueError) as error:
        message = f"{path}: cannot write{f' {what}' if what else ''}: {reason(error)}"
        raise OutputError(f"{message}: {advice}" if advice else message, parameter=parameter) from error


def reason(error: Exception) -> str:
    """Return in one line what an error of the file system or of a file's format says."""
    if isinstance(error, OSError) and error.errno == errno.EFAULT:
        # The bytes to write are those of a mapped file, and the system could not read them.
        return "a file that is copied was cut short meanwhile, or its disk or server failed"
    said = getattr(error, "strerror", None) or str(error)
    return (said.splitlines() or [type(error).__name__])[0]
