"""``portrait key``."""

from __future__ import annotations

import click

from portrait.extras import load


@click.command("key")
@click.argument("name")
@click.option(
    "--portrait",
    "portraits",
    multiple=True,
    metavar="NAME",
    help="A portrait that it may ask; repeatable.  [default: all]",
)
@click.option("--rate", metavar="N/TIME", help="Texts that it may ask, such as 600/minute.")
def command(name: str, portraits: tuple[str, ...], rate: str | None) -> None:
    """Make an API key for portrait serve.

    Standard error gets the key, once; standard output gets its line for the file of keys, which holds
    only a hash.

    \b
    portrait key alice --portrait corpus --rate 600/minute >> keys.toml
    """
    secret, key = load("portrait_server.access.keys", "server").new_key(name, portraits or None, rate)
    click.echo(key.to_line())
    click.echo(f"portrait: the key, which will not be shown again: {secret}", err=True)
