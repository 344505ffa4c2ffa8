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
@click.option("--config", metavar="FILE", help="Settings in TOML; options given here take precedence.")
def command(portraits: tuple[str, ...], config: str | None, **given: Any) -> None:
    """Answer questions about portraits over HTTP.

    SIGHUP reopens portraits and keys, as does replacing a portrait on disk; SIGTERM lets requests
    under way end. docs/service.md has every endpoint and every setting.

    \b
    portrait serve corpus.portrait other.portrait --port 8000 --workers 4
    """
    serve = load("portrait_server.serve", "server")
    values = load("portrait_server.settings", "server").read_settings(Path(config)) if config else {}
    if portraits:
        values["portraits"] = portraits
    values.update({name: value for name, value in given.items() if value is not None})
    serve.run(values)
