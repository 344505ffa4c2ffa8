"""``portrait info``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from portrait.cli.shared.show import count, json_option, listed, size, table
from portrait.errors import printable
from portrait.portraits import portrait as portraits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.portraits.portrait import Portrait
    from portrait.spec import WindowSpec


@click.command("info")
@click.argument("path", metavar="PORTRAIT")
@click.option("--stride", type=int, help="As for query.")
@json_option
def command(path: str, stride: int | None, as_json: bool) -> None:
    """Say what a portrait is: how it cuts text, and what its layers hold.

    \b
    portrait info corpus.portrait
    """
    opened = portraits.open(path, stride=stride)
    if as_json:
        click.echo(json.dumps(opened.facts))
        return
    for line in _bundle(opened) if opened.is_bundle else _dump(opened):
        click.echo(line)


def _windows(spec: WindowSpec) -> dict[str, str]:
    return {
        "windows": f"{spec.width} {spec.unit_name}, every {spec.stride}, after normaliser {spec.normalizer}",
        "guarantee": f"every verbatim passage of {spec.guaranteed_length} {spec.unit_name} or more is a hit",
    }


def _dump(opened: Portrait) -> Iterator[str]:
    """A filter of the original library: what its header says, link by link."""
    known = opened.facts
    yield from listed(
        {
            "portrait": opened.name,
            "format": f"{known['format']}, a filter of the original Data Portraits library",
            **_windows(opened.spec),
            "entries": count(known["entries"]),
            "rate": f"{known['fpr']:.3%}",
        }
    )
    yield ""
    rows = [("link", "hash", "bits", "hashes", "entries", "capacity", "fill", "rate", "size")]
    rows += [
        (
            str(i),
            known["hash"]["name"],
            count(link["bits"]),
            count(link["hashes"]),
            count(link["entries"]),
            count(link["capacity"]),
            f"{link['fill']:.1%}",
            f"{link['fpr']:.3%}",
            size(link["bits"] // 8),
        )
        for i, link in enumerate(known["links"], 1)
    ]
    yield from table(rows)


def _bundle(opened: Portrait) -> Iterator[str]:
    manifest = opened.manifest
    facts = {
        "portrait": opened.name,
        "id": manifest.id,
        **_windows(opened.spec),
        "licence": manifest.license or "not stated",
        "trained": ", ".join(manifest.trained_models) or "no model named",
        "built by": manifest.tool,
    }
    yield from listed(facts)
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
    yield from table(rows)
