"""``portrait pull``."""

from __future__ import annotations

import json

import click

import portrait
from portrait.cli.shared.options import json_option, overwrite_option, quiet_option
from portrait.cli.shared.progress import hide_progress
from portrait.errors import printable


@click.command("pull")
@click.argument("address", metavar="ADDRESS")
@click.option(
    "-o", "--out", metavar="OUT", help="Write the portrait to a directory of its own, which can be added to."
)
@overwrite_option()
@quiet_option
@json_option
def command(address: str, out: str | None, overwrite: bool, quiet: bool, as_json: bool) -> None:
    """Download a published portrait, verify it, and print where it is.

    ADDRESS is hf://ORG/NAME[@REVISION][/PATH], or hf://datasets/ORG/NAME… for a dataset's repository.
    Without --out, the portrait stays in the hub's cache. Other commands take the address itself, too.

    \b
    portrait pull hf://my-org/my-model
    portrait pull hf://datasets/my-org/my-corpus-portrait@v1.0 -o corpus.portrait
    """
    hide_progress(quiet or as_json)
    path = portrait.pull(address, out, overwrite=overwrite)
    if as_json:
        click.echo(json.dumps({"address": address, "path": str(path)}, ensure_ascii=False))
    else:
        click.echo(printable(str(path)))
