"""The command line: parses, calls the library, prints.

Results go to stdout, everything else to stderr. Every error is one line and exits 2; a command's
own module is loaded when it is called, so that a query does not pay for a build.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from contextlib import suppress
from typing import Any, NoReturn, TextIO

import click

from portrait.cli.shared.hints import option_hint
from portrait.errors import PortraitError, printable
from portrait.version import __version__

#: Name of a command → the module that holds it, in the order of the help page.
COMMANDS = {
    "build": "portrait.cli.build",
    "plan": "portrait.cli.plan",
    "query": "portrait.cli.query",
    "scan": "portrait.cli.scan",
    "report": "portrait.cli.report",
    "info": "portrait.cli.info",
    "verify": "portrait.cli.verify",
    "add": "portrait.cli.layers",
    "drop": "portrait.cli.layers",
    "merge": "portrait.cli.layers",
    "convert": "portrait.cli.convert",
    "serve": "portrait.cli.serve",
    "key": "portrait.cli.key",
    "demo": "portrait.cli.demo",
}

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class _Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        # A module of several commands has each under its own name.
        loaded = importlib.import_module(module)
        command: click.Command = getattr(loaded, cmd_name, None) or loaded.command
        return command

    # The reader has seen enough: click would exit 1 for that, which here means "not found".

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **options)
        except BrokenPipeError as error:
            raise _ReaderGoneError from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGoneError from error
        except PortraitError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            raise click.ClickException(str(error) + option_hint(command, error.parameter)) from error


class _ReaderGoneError(Exception):
    """Nobody reads stdout any more."""


@click.group(cls=_Commands, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="portrait")
def cli() -> None:
    """Record what a corpus contains in a small file, and ask whether a text was in there."""


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets it spelled out.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(arguments, prog_name="portrait", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort) as interrupt:
        # Where click has put its own in its place, what was said about it is with the first.
        said = (interrupt.__cause__ or interrupt).args
        return _fail(": ".join(["interrupted", *map(str, said)]), EXIT_INTERRUPTED)
    except (BrokenPipeError, _ReaderGoneError):
        return _silence(EXIT_BROKEN_PIPE, sys.stdout)
    except click.ClickException as error:
        if isinstance(error.__cause__, PortraitError):
            return _fail(error.message, error.__cause__.exit_code)
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f": see {error.ctx.command_path} --help"
        message = error.format_message().rstrip(".").replace("\n", " ")
        return _fail(message if message.endswith("?") else message + hint, EXIT_ERROR)
    except OSError as error:
        # The library wraps its own; what names no file is the stream that results go to.
        where = "standard output" if error.filename is None else str(error.filename)
        return _silence(_fail(f"{where}: {error.strerror or error}", EXIT_ERROR), sys.stdout)
    except MemoryError:
        return _fail("not enough memory", EXIT_ERROR)
    except Exception as error:
        # Not ours: a defect, but still one line, and never the exit code of "not found".
        if os.environ.get("PORTRAIT_DEBUG"):
            traceback.print_exc()
        what = " ".join(str(error).split()) or "no message"
        return _fail(
            f"internal error: {type(error).__name__}: {what}: please report this; "
            "PORTRAIT_DEBUG=1 shows where",
            EXIT_ERROR,
        )
    return code if isinstance(code, int) else 0


def _silence(code: int, stream: TextIO | None) -> int:
    """Let what the interpreter flushes to ``stream`` at exit go nowhere; returns ``code``."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


def _fail(message: str, code: int) -> int:
    try:
        click.echo(f"portrait: error: {printable(message)}", err=True)
    except OSError:  # an error that nobody reads is an error still
        _silence(code, sys.stderr)
    return code


def main() -> NoReturn:
    """The console script."""
    # Arrow loads NumPy, whose linear algebra would start threads that have nothing to do here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = run()
    if "datasets" in sys.modules:
        # What reads a file of a hub for Arrow may still be a thread of Arrow's: one that lets go of the file
        # while the interpreter ends aborts the process, after all is done.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    sys.exit(code)
