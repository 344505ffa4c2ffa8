"""How a command ends that fails: one line on stderr, and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TextIO

import click

from portrait.errors import PortraitError, printable

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

#: What the message of an error of ours begins with; others say nothing that would help.
_NO_MEMORY = "not enough memory"

#: Environment variable that adds a traceback to internal errors.
DEBUG = "PORTRAIT_DEBUG"


class ReaderGoneError(Exception):
    """A closed stdout: whatever read it has stopped."""


def fail(error: BaseException) -> int:
    """Print what went wrong, and return the exit code.

    Args:
        error: What ended the command.
    """
    if isinstance(error, KeyboardInterrupt | click.Abort):
        # click replaces an interrupt by its own and chains the one that may carry a message.
        message = (error.__cause__ or error).args
        return _print(": ".join(["interrupted", *map(str, message)]), EXIT_INTERRUPTED)
    if isinstance(error, BrokenPipeError | ReaderGoneError):
        return _silence(sys.stdout, EXIT_BROKEN_PIPE)
    if isinstance(error, click.ClickException):
        return _print(*_refusal(error))
    if isinstance(error, OSError):
        # The library wraps its own; one without a file comes from the stream of the results.
        where = "standard output" if error.filename is None else str(error.filename)
        return _silence(sys.stdout, _print(f"{where}: {error.strerror or error}", EXIT_ERROR))
    if isinstance(error, MemoryError):
        what = str(error)
        return _print(what if what.startswith(_NO_MEMORY) else _NO_MEMORY, EXIT_ERROR)
    # A defect: still one line, and never the exit code of "not found".
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    what = " ".join(str(error).split()) or "no message"
    return _print(
        f"internal error: {type(error).__name__}: {what}: please report this; {DEBUG}=1 shows where",
        EXIT_ERROR,
    )


def _refusal(error: click.ClickException) -> tuple[str, int]:
    """Return the message and the exit code of an error of the library or of the command's usage."""
    if isinstance(error.__cause__, PortraitError):
        return error.message, error.__cause__.exit_code
    message = error.format_message().rstrip(".").replace("\n", " ")
    if isinstance(error, click.UsageError) and error.ctx is not None and not message.endswith("?"):
        message += f": see {error.ctx.command_path} --help"
    return message, EXIT_ERROR


def _print(message: str, code: int) -> int:
    try:
        click.echo(f"portrait: error: {printable(message)}", err=True)
    except OSError:  # an unread error is still an error
        _silence(sys.stderr, code)
    return code


def _silence(stream: TextIO | None, code: int) -> int:
    """Discard what the interpreter flushes to a stream at exit; return the exit code."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code
