"""``portrait serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from portrait.extras import load


@click.command("serve")
@click.argument("portraits", nargs=-1, metavar="PORTRAIT...")
@click.option("--host", metavar="ADDRESS", help="Where to listen.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port; 0 picks a free one.  [default: 8000]")
@click.option("--workers", type=int, help="Processes that answer.  [default: 1]")
@click.option("--keys", metavar="FILE", help="API keys, as made by portrait key; without it anyone may ask.")
@click.option("--rate", metavar="N/TIME", help="Texts for each key or address, such as 600/minute.")
@click.option("--store", metavar="URL", help="redis://… or memcached://…, to count rates across workers.")
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="DIR",
    help="A directory that links in the portraits may lead to, besides their own.  [repeatable]",
)
@click.option("--config", metavar="FILE", help="Settings in TOML; options given here take precedence.")
@click.option(
    "--print-deploy",
    "example",
    metavar="NAME|DIR",
    help="Print an example of a deployment, or write all of them into a directory, and exit.",
)
def command(
    portraits: tuple[str, ...], config: str | None, roots: tuple[str, ...], example: str | None, **given: Any
) -> None:
    """Answer questions about portraits over HTTP.

    SIGHUP reopens portraits and keys, as does replacing a portrait on disk; SIGTERM lets requests
    under way end. docs/service.md has every endpoint and every setting.

    \b
    portrait serve corpus.portrait other.portrait --port 8000 --workers 4
    portrait serve hf://my-org/my-model
    portrait serve --print-deploy portrait.service
    """
    if example is not None:
        _print_example(example)
        return
    serve = load("portrait_server.serve", "server")
    values = load("portrait_server.settings", "server").read_settings(Path(config)) if config else {}
    if portraits:
        values["portraits"] = portraits
    if roots:
        values["roots"] = roots
    values.update({name: value for name, value in given.items() if value is not None})
    serve.run(values)


def _print_example(example: str) -> None:
    examples = load("portrait_server.examples", "server")
    if example in examples.names():
        click.echo(examples.read(example), nl=False)
        return
    for path in examples.write_all(Path(example)):
        click.echo(path)
