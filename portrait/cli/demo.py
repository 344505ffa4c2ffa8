"""``portrait demo``: a portrait of text that every machine has, and three questions."""

from __future__ import annotations

import os
import sysconfig
import tempfile
import textwrap
import time
from contextlib import nullcontext
from pathlib import Path

import click

import portrait
from portrait.cli.shared.options import color_option
from portrait.cli.shared.progress import progress
from portrait.cli.shared.show import answer_lines, wants_color
from portrait.cli.shared.sizes import stored_bytes
from portrait.errors import CorpusError, OutputExistsError, printable
from portrait.markup.numbers import counted, size

#: The file that the quoted passage comes from, and how the passage begins and ends.
_QUOTED_FILE = "heapq.py"
_QUOTED = ("Heaps are arrays for which", "a[0] is always its smallest element.")

_OURS = """\
The lighthouse keeper of Pellworth counted the herring boats every evening and wrote their
number on the wall in chalk, and in the forty years of his service the sum was wrong only
once, on the night when his own brother came home unannounced."""


@click.command("demo")
@click.option(
    "--keep",
    metavar="OUT",
    help="Keep the portrait at this path instead of discarding it.",
)
@color_option
def command(keep: str | None, color: str) -> None:
    """Build a portrait of Python's standard library and ask it three questions.

    This takes a few seconds, reads only what is installed already, and leaves nothing behind.
    """
    colored = wants_color(color)
    library = Path(sysconfig.get_path("stdlib"))
    if keep is not None and os.path.lexists(keep):
        raise OutputExistsError(f"{keep}: already exists: choose another name", parameter="keep")
    files = _library_files(library)
    quoted = _quotation(library / _QUOTED_FILE)
    click.echo(
        f"Building a portrait of Python's standard library: {counted(len(files), 'file')} of source code."
    )
    with tempfile.TemporaryDirectory(prefix="portrait-demo-") if keep is None else nullcontext() as scratch:
        out = Path(keep) if keep is not None else Path(str(scratch), "stdlib.portrait")
        begin = time.perf_counter()
        built = portrait.build({"python": files}, out, progress=progress("reading"))
        seconds = time.perf_counter() - begin
        layer = built.manifest.layers[0]
        n_bytes = stored_bytes(built.manifest)
        assert layer.text_bytes is not None  # every build counts it
        click.echo(
            f"{size(layer.text_bytes)} of text became {size(n_bytes)} "
            f"({n_bytes / layer.text_bytes:.1%}) in {seconds:.1f} s."
        )
        _ask(built, "A note that quotes the library:", quoted, colored)
        _ask(built, "A story that nobody has told before:", _OURS, colored)
        _ask(built, "A line too short to tell:", "for key, value in sorted(items):", colored)
    if keep is not None:
        click.echo(f'\nAsk it yourself: portrait query {printable(keep)} "some text"')


def _library_files(library: Path) -> list[Path]:
    """Return the library's own modules, without installed packages and tests.

    Raises:
        CorpusError: The library is not installed as source code.
    """
    excluded = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__", "lib2to3"}
    files = [
        path for path in library.rglob("*.py") if not excluded.intersection(path.relative_to(library).parts)
    ]
    if not files:
        raise CorpusError(f"{library}: Python's standard library is not installed as source code")
    return sorted(files)


def _quotation(path: Path) -> str:
    """Return a letter that quotes a paragraph of a module's documentation.

    Raises:
        CorpusError: The module is not readable, or has no such paragraph.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}") from error
    first, last = (text.find(mark) for mark in _QUOTED)
    if first < 0 or last < first:
        raise CorpusError(f"{path}: the paragraph that the demo quotes is not in this version of Python")
    passage = " ".join(text[first : last + len(_QUOTED[1])].split())
    return textwrap.fill(f"Dear Ada, I looked it up for you. {passage} I hope that settles the matter.", 90)


def _ask(built: portrait.Portrait, title: str, text: str, colored: bool) -> None:
    click.echo(f"\n{title}\n")
    answer = built.query(text)
    if not answer.matches:
        click.echo(textwrap.indent(text, "  ") + "\n")
    for line in answer_lines(text, answer, color=colored):
        click.echo(line, color=colored)
