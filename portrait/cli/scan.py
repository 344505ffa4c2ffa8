"""``portrait scan``: every row of a data set, one row out for each."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portrait.answers.judge import DEFAULT_EVALUE
from portrait.bundle.reader import is_bundle
from portrait.cli.shared.options import column_option, format_option, names_of
from portrait.cli.shared.progress import progress
from portrait.cli.shared.show import count, size
from portrait.engines.pool import available
from portrait.errors import OutputError, SpecError, printable
from portrait.portraits import portrait as portraits
from portrait.scanning.scan import scan_rows

if TYPE_CHECKING:
    from portrait.scanning.scan import ScanSummary


@click.command("scan")
@click.argument("arguments", nargs=-1, required=True, metavar="PORTRAIT... DATA...")
@click.option(
    "-o", "--out", metavar="OUT", help="A .jsonl or .parquet file; without it JSON lines on stdout."
)
@column_option
@click.option("--keep", multiple=True, metavar="NAME,...", help="Columns to carry along, such as ids.")
@format_option
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
@click.option("--matches/--no-matches", default=True, show_default=True, help="List where the matches stand.")
@click.option("--workers", type=int, metavar="N", help="Processes that ask.  [default: one a CPU]")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists.")
@click.option(
    "--restart", is_flag=True, help="Begin anew, whatever a scan into OUT that was stopped has done."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
def command(
    arguments: tuple[str, ...],
    out: str | None,
    columns: list[str],
    keep: tuple[str, ...],
    format_: Any,
    evalue: float,
    stride: int | None,
    matches: bool,
    workers: int | None,
    overwrite: bool,
    restart: bool,
    quiet: bool,
) -> None:
    """Ask every row of a data set: one row out for each, in the same order.

    A PORTRAIT is a portrait's directory or a .bf file; everything else is DATA, as for portrait
    build: .txt, .jsonl, .csv, also .gz, .zst, .parquet, .arrow, directories and quoted globs of them, or -.
    OUT appears when it is whole; after a scan that was stopped, the same command goes on with it.

    \b
    portrait scan corpus.portrait test.jsonl --column question,answer --keep id -o found.jsonl
    """
    paths, data = _split(arguments)
    foreign = [path for path in paths if path.endswith(".bf")]
    # As for a query: a bundle keeps its own stride beside foreign filters.
    opened = [
        portraits.open(path, stride=stride if path in foreign or not foreign else None) for path in paths
    ]
    begin = time.perf_counter()
    done = scan_rows(
        opened,
        data,
        _stdout() if out is None else out,
        columns=columns,
        keep=names_of(keep),
        evalue=evalue,
        format=format_,
        matches=matches,
        workers=available() if workers is None else workers,
        overwrite=overwrite,
        restart=restart,
        progress=progress("scanning", quiet=quiet),
    )
    if not quiet:
        click.echo(_summary(done, time.perf_counter() - begin), err=True)


def _split(arguments: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The portraits' paths, and the data's."""
    paths = [path for path in arguments if path.endswith(".bf") or is_bundle(Path(path))]
    data = [path for path in arguments if path not in paths]
    given = ", ".join(map(printable, arguments))
    if not paths:
        raise SpecError(f"no portrait among {given}: name a portrait's directory or a .bf file")
    if not data:
        raise SpecError(f"no data among {given}: name a file, a directory, a glob, or - for standard input")
    return paths, data


def _stdout() -> Any:
    if sys.stdout is None:
        raise OutputError("standard output: there is none: name a file with --out")
    return sys.stdout.buffer


def _summary(done: ScanSummary, seconds: float) -> str:
    speed = size(round((done.text_bytes - done.resumed_bytes) / seconds))
    before = f", {count(done.resumed_rows)} of them before" if done.resumed_rows else ""
    return (
        f"{count(done.rows)} row{'s' * (done.rows != 1)}{before}: {count(done.found)} found, "
        f"{count(done.not_found)} not found, {count(done.inconclusive)} inconclusive; "
        f"{size(done.text_bytes)} of text, {speed}/s"
    )
