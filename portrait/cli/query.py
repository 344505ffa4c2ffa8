"""``portrait query``: like grep, exits 0 when something is found, 1 when nothing is, 2 on an error."""

from __future__ import annotations

import codecs
import json
import sys
from pathlib import Path

import click

from portrait.answers.judge import DEFAULT_EVALUE
from portrait.cli.shared.opening import open_all
from portrait.cli.shared.options import (
    color_option,
    evalue_option,
    foreign_stride_option,
    json_option,
    map_option,
    silent_option,
)
from portrait.cli.shared.show import answer_lines, wants_color
from portrait.errors import TextError
from portrait.hub.environment import is_address
from portrait.portraits import portrait as portraits

EXIT_FOUND = 0
EXIT_NOT_FOUND = 1


@click.command("query")
@click.argument("arguments", nargs=-1, required=True, metavar="PORTRAIT... [TEXT]")
@click.option("-f", "--file", metavar="FILE", help="Ask about this file's text; - is standard input.")
@evalue_option(DEFAULT_EVALUE)
@foreign_stride_option
@map_option
@silent_option
@color_option
@json_option
def command(
    arguments: tuple[str, ...],
    file: str | None,
    evalue: float,
    stride: int | None,
    map_: bool,
    quiet: bool,
    color: str,
    as_json: bool,
) -> int:
    """Ask whether a text was in the corpus.

    The text is the last argument, or --file, or standard input. Exits 0 if a passage of it is found,
    1 if none is or nothing can be said, 2 on an error.

    \b
    portrait query corpus.portrait "It was the best of times, it was the worst of times"
    portrait query hf://my-org/my-model "It was the best of times, it was the worst of times"
    """
    paths, text = _split(arguments, file)
    opened = open_all(paths, stride, map=map_)
    if text is None:
        text = _read("-" if file is None else file)
    answer = portraits.query(opened, text, evalue=evalue)
    if as_json and not quiet:
        click.echo(json.dumps(answer.to_dict()))
    elif not quiet:
        colored = wants_color(color)
        for line in answer_lines(text, answer, color=colored, n_portraits=len(opened)):
            click.echo(line, color=colored)
    return EXIT_FOUND if answer.verdict == "found" else EXIT_NOT_FOUND


def _split(arguments: tuple[str, ...], file: str | None) -> tuple[list[str], str | None]:
    """Return the portraits' paths, and the text if it is among the arguments.

    The last of several arguments is the text, unless it is an address, a file of that name exists, or the
    text comes from one.
    """
    if file is not None or len(arguments) == 1:
        return list(arguments), None
    *paths, last = arguments
    try:
        exists = bool(last) and (is_address(last) or Path(last).exists())
    except (OSError, ValueError):  # too long for a name, or not a name at all: a text
        exists = False
    return (list(arguments), None) if exists else (paths, last)


def _read(file: str) -> str:
    """Return the text of a file, or of standard input.

    Raises:
        TextError: It cannot be read, or is not UTF-8.
    """
    label = "standard input" if file == "-" else file
    if not file:
        raise TextError("--file: the name is empty: name a file, or - for standard input")
    try:
        if file == "-" and sys.stdin is None:
            raise TextError(f"{label}: it is closed: pass the text as an argument, or --file")
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        # The codec that leaves out the mark is written in Python, and rewords an interrupt.
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except OSError as error:
        raise TextError(f"{label}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{label}: not UTF-8 at byte {error.start}: convert it first") from error
