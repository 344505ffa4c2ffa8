"""The command line as people run it: a process of its own, on a pipe or on a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager, suppress
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Child processes import the installed package, even where they start in its source directory.
os.environ["PYTHONSAFEPATH"] = "1"

Argument = str | bytes | os.PathLike[str]

#: What would change how a program speaks, and is none of the tests' own doing.
UNWANTED = ("NO_COLOR", "FORCE_COLOR", "PORTRAIT_DEBUG", "PYTHONIOENCODING", "PYTHONUNBUFFERED")

#: What a process needs to be this program.
PROGRAM = ("-m", "portrait")


class Done(NamedTuple):
    """What a process left: its exit code and what it printed."""

    code: int
    out: str
    err: str


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
        """The running process."""
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
        """What comes of it when nobody watches: all streams are pipes."""
        with self.start(*arguments, environment=environment, program=program) as process:
            out, err = process.communicate(stdin)
        return Done(process.returncode, out.decode(), err.decode())

    def watched(
        self,
        stream: str,
        *arguments: Argument,
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = PROGRAM,
    ) -> Done:
        """What comes of it when ``stream``, stdout or stderr, is a terminal, whose screen is 24 by 80."""
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
                with suppress(OSError):  # how Linux says that nobody writes any more
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
        """The message of a command that fails as all do: exit 2, one line on stderr, nothing on stdout."""
        done = self(*arguments, stdin=stdin)
        assert (done.code, done.out) == (2, ""), done
        assert done.err.endswith("\n")
        line = done.err.removesuffix("\n")
        assert line.isprintable(), line
        assert line.startswith("portrait: error: ")
        assert "internal error" not in line
        return line.removeprefix("portrait: error: ")

    def interrupted(self, *arguments: Argument) -> Done:
        """What comes of Ctrl-C while standard input is being read."""
        with caught_sigint(), self.start(*arguments) as process:
            assert process.stdin is not None
            # More than a pipe holds: when all is written, some of it has been read.
            process.stdin.write(b"no end in sight\n" * (1 << 16))
            process.stdin.flush()
            # A signal that comes between two reads is heard only after the second. So give it time to
            # wait for more, and do as people do where nothing happens: press again.
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
        """What comes of it when stdout is this file."""
        with stdout, self.start(*arguments, stdout=stdout, environment=environment) as process:
            _, err = process.communicate()
        return Done(process.returncode, "", err.decode())

    def unheard(self, *arguments: Argument, environment: Mapping[str, str] | None = None) -> Done:
        """What comes of it when the reader of stdout is gone before the first word."""
        ours, theirs = os.pipe()
        os.close(ours)
        return self.printing_to(os.fdopen(theirs, "wb"), *arguments, environment=environment)

    def out_of_space(self, *arguments: Argument) -> Done:
        """What comes of it when stdout is a file on a full disk."""
        return self.printing_to(Path("/dev/full").open("wb"), *arguments)


@contextmanager
def caught_sigint() -> Iterator[None]:
    """Children start with SIGINT's default action, even where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The command line, run in the test's own directory."""
    return Cli(tmp_path)
