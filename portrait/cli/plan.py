"""``portrait plan``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.cli.shared.execution import execution_options
from portrait.cli.shared.options import json_option
from portrait.cli.shared.reading import corpus_options, short_documents_option
from portrait.cli.shared.sizes import parse_size
from portrait.cli.shared.specs import spec_options
from portrait.cli.shared.tables import listed, table
from portrait.errors import printable
from portrait.markup.numbers import count, counted, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.engines.execution import Execution
    from portrait.planning.plan import Plan
    from portrait.planning.ratio import Range
    from portrait.spec import FilterSpec, WindowSpec


@click.command("plan")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "-o",
    "--out",
    default="corpus.portrait",
    metavar="OUT",
    help="Where the build will write; plan checks its disk.  [default: here]",
)
@corpus_options
@spec_options
@short_documents_option()
@execution_options
@click.option(
    "--sample",
    "sample_text_bytes",
    default="32MB",
    show_default=True,
    metavar="SIZE",
    callback=lambda _context, _parameter, text: parse_size(text),
    help="How much text to read, for a few seconds at most.",
)
@json_option
def command(
    sources: tuple[str, ...],
    out: str,
    columns: list[str],
    format_: Any,
    source_column: str | None,
    on_error: Any,
    max_document_bytes: int,
    windows: WindowSpec,
    filter_: FilterSpec,
    short_documents: bool,
    execution: Execution,
    sample_text_bytes: int,
    as_json: bool,
) -> None:
    """Estimate what a build will take and give.

    SOURCE and options are as for portrait build. This reads the files' sizes and a sample of their
    text, and writes nothing.

    \b
    portrait plan books/ web='crawl/*.jsonl.zst' --filter ribbon
    """
    planned = portrait.plan(
        list(sources),
        out=out,
        windows=windows,
        filter=filter_,
        column=columns,
        source_column=source_column,
        format=format_,
        on_error=on_error,
        short_documents=short_documents,
        max_document_bytes=max_document_bytes,
        execution=execution,
        sample_text_bytes=sample_text_bytes,
    )
    if as_json:
        click.echo(json.dumps(planned.to_dict()))
        return
    for line in _lines(planned):
        click.echo(line)


def _lines(planned: Plan) -> Iterator[str]:
    """Yield a table of the sources, the facts about the build, and warnings."""
    rows = [("source", "documents", "text", "windows", "distinct keys")]
    rows += [
        (
            printable(one.source),
            count(one.documents),
            _size(one.text_bytes, one.text_bytes_range),
            count(one.windows),
            _count(one.distinct_keys, one.distinct_keys_range),
        )
        for one in planned.sources
    ]
    if len(planned.sources) > 1:
        text = _size(planned.text_bytes, planned.text_bytes_range)
        keys = _count(planned.distinct_keys, planned.distinct_keys_range)
        rows.append(("all", count(planned.documents), text, count(planned.stored_windows), keys))
    yield from table(rows, 1)
    yield ""
    yield from listed(_facts(planned))
    for warning in planned.warnings:
        yield f"warning    {printable(warning)}"


def _facts(planned: Plan) -> dict[str, str]:
    spec = planned.windows
    chosen = planned.filter.kind
    others = [f"{kind} {size(n)}" for kind, n in planned.bundle_bytes.items() if kind != chosen]
    made = _size(planned.bundle_bytes[chosen], planned.bundle_bytes_ranges[chosen])
    sample = (
        "all of it"
        if planned.whole
        else f"{size(planned.sampled_text_bytes)} of text in {count(planned.sampled_shards)} of "
        f"{counted(planned.shards, 'file')}; in brackets, what it leaves open"
    )
    detectable = [
        f"{count(length)} in a text of {count(units)}" if length else f"none in a text of {count(units)}"
        for units, length in planned.detectable_units.items()
    ]
    ribbon = planned.bundle_bytes.get("ribbon")
    smaller = ribbon is not None and ribbon < planned.bundle_bytes[chosen]
    publishing = {"publishing": "--filter ribbon makes a smaller portrait"} if smaller else {}
    return {
        "sample": sample,
        "portrait": f"{made} as {chosen} ({', '.join(others)}), {counted(len(planned.sources), 'layer')}",
        **publishing,
        "rate": f"{planned.fpr:.3g} a window",
        "guarantee": f"every verbatim passage of {spec.length(planned.guaranteed_units, 'or more')} "
        "is a hit: no false negatives",
        "detectable": f"copies of {', '.join(detectable)} {spec.counting}",
        "keys": _way(planned),
        "memory": size(planned.memory_bytes),
        "time": f"{_duration(planned.seconds)} on this machine, "
        f"{planned.workers} process{'es' * (planned.workers != 1)}",
    }


def _size(n_bytes: int, between: Range) -> str:
    """Return a size, with its interval if it has one."""
    low, high = (size(value) for value in between)
    return size(n_bytes) if between.low == between.high else f"{size(n_bytes)} ({low} - {high})"


def _count(n: int, between: Range) -> str:
    """Return a number, with its interval if it has one."""
    low, high = (count(value) for value in between)
    return count(n) if between.low == between.high else f"{count(n)} ({low}-{high})"


def _way(planned: Plan) -> str:
    """Return where the build will keep its keys."""
    if planned.way == "memory":
        return "in memory"
    if planned.way == "two_pass":
        return "in memory; all text is read twice"
    return (
        f"{size(planned.work_dir_bytes)} in {printable(str(planned.work_dir))}, "
        f"read in {counted(planned.tasks, 'task')}"
    )


def _duration(seconds: float) -> str:
    """Return a duration, as precise as an estimate can be."""
    if seconds < 1:
        return "less than a second"
    if seconds < 100:
        return f"about {seconds:.0f} s"
    if seconds < 6000:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
