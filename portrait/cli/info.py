"""``portrait info``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from portrait import portraits
from portrait.cli.show import count, json_option, size
from portrait.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.portraits import Portrait


@click.command("info")
@click.argument("path", metavar="PORTRAIT")
@json_option
def command(path: str, as_json: bool) -> None:
    """Say what a portrait is: how it cuts text, and what its layers hold.

    \b
    portrait info corpus.portrait
    """
    opened = portraits.open(path)
    if as_json:
        click.echo(json.dumps(opened.manifest.to_dict()))
        return
    for line in _lines(opened):
        click.echo(line)


def _lines(opened: Portrait) -> Iterator[str]:
    manifest, spec = opened.manifest, opened.spec
    facts = {
        "portrait": opened.name,
        "id": manifest.id,
        "windows": f"{spec.width} {spec.unit_name}, every {spec.stride}, after normaliser {spec.normalizer}",
        "guarantee": f"every verbatim passage of {spec.guaranteed_length} {spec.unit_name} or more is a hit",
        "licence": manifest.license or "not stated",
        "trained": ", ".join(manifest.trained_models) or "no model named",
        "built by": manifest.tool,
    }
    for name, value in facts.items():
        yield f"{name:<10} {printable(value)}"
    yield ""
    rows = [("source", "filter", "documents", "text", "windows", "distinct keys", "rate", "size")]
    rows += [
        (
            printable(layer.source),
            str(layer.filter["kind"]),
            count(layer.documents),
            size(layer.text_bytes),
            count(layer.windows),
            count(layer.distinct_keys),
            f"{layer.fpr:.3%}",
            size(sum(shard.bytes for shard in layer.shards)),
        )
        for layer in manifest.layers
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        # Names to the left, numbers to the right.
        cells = [
            cell.ljust(n) if i < 2 else cell.rjust(n)
            for i, (cell, n) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
