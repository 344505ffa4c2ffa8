"""The command line as people run it: in a process of its own, on a pipe or on a terminal, or in this one."""

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

# Child processes import the installed package, even where they start in its source directory.
os.environ["PYTHONSAFEPATH"] = "1"

Argument = str | bytes | os.PathLike[str]

#: Variables that change what a program prints; tests set those they need.
UNWANTED = ("NO_COLOR", "FORCE_COLOR", "PORTRAIT_DEBUG", "PYTHONIOENCODING", "PYTHONUNBUFFERED")

#: Arguments that make a Python process this program.
PROGRAM = ("-m", "portrait")


class Done(NamedTuple):
    """What a process leaves: its exit code and what it printed."""

    code: int
    out: str
    err: str


def message_of(done: Done) -> str:
    """Return the message of a command that failed as all do."""
    assert (done.code, done.out) == (2, ""), done
    assert done.err.endswith("\n")
    line = done.err.removesuffix("\n")
    assert line.isprintable(), line
    assert line.startswith("portrait: error: ")
    assert "internal error" not in line
    return line.removeprefix("portrait: error: ")


class Cli:
    """``portrait``, run in a directory that does not hold its source."""

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
        """Start a process."""
        variables = {name: value for name, value in os.environ.items() if name not in UNWANTED}
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
    ) -> Done:
        """Run a process whose streams are pipes."""
        with self.start(*arguments, environment=environment, program=program) as process:
            out, err = process.communicate(stdin)
        return Done(process.returncode, out.decode(), err.decode())

    def here(self, *arguments: Argument) -> Done:
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
        return Done(code, *(screen.getvalue().decode() for screen in screens))

    def watched(
        self,
        stream: str,
        *arguments: Argument,
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = PROGRAM,
    ) -> Done:
        """Run a process whose ``stream``, stdout or stderr, is a terminal of 24 lines by 80 columns."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, stream: theirs}
        with os.fdopen(ours, "rb", buffering=0) as screen:
            try:
                process = self.start(*arguments, environment=environment, program=program, **streams)
            finally:
                os.close(theirs)
            shown = b""
            with process:
                with suppress(OSError):  # how Linux reports that the other end is closed
                    while data := screen.read(1 << 16):
                        shown += data
                out, err = process.communicate()
        text = shown.decode().replace("\r\n", "\n")
        return Done(
            process.returncode,
            text if out is None else out.decode(),
            text if err is None else err.decode(),
        )

    def refused(self, *arguments: Argument, stdin: bytes = b"") -> str:
        """Return the message of a command that fails as all do: exit 2, one line on stderr, no stdout."""
        return message_of(self(*arguments, stdin=stdin))

    def refused_here(self, *arguments: Argument) -> str:
        """Return the same of a command run in this process, which takes a fiftieth of the time."""
        return message_of(self.here(*arguments))

    def interrupted(self, *arguments: Argument) -> Done:
        """Press Ctrl-C while a process reads standard input."""
        with caught_sigint(), self.start(*arguments) as process:
            assert process.stdin is not None
            # More than a pipe holds: once all of it is written, some of it has been read.
            process.stdin.write(b"no end in sight\n" * (1 << 16))
            process.stdin.flush()
            # Python handles a signal between two reads only after the second. So give it time to block
            # again, and do what people do when nothing happens: press again.
            for _ in range(5):
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                    break
            else:
                process.kill()
            out, err = process.communicate()
        return Done(process.returncode, out.decode(), err.decode())

    def printing_to(
        self, stdout: IO[bytes], *arguments: Argument, environment: Mapping[str, str] | None = None
    ) -> Done:
        """Run a process whose stdout is a file."""
        with stdout, self.start(*arguments, stdout=stdout, environment=environment) as process:
            _, err = process.communicate()
        return Done(process.returncode, "", err.decode())

    def unheard(self, *arguments: Argument, environment: Mapping[str, str] | None = None) -> Done:
        """Run a process whose stdout is a pipe that nobody reads."""
        ours, theirs = os.pipe()
        os.close(ours)
        return self.printing_to(os.fdopen(theirs, "wb"), *arguments, environment=environment)

    def out_of_space(self, *arguments: Argument) -> Done:
        """Run a process whose stdout is on a full disk."""
        return self.printing_to(Path("/dev/full").open("wb"), *arguments)


@contextmanager
def caught_sigint() -> Iterator[None]:
    """Have children start with SIGINT's default action, even where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command line in the test's own directory."""
    return Cli(tmp_path)
