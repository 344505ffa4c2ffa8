"""``portrait report``: reports how much of an evaluation set the corpus holds."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portrait.answers.judge import DEFAULT_ROW_EVALUE
from portrait.answers.wording import by_chance, show_evalue
from portrait.cli.shared.opening import open_all
from portrait.cli.shared.options import (
    evalue_option,
    foreign_stride_option,
    map_option,
    overwrite_option,
    quiet_option,
)
from portrait.cli.shared.progress import progress
from portrait.cli.shared.reading import column_option, format_option, max_document_option
from portrait.cli.shared.tables import table
from portrait.errors import printable
from portrait.markup.numbers import count, counted, percent
from portrait.reports.dates import today
from portrait.reports.evaluation_sets import BENCHMARKS
from portrait.reports.publish import Files, publish
from portrait.reports.runner import DEFAULT_WORST, ReportOptions
from portrait.reports.wording import edited, headline, row_name, sure_lengths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.reports.report import Report

EXIT_TOO_MANY = 1
#: Rows of the summary: few enough to leave the totals on the screen.
_SHOWN = 10
_STDOUT = "-"
_PATH = click.Path(path_type=Path)


@click.command("report")
@click.argument("arguments", nargs=-1, required=True, metavar="PORTRAIT... DATA")
@column_option("--columns", default=())
@click.option(
    "--benchmark",
    type=click.Choice(list(BENCHMARKS)),
    help="In place of --column: the columns of this evaluation set, as published.",
)
@click.option(
    "--id",
    "id_column",
    metavar="NAME",
    help="The column that names a row.  [default: the first of task_id, id, ... there is]",
)
@format_option
@max_document_option
@evalue_option(DEFAULT_ROW_EVALUE)
@foreign_stride_option
@map_option
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
    help="Leave inconclusive rows out of --clean, so that they are in neither file.",
)
@click.option("--contaminated", metavar="FILE", type=_PATH, help="Write the rows that were found.")
@overwrite_option("a file")
@click.option(
    "--fail-over",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit 1 if more than this share of the rows is found: 0.01 is one row in a hundred.",
)
@click.option(
    "--date",
    metavar="TEXT",
    help="The date to print, or none.  [default: today, or SOURCE_DATE_EPOCH]",
)
@quiet_option
def command(
    arguments: tuple[str, ...],
    columns: list[str],
    benchmark: str | None,
    id_column: str | None,
    format_: Any,
    max_document_bytes: int,
    evalue: float,
    stride: int | None,
    map_: bool,
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
    for standard input: a row an example. Several columns are asked about as one text, a line each.

    Without --html and --json it prints a summary. Exits 0, or 1 if more than --fail-over is found,
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
    opened = open_all(paths, stride, map=map_)
    json_file = None if json_ in (None, _STDOUT) else Path(str(json_))
    files = Files(html, json_file, clean, contaminated, strict_clean, overwrite)
    options = ReportOptions(
        columns=columns or None,
        benchmark=benchmark,
        id_column=id_column,
        format=format_,
        max_document_bytes=max_document_bytes,
        evalue=evalue,
        worst=worst,
        date=(today() if date is None else None if date == "none" else date),
        command=shlex.join(["portrait", *sys.argv[1:]]),
    )
    report = publish(opened, data, options, files, progress("reading", quiet=quiet))
    if json_ == _STDOUT:
        click.echo(json.dumps(report.to_dict()))
    elif html is None and json_ is None and not quiet:
        for line in summary(report):
            click.echo(line)
    share = report.contaminated.share or 0.0
    return EXIT_TOO_MANY if fail_over is not None and share > fail_over else 0


def summary(report: Report) -> Iterator[str]:
    """Yield the lines that tell a person what was found."""
    totals = report.findings.totals
    yield headline(report.contaminated)
    if not totals.rows:
        return
    yield by_chance(report.evalue, totals.expected_by_chance)
    yield edited(totals.edited, [one.spec for one in report.portraits])
    yield ""
    shares = {"found": totals.found, "not found": totals.not_found, "inconclusive": totals.inconclusive}
    rows = [("verdict", "rows", "share", "95% interval")]
    for name, share in shares.items():
        low, high = share.interval
        rows.append(
            (name, count(share.count), percent(share.share or 0), f"{percent(low)} to {percent(high)}")
        )
    yield from table(rows, 1)
    if len(report.portraits) > 1:
        yield ""
        yield from table(
            [
                ("portrait", "found", "not found", "inconclusive", "copies sure to be found"),
                *_portraits(report),
            ]
        )
    if not report.findings.worst:
        return
    yield ""
    yield from table([("source", "rows found"), *_sources(report)], 1)
    yield ""
    shown = report.findings.worst[:_SHOWN]
    yield f"The worst {counted(len(shown), 'row')}:" if len(shown) > 1 else "The worst row:"
    yield ""
    columns = ("row", "place", "coverage", "longest (characters)", "E-value")
    yield from table([columns, *_worst(report)])


def _portraits(report: Report) -> Iterator[tuple[str, ...]]:
    for one in report.findings.portraits:
        verdicts = (one.found, one.not_found, one.inconclusive)
        yield printable(one.portrait), *(count(share.count) for share in verdicts), sure_lengths(one)


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
