"""Options that say how to write a portrait."""

from __future__ import annotations

import click

from portrait.bundle.writer import DEFAULT_SHARD_BYTES
from portrait.cli.shared.sizes import parse_size

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
