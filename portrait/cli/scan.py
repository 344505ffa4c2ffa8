"""``portrait scan``: asks every row of a dataset, and writes a row for each."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portrait.answers.judge import DEFAULT_ROW_EVALUE
from portrait.answers.wording import by_chance
from portrait.bundle.reader import is_bundle
from portrait.cli.shared.opening import open_all
from portrait.cli.shared.options import (
    evalue_option,
    foreign_stride_option,
    map_option,
    overwrite_option,
    quiet_option,
)
from portrait.cli.shared.progress import progress
from portrait.cli.shared.reading import column_option, format_option, max_document_option, names_of
from portrait.engines.pool import available
from portrait.errors import OutputError, SpecError, printable
from portrait.filters.redisbloom_dump import SUFFIX
from portrait.hub.environment import SCHEME, is_address
from portrait.markup.numbers import count, counted, size
from portrait.scanning.scan import scan_rows

if TYPE_CHECKING:
    from portrait.scanning.scan import ScanSummary


@click.command("scan")
@click.argument("arguments", nargs=-1, required=True, metavar="PORTRAIT... DATA...")
@click.option(
    "-o", "--out", metavar="OUT", help="A .jsonl or .parquet file.  [default: JSON lines on stdout]"
)
@column_option()
@click.option(
    "--keep",
    multiple=True,
    metavar="NAME,...",
    callback=lambda _context, _parameter, values: names_of(values),
    help="Columns to copy into the output, such as ids.",
)
@format_option
@max_document_option
@evalue_option(DEFAULT_ROW_EVALUE)
@foreign_stride_option
@map_option
@click.option("--matches/--no-matches", default=True, show_default=True, help="List the place of each match.")
@click.option("--workers", type=int, metavar="N", help="Processes that ask.  [default: one a CPU]")
@overwrite_option("a file at OUT")
@click.option("--restart", is_flag=True, help="Discard an interrupted scan into OUT and start over.")
@quiet_option
def command(
    arguments: tuple[str, ...],
    out: str | None,
    columns: list[str],
    keep: list[str],
    format_: Any,
    max_document_bytes: int,
    evalue: float,
    stride: int | None,
    map_: bool,
    matches: bool,
    workers: int | None,
    overwrite: bool,
    restart: bool,
    quiet: bool,
) -> None:
    """Ask every row of a dataset: one row out for each, in the same order.

    A PORTRAIT is a portrait's directory, a .bf file, or the address of either on a hub (that of a
    dataset's repository has to come first); everything else is DATA, as for portrait
    build: .txt, .jsonl, .csv, also .gz, .zst, .parquet, .arrow, directories and quoted globs of them, or -.
    OUT appears when it is complete; re-running the same command resumes an interrupted scan.

    \b
    portrait scan corpus.portrait test.jsonl --column question,answer --keep id -o found.jsonl
    """
    paths, data = _split(arguments)
    opened = open_all(paths, stride, map=map_)
    begin = time.perf_counter()
    done = scan_rows(
        opened,
        data,
        _stdout() if out is None else out,
        columns=columns,
        keep=keep,
        evalue=evalue,
        format=format_,
        max_document_bytes=max_document_bytes,
        matches=matches,
        workers=available() if workers is None else workers,
        overwrite=overwrite,
        restart=restart,
        progress=progress("scanning", quiet=quiet),
    )
    if not quiet:
        click.echo(_summary(done, time.perf_counter() - begin), err=True)


def _split(arguments: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the paths of the portraits, and those of the data.

    Raises:
        SpecError: There are no portraits, or no data.
    """
    paths = [path for i, path in enumerate(arguments) if _is_portrait(path, first=i == 0)]
    data = [path for path in arguments if path not in paths]
    given = ", ".join(map(printable, arguments))
    if not paths:
        raise SpecError(f"no portrait among {given}: name a portrait's directory, a .bf file or an address")
    if not data:
        raise SpecError(f"no data among {given}: name a file, a directory, a glob, or - for standard input")
    return paths, data


def _is_portrait(argument: str, *, first: bool) -> bool:
    """Return whether an argument names a portrait. A dataset's address is data, unless it comes first."""
    if is_address(argument):
        return first or argument.endswith(SUFFIX) or not argument.startswith(f"{SCHEME}datasets/")
    return argument.endswith(SUFFIX) or is_bundle(Path(argument))


def _stdout() -> Any:
    if sys.stdout is None:
        raise OutputError("standard output: it is closed: name a file with --out")
    return sys.stdout.buffer


def _summary(done: ScanSummary, seconds: float) -> str:
    speed = size(round((done.text_bytes - done.resumed_bytes) / seconds))
    resumed = f", {count(done.resumed_rows)} of them before" if done.resumed_rows else ""
    return (
        f"{counted(done.rows, 'row')}{resumed}: {count(done.found)} found, "
        f"{count(done.not_found)} not found, {count(done.inconclusive)} inconclusive; "
        f"{size(done.text_bytes)} of text, {speed}/s\n"
        f"{by_chance(done.evalue, done.expected_by_chance)}"
    )
