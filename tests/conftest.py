"""The command line, run in its own process on pipes or a terminal, or in the process of the tests."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pytest
from support.page_fixtures import (  # noqa: F401  # fixtures of several modules
    browser,
    living_browser,
    page,
    plain_page,
    shelf,
    site,
)

from portrait.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Child processes import the installed package, even if they start in its source directory.
os.environ["PYTHONSAFEPATH"] = "1"
# The hub's library reads it when it is loaded: stand-ins for the hub serve plain HTTP only.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")

Argument = str | bytes | os.PathLike[str]

#: Variables that change what a program prints: removed from the environment unless a test sets them.
OUTPUT_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "PORTRAIT_DEBUG", "PYTHONIOENCODING", "PYTHONUNBUFFERED")

#: Arguments of Python that run the ``portrait`` command.
PROGRAM = ("-m", "portrait")


class CommandResult(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def message_of(done: CommandResult) -> str:
    """Return the error message of a failed command.

    Checks that it failed as every command does: exit code 2, no stdout, one line on stderr.
    """
    assert (done.code, done.out) == (2, ""), done
    assert done.err.endswith("\n")
    line = done.err.removesuffix("\n")
    assert line.isprintable(), line
    assert line.startswith("portrait: error: ")
    assert "internal error" not in line
    return line.removeprefix("portrait: error: ")


class Cli:
    """The ``portrait`` command, run in a directory that does not hold its source."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def start(
        self,
        *arguments: Argument,
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = PROGRAM,
        stdin: int | IO[bytes] = subprocess.PIPE,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start a process, and return it while it runs."""
        variables = {name: value for name, value in os.environ.items() if name not in OUTPUT_VARIABLES}
        variables |= {"LC_ALL": "C.UTF-8", "TERM": "xterm", **(environment or {})}
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=self.directory,
            env=variables,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )

    def __call__(
        self,
        *arguments: Argument,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = PROGRAM,
    ) -> CommandResult:
        """Run a process whose streams are pipes, with ``stdin`` as its input."""
        with self.start(*arguments, environment=environment, program=program) as process:
            out, err = process.communicate(stdin)
        return CommandResult(process.returncode, out.decode(), err.decode())

    def here(self, *arguments: Argument) -> CommandResult:
        """Run the command line in this process, with empty standard input."""
        screens = [io.BytesIO(), io.BytesIO()]
        out, err = (io.TextIOWrapper(screen, encoding="utf-8") for screen in screens)
        stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO())
        try:
            with chdir(self.directory), redirect_stdout(out), redirect_stderr(err):
                code = run([os.fsdecode(argument) for argument in arguments])
        finally:
            sys.stdin = stdin
        out.flush()
        err.flush()
        return CommandResult(code, *(screen.getvalue().decode() for screen in screens))

    def on_terminal(
        self,
        stream: str,
        *arguments: Argument,
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = PROGRAM,
    ) -> CommandResult:
        """Run a process with one stream, "stdout" or "stderr", on a terminal of 24 lines by 80 columns."""
        controller, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (24, 80))
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, stream: terminal}
        with os.fdopen(controller, "rb", buffering=0) as screen:
            try:
                process = self.start(*arguments, environment=environment, program=program, **streams)
            finally:
                os.close(terminal)
            output = b""
            with process:
                with suppress(OSError):  # how Linux reports that the other end is closed
                    while data := screen.read(1 << 16):
                        output += data
                out, err = process.communicate()
        text = output.decode().replace("\r\n", "\n")
        return CommandResult(
            process.returncode,
            text if out is None else out.decode(),
            text if err is None else err.decode(),
        )

    def refused(self, *arguments: Argument, stdin: bytes = b"") -> str:
        """Run a command that must fail with exit code 2, and return its error message."""
        return message_of(self(*arguments, stdin=stdin))

    def refused_here(self, *arguments: Argument) -> str:
        """Do the same as :meth:`refused` in this process, which takes a fiftieth of the time."""
        return message_of(self.here(*arguments))

    def interrupted(self, *arguments: Argument) -> CommandResult:
        """Run a process, and interrupt it with SIGINT while it reads standard input."""
        with caught_sigint(), self.start(*arguments) as process:
            assert process.stdin is not None
            # More than a pipe can hold: once all of it is written, the process has read some of it.
            process.stdin.write(b"no end in sight\n" * (1 << 16))
            process.stdin.flush()
            # Python handles a signal that arrives between two reads only after the second read. So give
            # the process time to block again, and repeat the signal if nothing happens.
            for _ in range(5):
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                    break
            else:
                process.kill()
            out, err = process.communicate()
        return CommandResult(process.returncode, out.decode(), err.decode())

    def printing_to(
        self, stdout: IO[bytes], *arguments: Argument, environment: Mapping[str, str] | None = None
    ) -> CommandResult:
        """Run a process whose stdout is an open file, which this method closes."""
        with stdout, self.start(*arguments, stdout=stdout, environment=environment) as process:
            _, err = process.communicate()
        return CommandResult(process.returncode, "", err.decode())

    def into_closed_pipe(
        self, *arguments: Argument, environment: Mapping[str, str] | None = None
    ) -> CommandResult:
        """Run a process whose stdout is a pipe with no reader."""
        reader, writer = os.pipe()
        os.close(reader)
        return self.printing_to(os.fdopen(writer, "wb"), *arguments, environment=environment)

    def onto_full_disk(self, *arguments: Argument) -> CommandResult:
        """Run a process whose stdout is on a full disk."""
        return self.printing_to(Path("/dev/full").open("wb"), *arguments)


@contextmanager
def caught_sigint() -> Iterator[None]:
    """Make child processes start with SIGINT's default action, even if the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command line, run in the test's own directory."""
    return Cli(tmp_path)
