"""The command line: parses, calls the library, prints.

Results go to stdout, everything else to stderr. Every error is one line and exits 2. A command's own
module is loaded when the command is called, so that a query does not pay for a build.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from portrait.cli.shared.failures import ReaderGoneError, fail
from portrait.cli.shared.hints import option_hint
from portrait.cli.shared.progress import hide_progress
from portrait.errors import PortraitError
from portrait.storage.mapping import explain_bus_errors
from portrait.version import __version__

#: The module of each command, in the order of the help page.
COMMANDS = {
    "build": "portrait.cli.build",
    "plan": "portrait.cli.plan",
    "query": "portrait.cli.query",
    "scan": "portrait.cli.scan",
    "report": "portrait.cli.report",
    "info": "portrait.cli.info",
    "verify": "portrait.cli.verify",
    "sign": "portrait.cli.sign",
    "compare": "portrait.cli.compare",
    "add": "portrait.cli.layers",
    "drop": "portrait.cli.layers",
    "merge": "portrait.cli.layers",
    "convert": "portrait.cli.convert",
    "card": "portrait.cli.card",
    "push": "portrait.cli.push",
    "pull": "portrait.cli.pull",
    "serve": "portrait.cli.serve",
    "key": "portrait.cli.key",
    "demo": "portrait.cli.demo",
}


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

    # On a broken pipe click exits 1, which here means "not found".

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **options)
        except BrokenPipeError as error:
            raise ReaderGoneError from error

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except PortraitError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            raise click.ClickException(str(error) + option_hint(command, error.parameter)) from error


@click.group(cls=_Commands, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="portrait")
def cli() -> None:
    """Record what a corpus contains in a small file, and ask whether a text was in there."""


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        arguments: The words after ``portrait``; those of this process by default.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Escape the characters that a terminal cannot show.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(arguments, prog_name="portrait", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        return fail(error)
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """Run the command line of this process, and exit."""
    # Arrow loads NumPy, whose linear algebra would start threads that have nothing to do here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.argv[1:2] != ["serve"]:  # the service watches its files itself
        explain_bus_errors("fetch the portrait again, or read it into memory first, which --no-map does")
    hide_progress()
    code = run()
    if "pyarrow" in sys.modules:
        # A thread of Arrow's that still reads a file while the interpreter ends aborts the process, after all
        # is done.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    sys.exit(code)
