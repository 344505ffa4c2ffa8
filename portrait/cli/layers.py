"""``portrait add``, ``drop`` and ``merge``: layers in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.cli.shared.execution import execution_options, reading_options, saying_what_is_kept
from portrait.cli.shared.options import column_option, format_option
from portrait.cli.shared.progress import progress_options
from portrait.cli.shared.show import count, size
from portrait.cli.shared.sizes import max_shard_size_option
from portrait.errors import printable

if TYPE_CHECKING:
    from portrait.engines.execution import Execution
    from portrait.portraits.portrait import Portrait
    from portrait.progress import Progress

_quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")


@click.command("add")
@click.argument("path", metavar="PORTRAIT")
@click.argument("sources", nargs=-1, required=True, metavar="NAME=SOURCE...")
@column_option
@format_option
@reading_options
@max_shard_size_option
@execution_options
@progress_options
def add(
    path: str,
    sources: tuple[str, ...],
    columns: list[str],
    format_: Any,
    source_column: str | None,
    on_error: Any,
    max_shard_bytes: int,
    execution: Execution,
    quiet: bool,
    progress: Progress | None,
) -> None:
    """Add a layer for each SOURCE to a portrait, whose other layers stay as they are.

    Texts are cut, and filters made, as those it has.

    \b
    portrait add corpus.portrait recipes=recipes/*.jsonl
    """
    with saying_what_is_kept(execution, path):
        made = portrait.add(
            path,
            list(sources),
            column=columns,
            format=format_,
            source_column=source_column,
            on_error=on_error,
            max_shard_bytes=max_shard_bytes,
            execution=execution,
            progress=progress,
        )
    _summary(made, quiet=quiet)


@click.command("drop")
@click.argument("path", metavar="PORTRAIT")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_quiet_option
def drop(path: str, names: tuple[str, ...], quiet: bool) -> None:
    """Take the layers of some sources out of a portrait.

    \b
    portrait drop corpus.portrait recipes
    """
    _summary(portrait.drop(path, names), quiet=quiet)


@click.command("merge")
@click.argument("paths", nargs=-1, required=True, metavar="PORTRAIT...")
@click.option("-o", "--out", required=True, metavar="OUT", help="The portrait to write: a directory.")
@click.option("--overwrite", is_flag=True, help="Replace a portrait that stands at OUT.")
@_quiet_option
def merge(paths: tuple[str, ...], out: str, overwrite: bool, quiet: bool) -> None:
    """Unite portraits that cut texts alike in one with the layers of all.

    \b
    portrait merge papers.portrait crawl.portrait -o corpus.portrait
    """
    _summary(portrait.merge(paths, out, overwrite=overwrite), quiet=quiet)


def _summary(made: Portrait, *, quiet: bool) -> None:
    if quiet:
        return
    layers = made.manifest.layers
    names = ", ".join(printable(layer.source) for layer in layers)
    n_bytes = sum(shard.bytes for layer in layers for shard in layer.shards)
    click.echo(
        f"{printable(str(made.path))}: {count(len(layers))} layer{'s' * (len(layers) != 1)} "
        f"({names}), {size(n_bytes)}"
    )
