"""``portrait add``, ``portrait drop`` and ``portrait merge``: layers in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.cli.shared.execution import execution_options, resumable
from portrait.cli.shared.options import overwrite_option, quiet_option
from portrait.cli.shared.progress import progress_options
from portrait.cli.shared.reading import corpus_options, short_documents_option
from portrait.cli.shared.sizes import stored_bytes
from portrait.cli.shared.writing import max_shard_size_option, note_missing_card, out_option
from portrait.errors import printable
from portrait.markup.numbers import counted, size

if TYPE_CHECKING:
    from portrait.engines.execution import Execution
    from portrait.portraits.portrait import Portrait
    from portrait.progress import Progress


@click.command("add")
@click.argument("path", metavar="PORTRAIT")
@click.argument("sources", nargs=-1, required=True, metavar="NAME=SOURCE...")
@corpus_options
@short_documents_option(default=None)
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
    short_documents: bool | None,
    max_document_bytes: int,
    max_shard_bytes: int,
    execution: Execution,
    quiet: bool,
    progress: Progress | None,
) -> None:
    """Add a layer for each SOURCE to a portrait; its other layers stay as they are.

    The new layers take the portrait's windows and filters.

    \b
    portrait add corpus.portrait recipes=recipes/*.jsonl
    """
    with resumable(execution, path):
        written = portrait.add(
            path,
            list(sources),
            column=columns,
            format=format_,
            source_column=source_column,
            on_error=on_error,
            short_documents=short_documents,
            max_document_bytes=max_document_bytes,
            max_shard_bytes=max_shard_bytes,
            execution=execution,
            progress=progress,
        )
    _summary(written, quiet=quiet)


@click.command("drop")
@click.argument("path", metavar="PORTRAIT")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@quiet_option
def drop(path: str, names: tuple[str, ...], quiet: bool) -> None:
    """Remove the layers of some sources from a portrait.

    \b
    portrait drop corpus.portrait recipes
    """
    _summary(portrait.drop(path, names), quiet=quiet)


@click.command("merge")
@click.argument("paths", nargs=-1, required=True, metavar="PORTRAIT...")
@out_option
@overwrite_option()
@quiet_option
def merge(paths: tuple[str, ...], out: str, overwrite: bool, quiet: bool) -> None:
    """Merge portraits that cut text alike into one with the layers of all.

    \b
    portrait merge papers.portrait crawl.portrait -o corpus.portrait
    """
    _summary(portrait.merge(paths, out, overwrite=overwrite), quiet=quiet)


def _summary(written: Portrait, *, quiet: bool) -> None:
    if quiet:
        return
    layers = written.manifest.layers
    names = ", ".join(printable(layer.source) for layer in layers)
    click.echo(
        f"{printable(str(written.path))}: {counted(len(layers), 'layer')} ({names}), "
        f"{size(stored_bytes(written.manifest))}"
    )
    note_missing_card(written.path)
