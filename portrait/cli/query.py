"""``portrait query``: like grep, it exits 0 when something is found, 1 when not, 2 on an error."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from portrait.answers.judge import DEFAULT_EVALUE
from portrait.cli.shared.show import answer, color_option, json_option, wants_color
from portrait.errors import TextError
from portrait.portraits import portrait as portraits

EXIT_FOUND = 0
EXIT_NOT_FOUND = 1


@click.command("query")
@click.argument("arguments", nargs=-1, required=True, metavar="PORTRAIT... [TEXT]")
@click.option("-f", "--file", metavar="FILE", help="Ask about this file's text; - is standard input.")
@click.option(
    "--evalue",
    type=float,
    default=DEFAULT_EVALUE,
    show_default=True,
    help="The threshold: a match as strong may turn up by chance so many times in such a text.",
)
@click.option(
    "--stride",
    type=int,
    help="Units between stored windows, for .bf files whose names do not say it (NAME.WIDTH-STRIDE.bf).",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code is the answer.")
@color_option
@json_option
def command(
    arguments: tuple[str, ...],
    file: str | None,
    evalue: float,
    stride: int | None,
    quiet: bool,
    color: str,
    as_json: bool,
) -> int:
    """Ask whether a text was in the corpus.

    The text is the last argument, or --file, or standard input. Exits 0 if something of it was
    found, 1 if nothing was or nothing can be said, 2 on an error.

    \b
    portrait query corpus.portrait "It was the best of times, it was the worst of times"
    """
    paths, text = _split(arguments, file)
    foreign = [path for path in paths if path.endswith(".bf")]
    # Beside a foreign filter a bundle keeps its own stride; alone it says why it takes no other.
    opened = [
        portraits.open(path, stride=stride if path in foreign or not foreign else None) for path in paths
    ]
    if text is None:
        text = _read("-" if file is None else file)
    found = portraits.query(opened, text, evalue=evalue)
    if as_json and not quiet:
        click.echo(json.dumps(found.to_dict()))
    elif not quiet:
        colored = wants_color(color)
        for line in answer(text, found, color=colored, n_portraits=len(opened)):
            click.echo(line, color=colored)
    return EXIT_FOUND if found.verdict == "found" else EXIT_NOT_FOUND


def _split(arguments: tuple[str, ...], file: str | None) -> tuple[list[str], str | None]:
    """The portraits' paths, and the text if it is among the arguments.

    The last of several arguments is the text, unless something of that name exists or the text
    comes from a file.
    """
    if file is not None or len(arguments) == 1:
        return list(arguments), None
    *paths, last = arguments
    try:
        exists = bool(last) and Path(last).exists()
    except (OSError, ValueError):  # too long for a name, or not a name at all: a text
        exists = False
    return (list(arguments), None) if exists else (paths, last)


def _read(file: str) -> str:
    label = "standard input" if file == "-" else file
    if not file:
        raise TextError("--file: the name is empty: name a file, or - for standard input")
    try:
        if file == "-" and sys.stdin is None:
            raise TextError(f"{label}: there is none: pass the text as an argument, or --file")
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise TextError(f"{label}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{label}: not UTF-8 at byte {error.start}: convert it first") from error
