"""``portrait key``."""

from __future__ import annotations

import click

from portrait.extras import load


@click.command("key")
@click.argument("name")
@click.option("--portrait", "portraits", multiple=True, metavar="NAME", help="Shows this one; otherwise all.")
@click.option("--rate", metavar="N/TIME", help="Texts that it may ask, as 600/minute.")
def command(name: str, portraits: tuple[str, ...], rate: str | None) -> None:
    """Make an API key for portrait serve.

    The key goes to standard error, once; its line for the file of keys, which holds only a hash, to
    standard output.

    \b
    portrait key alice --portrait corpus --rate 600/minute >> keys.toml
    """
    secret, key = load("portrait_server.access.keys", "server").new_key(name, portraits or None, rate)
    click.echo(key.to_line())
    click.echo(f"portrait: the key, which is not shown again: {secret}", err=True)
