"""Options that several commands have: one wording, one meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portrait.corpus.columns import DEFAULT_COLUMN
from portrait.corpus.shards import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def names_of(values: Iterable[str]) -> list[str]:
    """What was given in several options, or in one with commas."""
    return [name.strip() for value in values for name in value.split(",")]


def column_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names the columns of the text."""
    return click.option(
        "--column",
        "columns",
        multiple=True,
        default=[DEFAULT_COLUMN],
        metavar="NAME,...",
        callback=lambda _context, _parameter, values: names_of(values),
        help=f"The column of the text, or several that make it, a line each.  [default: {DEFAULT_COLUMN}]",
    )(command)


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says what files are."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        default="auto",
        show_default=True,
        help="What the files are; auto: by their suffix, and any other suffix is plain text.",
    )(command)
