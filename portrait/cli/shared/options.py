"""Options that several commands share: one wording, one meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

foreign_stride_option = click.option(
    "--stride",
    type=int,
    help="Units between stored windows, for .bf files whose names do not say it (NAME.WIDTH-STRIDE.bf).",
)
map_option = click.option(
    "--map/--no-map",
    "map_",
    default=True,
    show_default=True,
    help="Map the portrait's files, or read them into memory first: for network file systems, and for files "
    "that may change meanwhile.",
)
color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the output; auto: on a terminal, unless NO_COLOR is set.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
silent_option = click.option(
    "-q", "--quiet", is_flag=True, help="Print nothing; the exit code is the answer."
)


def evalue_option(default: float) -> Decorator:
    """Return the option of the threshold.

    Args:
        default: The threshold without the option; it is lower where many rows are asked.
    """
    return click.option(
        "--evalue",
        type=float,
        default=default,
        show_default=True,
        help="The threshold: how many matches as strong chance alone may show in one text or row.",
    )


def overwrite_option(what: str = "a portrait at OUT") -> Decorator:
    """Return the option that allows a command to replace its output.

    Args:
        what: The output, as the help names it.
    """
    return click.option("--overwrite", is_flag=True, help=f"Replace {what} that already exists.")
