"""``portrait report``: how much of an evaluation set the corpus of a portrait holds."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.answers.wording import show_evalue
from portrait.cli.shared.options import format_option
from portrait.cli.shared.progress import progress
from portrait.corpus.columns import DEFAULT_COLUMN
from portrait.errors import printable
from portrait.markup.numbers import count, counted, expected, percent
from portrait.reports.dates import today
from portrait.reports.evaluation_sets import BENCHMARKS
from portrait.reports.publish import Files, publish
from portrait.reports.runner import DEFAULT_EVALUE, DEFAULT_WORST, ReportOptions
from portrait.reports.wording import edited, headline, row_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.reports.report import Report

EXIT_TOO_MANY = 1
#: Rows of the summary: as many as leave the totals on the screen.
_SHOWN = 10
_STDOUT = "-"
_PATH = click.Path(path_type=Path)


@click.command("report")
@click.argument("arguments", nargs=-1, required=True, metavar="PORTRAIT... DATA")
@click.option(
    "--column",
    "--columns",
    "columns",
    multiple=True,
    metavar="NAME,...",
    help=f"The column of the text, or several that make it, a line each.  [default: {DEFAULT_COLUMN}]",
)
@click.option(
    "--benchmark",
    type=click.Choice(list(BENCHMARKS)),
    help="Instead of --columns: those of this evaluation set, as published.",
)
@click.option(
    "--id", "id_column", metavar="NAME", help="The column that names a row; else task_id, id, ... are tried."
)
@format_option
@click.option(
    "--evalue",
    type=float,
    default=DEFAULT_EVALUE,
    show_default=True,
    help="The threshold: a match as strong may turn up by chance so many times in each row.",
)
@click.option(
    "--stride",
    type=int,
    help="Units between stored windows, for .bf files whose names do not say it (NAME.WIDTH-STRIDE.bf).",
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=DEFAULT_WORST,
    show_default=True,
    help="How many rows to show with their texts.",
)
@click.option("--html", metavar="FILE", type=_PATH, help="Write the report as one HTML page.")
@click.option("--json", "json_", metavar="FILE", help="Write the report as JSON; - is standard output.")
@click.option(
    "--clean", metavar="FILE", type=_PATH, help="Write the rows that were not found, inconclusive ones too."
)
@click.option(
    "--strict-clean",
    is_flag=True,
    help="Leave inconclusive rows out of --clean; they are in neither file then.",
)
@click.option("--contaminated", metavar="FILE", type=_PATH, help="Write the rows that were found.")
@click.option("--overwrite", is_flag=True, help="Replace files that stand there.")
@click.option(
    "--fail-over",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit 1 if more than this share of the rows is found, such as 0.01.",
)
@click.option(
    "--date",
    metavar="TEXT",
    help="The date to state, or none.  [default: today, or that of SOURCE_DATE_EPOCH]",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
def command(
    arguments: tuple[str, ...],
    columns: tuple[str, ...],
    benchmark: str | None,
    id_column: str | None,
    format_: Any,
    evalue: float,
    stride: int | None,
    worst: int,
    html: Path | None,
    json_: str | None,
    clean: Path | None,
    strict_clean: bool,
    contaminated: Path | None,
    overwrite: bool,
    fail_over: float | None,
    date: str | None,
    quiet: bool,
) -> int:
    """Report how much of an evaluation set was in the corpus.

    DATA is a file (.jsonl, .jsonl.gz, .jsonl.zst, .parquet), a directory or quoted glob of them, or -
    for standard input: a row an example. Several columns are asked about as one text, one line after
    the other.

    Without --html and --json a summary is printed. Exits 0, or 1 if more than --fail-over is found,
    or 2 on an error.

    \b
    portrait report corpus.portrait test.jsonl --benchmark gsm8k --html report.html
    """
    if len(arguments) < 2:
        raise click.UsageError("name one or more portraits, and then the data")
    if columns and benchmark is not None:
        raise click.UsageError("--benchmark names the columns itself: give one or the other")
    if Path(_STDOUT) in (html, clean, contaminated):
        raise click.UsageError("only --json can go to standard output: name a file for the others")
    *paths, data = arguments
    foreign = [path for path in paths if path.endswith(".bf")]
    # Beside a foreign filter a bundle keeps its own stride; alone it says why it takes no other.
    opened = [
        portrait.open(path, stride=stride if path in foreign or not foreign else None) for path in paths
    ]
    json_file = None if json_ in (None, _STDOUT) else Path(str(json_))
    files = Files(html, json_file, clean, contaminated, strict_clean, overwrite)
    options = ReportOptions(
        columns=[name.strip() for names in columns for name in names.split(",")] or None,
        benchmark=benchmark,
        id_column=id_column,
        format=format_,
        evalue=evalue,
        worst=worst,
        date=(today() if date is None else None if date == "none" else date),
        command=shlex.join(["portrait", *sys.argv[1:]]),
    )
    found = publish(opened, data, options, files, progress("reading", quiet=quiet))
    if json_ == _STDOUT:
        click.echo(json.dumps(found.to_dict()))
    elif html is None and json_ is None and not quiet:
        for line in summary(found):
            click.echo(line)
    share = found.contaminated.share or 0.0
    return EXIT_TOO_MANY if fail_over is not None and share > fail_over else 0


def summary(report: Report) -> Iterator[str]:
    """The lines that tell a person what was found."""
    totals = report.findings.totals
    yield headline(report.contaminated)
    if not totals.rows:
        return
    yield f"Chance alone would have {expected(totals.expected_by_chance)} found, in expectation."
    yield edited(totals.edited)
    yield ""
    shares = {"found": totals.found, "not found": totals.not_found, "inconclusive": totals.inconclusive}
    rows = [("verdict", "rows", "share", "95% interval")]
    for name, share in shares.items():
        low, high = share.interval
        rows.append(
            (name, count(share.count), percent(share.share or 0), f"{percent(low)} to {percent(high)}")
        )
    yield from _table(rows)
    if not report.findings.worst:
        return
    yield ""
    yield from _table([("source", "rows found"), *_sources(report)])
    yield ""
    shown = report.findings.worst[:_SHOWN]
    yield f"The worst {counted(len(shown), 'row')}:" if len(shown) > 1 else "The worst row:"
    yield ""
    head = ("row", "place", "coverage", "longest", "E-value")
    yield from _table([head, *_worst(report)], names=2)


def _sources(report: Report) -> Iterator[tuple[str, ...]]:
    for one in report.findings.sources:
        where = one.source if len(report.portraits) == 1 else f"{one.portrait}:{one.source}"
        yield printable(where), count(one.found.count)


def _worst(report: Report) -> Iterator[tuple[str, ...]]:
    for row in report.findings.worst[:_SHOWN]:
        answer = row.answer
        yield (
            printable(row_name(row)),
            printable(row.place),
            percent(answer.coverage),
            count(answer.longest_match),
            "" if answer.evalue is None else show_evalue(answer.evalue),
        )


def _table(rows: Sequence[Sequence[str]], names: int = 1) -> Iterator[str]:
    """Columns side by side: so many of names to the left, then numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if i < names else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
