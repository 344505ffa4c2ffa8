"""``portrait info``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from portrait.cli.shared.opening import open_all
from portrait.cli.shared.options import foreign_stride_option, json_option, map_option
from portrait.cli.shared.tables import listed, table
from portrait.errors import printable
from portrait.markup.numbers import count, counted, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from portrait.bundle.manifest import Layer
    from portrait.portraits.portrait import Portrait
    from portrait.spec import WindowSpec


@click.command("info")
@click.argument("path", metavar="PORTRAIT")
@foreign_stride_option
@map_option
@json_option
def command(path: str, stride: int | None, map_: bool, as_json: bool) -> None:
    """Describe a portrait: how it cuts text, and what its layers hold.

    \b
    portrait info corpus.portrait
    portrait info hf://my-org/my-model
    """
    (opened,) = open_all([path], stride, map=map_)
    if as_json:
        click.echo(json.dumps(opened.facts))
        return
    for line in _bundle(opened) if opened.is_bundle else _dump(opened):
        click.echo(line)


def _windows(spec: WindowSpec) -> dict[str, str]:
    facts = {
        "windows": f"{spec.cut}, after normaliser {spec.normalizer}",
        "guarantee": f"every verbatim passage of {spec.length(spec.guaranteed_length, 'or more')} is a hit",
    }
    if spec.joins_documents:
        facts["caution"] = (
            f"windows of one match may only touch: the {spec.sampling.gap_name} is no less than their width, "
            "so that a match may join passages of different documents"
        )
    return facts


def _or_unknown(show: Callable[[int], str], n: int | None) -> str:
    """Return a number as people read it; a foreign portrait may not know it."""
    return "unknown" if n is None else show(n)


def _sketch(layers: Sequence[Layer]) -> str:
    sketches = [layer.sketch for layer in layers if layer.sketch is not None]
    if not sketches:
        return "none: its keys cannot be compared with others"
    n_keys, n_bytes = (sum(getattr(one, name) for one in sketches) for name in ("n_keys", "bytes"))
    which = "" if len(sketches) == len(layers) else f" of {counted(len(sketches), 'layer')}"
    return f"{counted(n_keys, 'key')}{which}, {size(n_bytes)}, for comparing portraits"


def _dump(opened: Portrait) -> Iterator[str]:
    """Yield what the header of a filter of the original library says, link by link."""
    facts = opened.facts
    yield from listed(
        {
            "portrait": opened.name,
            "format": f"{facts['format']}, a filter of the original Data Portraits library",
            **_windows(opened.spec),
            "entries": count(facts["entries"]),
            "rate": f"{facts['fpr']:.3%}",
        }
    )
    yield ""
    rows = [("link", "hash", "bits", "hashes", "entries", "capacity", "fill", "rate", "size")]
    rows += [
        (
            str(i),
            facts["hash"]["name"],
            count(link["bits"]),
            count(link["hashes"]),
            count(link["entries"]),
            count(link["capacity"]),
            f"{link['fill']:.1%}",
            f"{link['fpr']:.3%}",
            size(link["bits"] // 8),
        )
        for i, link in enumerate(facts["links"], 1)
    ]
    yield from table(rows)


def _bundle(opened: Portrait) -> Iterator[str]:
    """Yield what the manifest of a bundle says, layer by layer."""
    manifest = opened.manifest
    facts = {
        "portrait": opened.name,
        "id": manifest.id,
        **_windows(opened.spec),
        "licence": manifest.license or "not stated",
        "trained": ", ".join(manifest.trained_models) or "no model named",
        "built by": manifest.tool,
        "sketch": _sketch(manifest.layers),
    }
    yield from listed(facts)
    yield ""
    rows = [("source", "filter", "documents", "text", "windows", "distinct keys", "rate", "size")]
    rows += [
        (
            printable(layer.source),
            str(layer.filter["kind"]),
            _or_unknown(count, layer.documents),
            _or_unknown(size, layer.text_bytes),
            _or_unknown(count, layer.windows),
            _or_unknown(count, layer.distinct_keys),
            f"{layer.fpr:.3%}",
            size(sum(shard.bytes for shard in layer.shards)),
        )
        for layer in manifest.layers
    ]
    yield from table(rows)
