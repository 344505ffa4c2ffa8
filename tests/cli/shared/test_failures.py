"""How failing commands end: the message and the exit code of each kind of error."""

from __future__ import annotations

import click
import pytest

from portrait.cli.shared.failures import fail
from portrait.errors import SpecError

REPORT = "please report this; PORTRAIT_DEBUG=1 shows where"


def library_error(cause: Exception) -> click.ClickException:
    """Return an error of the library as the command group raises it."""
    error = click.ClickException(f"{cause} (--width)")
    error.__cause__ = cause
    return error


def interrupt(message: str) -> click.Abort:
    """Return the exception that click raises in place of an interrupt."""
    error = click.Abort()
    error.__cause__ = KeyboardInterrupt(message)
    return error


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (library_error(SpecError("too wide")), 2, "too wide (--width)"),
        (click.UsageError("No such thing."), 2, "No such thing"),
        (click.UsageError("Did you mean\nthis?"), 2, "Did you mean this?"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (interrupt("run it again"), 130, "interrupted: run it again"),
        (MemoryError(), 2, "not enough memory"),
        (MemoryError("malloc of size 8 failed"), 2, "not enough memory"),
        (MemoryError("not enough memory to map a"), 2, "not enough memory to map a"),
        (
            ZeroDivisionError("division\n by zero"),
            2,
            f"internal error: ZeroDivisionError: division by zero: {REPORT}",
        ),
        (
            AssertionError(),
            2,
            f"internal error: AssertionError: no message: {REPORT}",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_prints_one_line_and_has_an_exit_code(
    error: BaseException,
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PORTRAIT_DEBUG", raising=False)
    assert fail(error) == code
    assert capsys.readouterr() == ("", f"portrait: error: {message}\n")


def test_an_internal_error_shows_its_traceback_on_demand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTRAIT_DEBUG", "1")
    assert fail(ZeroDivisionError("by zero")) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "ZeroDivisionError: by zero"
    assert lines[-1].startswith("portrait: error: internal error: ")


def test_a_usage_error_names_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    context = click.Context(click.Command("build"), info_name="portrait build")
    assert fail(click.UsageError("No such option '--x'.", context)) == 2
    assert capsys.readouterr().err == "portrait: error: No such option '--x': see portrait build --help\n"


def test_a_message_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    fail(click.ClickException("\x1b[2Jgone"))
    assert capsys.readouterr().err == "portrait: error: \\x1b[2Jgone\n"
