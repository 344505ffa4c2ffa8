"""Options that say how to write a portrait, and what is said of one that was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portrait.bundle.readme.card import CARD_NAME, read_card
from portrait.bundle.writer import DEFAULT_SHARD_BYTES
from portrait.cli.shared.sizes import parse_size
from portrait.errors import printable

if TYPE_CHECKING:
    from pathlib import Path

out_option = click.option(
    "-o", "--out", required=True, metavar="OUT", help="The portrait to write: a directory."
)
license_option = click.option(
    "--license", "license_", metavar="TEXT", help="The portrait's licence, for its manifest and card."
)
max_shard_size_option = click.option(
    "--max-shard-size",
    "max_shard_bytes",
    default=f"{DEFAULT_SHARD_BYTES // 10**9}GB",
    show_default=True,
    metavar="SIZE",
    callback=lambda _context, _parameter, text: parse_size(text),
    help="The largest file of a layer: 64MB, 5GB, ...",
)


def note_missing_card(path: Path) -> None:
    """Say on stderr that a portrait got no card, because its directory has a page of somebody else's."""
    if read_card(path) is None:
        page = printable(str(path / CARD_NAME))
        click.echo(f"portrait: note: {page} is not the portrait's card and stays: none was written", err=True)
