"""``portrait verify``."""

from __future__ import annotations

import json

import click

import portrait
from portrait.cli.shared.progress import progress
from portrait.cli.shared.show import json_option, size


@click.command("verify")
@click.argument("path", metavar="PORTRAIT")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code is the answer.")
@json_option
def command(path: str, quiet: bool, as_json: bool) -> None:
    """Check that every byte of a portrait is what its manifest says.

    Exits 0 if it is whole; 2, naming the first file that is wrong, if it is not.

    \b
    portrait verify corpus.portrait
    """
    found = portrait.verify(path, progress=progress("reading", quiet=quiet or as_json))
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    elif not quiet:
        click.echo(f"{found.path}: whole: {found.files} files, {size(found.bytes)}")
        click.echo(f"id {found.id}")
        for name in found.unexpected:
            click.echo(f"portrait: note: {name!r} is no part of the portrait", err=True)
