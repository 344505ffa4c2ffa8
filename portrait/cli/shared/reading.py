"""Options that say what to read of a corpus: columns, formats, and what to do about bad rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portrait.building.reader import ON_ERROR
from portrait.cli.shared.sizes import parse_size
from portrait.corpus.columns import DEFAULT_COLUMN, DEFAULT_MAX_DOCUMENT_BYTES
from portrait.corpus.shards import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from portrait.cli.shared.options import Decorator


def names_of(values: Iterable[str]) -> list[str]:
    """Return the names in the values of a repeatable option, each of which may list several with commas."""
    return [name.strip() for value in values for name in value.split(",")]


def column_option(*names: str, default: Iterable[str] = (DEFAULT_COLUMN,)) -> Decorator:
    """Return the option that names the columns of the text; the command gets a list, ``columns``.

    Args:
        names: Further spellings of ``--column``.
        default: The columns without the option.
    """
    return click.option(
        "--column",
        *names,
        "columns",
        multiple=True,
        default=list(default),
        metavar="NAME,...",
        callback=lambda _context, _parameter, values: names_of(values),
        help=f"The column of the text, or several that make it, a line each.  [default: {DEFAULT_COLUMN}]",
    )


format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="auto",
    show_default=True,
    help="What the files are; auto: by their suffix, and any other suffix is plain text.",
)


def short_documents_option(default: bool | None = False) -> Decorator:
    """Return the option that records documents shorter than a window.

    Args:
        default: What holds without the option; ``None``: as in the portrait's first layer.
    """
    return click.option(
        "--short-documents/--no-short-documents",
        default=default,
        help="Whether documents shorter than a window are recorded, each by a key of its whole text, which "
        f"confirms every right guess.  [default: {'as in the first layer' if default is None else 'no'}]",
    )


max_document_option = click.option(
    "--max-document",
    "max_document_bytes",
    default=f"{DEFAULT_MAX_DOCUMENT_BYTES // 10**9}GB",
    show_default=True,
    metavar="SIZE",
    callback=lambda _context, _parameter, text: parse_size(text),
    help="The largest document in bytes of text; a larger one cannot be read.",
)


def corpus_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of what a row is, and of what happens to bad ones."""
    options = (
        column_option(),
        format_option,
        click.option(
            "--source-column",
            metavar="NAME",
            help="The column that names each row's source, for a layer each; also a path, as meta.set.",
        ),
        click.option(
            "--on-error",
            type=click.Choice(ON_ERROR),
            default="fail",
            show_default=True,
            help="Whether rows and files that cannot be read end the build, or are left out and counted.",
        ),
        max_document_option,
    )
    for option in reversed(options):
        command = option(command)
    return command
