"""``portrait verify``."""

from __future__ import annotations

import json

import click

import portrait
from portrait.cli.shared.options import json_option, silent_option
from portrait.cli.shared.progress import progress
from portrait.cli.shared.sizes import size
from portrait.errors import printable
from portrait.markup.numbers import counted


@click.command("verify")
@click.argument("path", metavar="PORTRAIT")
@silent_option
@json_option
def command(path: str, quiet: bool, as_json: bool) -> None:
    """Check every byte of a portrait against its manifest.

    Exits 0 if it is intact, and otherwise 2, naming the first damaged file.

    \b
    portrait verify corpus.portrait
    """
    verified = portrait.verify(path, progress=progress("reading", quiet=quiet or as_json))
    if as_json:
        click.echo(json.dumps(verified.to_dict(), ensure_ascii=False))
    elif not quiet:
        click.echo(
            f"{printable(verified.path)}: intact: {counted(verified.files, 'file')}, {size(verified.bytes)}"
        )
        click.echo(f"id {verified.id}")
        for name in verified.unexpected:
            click.echo(f"portrait: note: {name!r} is not part of the portrait", err=True)
