"""``portrait build``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.cli.shared.execution import execution_options, reading_options, saying_what_is_kept
from portrait.cli.shared.options import column_option, format_option
from portrait.cli.shared.progress import progress_options
from portrait.cli.shared.show import count, json_option, size
from portrait.cli.shared.sizes import max_shard_size_option
from portrait.cli.shared.specs import spec_options
from portrait.corpus.provenance import skipped_rows
from portrait.errors import printable

if TYPE_CHECKING:
    from portrait.engines.execution import Execution
    from portrait.portraits.portrait import Portrait
    from portrait.progress import Progress
    from portrait.spec import FilterSpec, WindowSpec


@click.command("build")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "--out", required=True, metavar="OUT", help="The portrait to write: a directory.")
@column_option
@format_option
@reading_options
@spec_options
@click.option(
    "--license", "license_", metavar="TEXT", help="The portrait's licence, for its manifest and card."
)
@click.option(
    "--trained-model",
    "models",
    multiple=True,
    metavar="NAME",
    help="A model trained on this corpus; repeatable.",
)
@max_shard_size_option
@execution_options
@click.option(
    "--task",
    "share",
    metavar="I/N",
    callback=lambda _context, _parameter, text: None if text is None else _share(text),
    help="Only read the I-th of N shares of the corpus, for --finish; N such tasks may run anywhere that "
    "sees the same files, in any order.",
)
@click.option("--finish", is_flag=True, help="Only make the portrait of what all --task have read.")
@click.option("--overwrite", is_flag=True, help="Replace a portrait that stands at OUT.")
@progress_options
@json_option
def command(
    sources: tuple[str, ...],
    out: str,
    columns: list[str],
    format_: Any,
    source_column: str | None,
    on_error: Any,
    windows: WindowSpec,
    filter_: FilterSpec,
    license_: str | None,
    models: tuple[str, ...],
    max_shard_bytes: int,
    execution: Execution,
    share: tuple[int, int] | None,
    finish: bool,
    overwrite: bool,
    quiet: bool,
    progress: Progress | None,
    as_json: bool,
) -> None:
    """Build the portrait of a corpus.

    SOURCE is a file (.txt: one document; .jsonl, .parquet, .arrow, .feather, .csv, .tsv: one a row;
    text also as .gz, .zst, .bz2, .xz), a directory or quoted glob of them, a URL of
    any of these (https://, s3://, zip://*.jsonl::dump.zip, ...), or - for standard input.
    NAME=SOURCE puts it into a layer of its own, so that answers can name it. A file of another suffix
    is one document of plain text. hf://datasets/ORG/NAME?config=...&split=...&column=... is a dataset
    on the Hugging Face hub.

    \b
    portrait build books/ web=crawl/*.jsonl.zst -o corpus.portrait
    portrait build train.parquet -o train.portrait --preset gpt3

    A build that was stopped, even killed, is gone on with by the same command.
    """
    if share is not None and finish:
        raise click.UsageError("--task and --finish are different commands")
    begin = time.perf_counter()
    request: dict[str, Any] = {
        "windows": windows,
        "filter": filter_,
        "column": columns,
        "source_column": source_column,
        "format": format_,
        "on_error": on_error,
        "execution": execution,
        "progress": progress,
    }
    if share is not None:
        with saying_what_is_kept(execution, out):
            portrait.read_share(list(sources), out, share, **request)
        return
    with saying_what_is_kept(execution, out):
        built = portrait.build(
            list(sources),
            out,
            max_shard_bytes=max_shard_bytes,
            overwrite=overwrite,
            license=license_,
            trained_models=models,
            finish=finish,
            **request,
        )
    if as_json:
        click.echo(json.dumps(_record(built)))
    elif not quiet:
        click.echo(_summary(built))
        seconds = time.perf_counter() - begin
        text_bytes = _record(built)["text_bytes"]
        click.echo(f"built in {seconds:.1f} s, {size(round(text_bytes / seconds))}/s", err=True)
    if not quiet and (left_out := _left_out(built)):
        click.echo(left_out, err=True)


def _share(text: str) -> tuple[int, int]:
    number, slash, of = text.partition("/")
    if not slash or not number.isdecimal() or not of.isdecimal():
        raise click.BadParameter(f"{text!r} is no share, such as 3/16")
    return int(number), int(of)


def _record(built: Portrait) -> dict[str, Any]:
    layers = built.manifest.layers
    return {
        "path": str(built.path),
        "id": built.manifest.id,
        "sources": list(built.sources),
        "documents": sum(layer.documents or 0 for layer in layers),
        "windows": sum(layer.windows or 0 for layer in layers),
        "text_bytes": sum(layer.text_bytes or 0 for layer in layers),
        "bytes": sum(shard.bytes for layer in layers for shard in layer.shards),
        "skipped": dict(zip(("rows", "files"), skipped_rows(built.manifest.corpus), strict=True)),
    }


def _left_out(built: Portrait) -> str:
    """What the manifest says was skipped, in a line; nothing where nothing was."""
    n_rows, n_files = skipped_rows(built.manifest.corpus)
    parts = [f"{count(n_rows)} row{'s' * (n_rows != 1)}"] * (n_rows > 0)
    parts += [f"the rest of {count(n_files)} file{'s' * (n_files != 1)}"] * (n_files > 0)
    return f"left out: {' and '.join(parts)}; portrait.json says where" if parts else ""


def _summary(built: Portrait) -> str:
    record = _record(built)
    n_sources = len(record["sources"])
    share = record["bytes"] / record["text_bytes"]
    return (
        f"{printable(str(built.path))}: "
        f"{count(record['documents'])} document{'s' * (record['documents'] != 1)} "
        f"of {n_sources} source{'s' * (n_sources != 1)}, {size(record['text_bytes'])} of text "
        f"in {size(record['bytes'])} ({share:.1%})"
    )
