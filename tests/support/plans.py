"""What builds amount to, for plans to be compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import portrait

MB = 1_000_000


class Actual(NamedTuple):
    """What a build gave."""

    documents: int
    text_bytes: int
    windows: int
    distinct_keys: int
    bundle_bytes: int


def actual(built: portrait.Portrait, source: str | None = None) -> Actual:
    layers = [layer for layer in built.manifest.layers if source in (None, layer.source)]
    return Actual(
        sum(layer.documents or 0 for layer in layers),
        sum(layer.text_bytes or 0 for layer in layers),
        sum(layer.windows or 0 for layer in layers),
        sum(layer.distinct_keys for layer in layers),
        sum(shard.bytes for layer in layers for shard in layer.shards),
    )


CORPORA: dict[str, dict[str, list[str]]] = {
    "text files": {"main": ["txt"]},
    "JSON lines": {"main": ["all.jsonl"]},
    "gzip": {"main": ["gz"]},
    "Parquet": {"main": ["all.parquet"]},
    "several": {"a": ["gz/0.jsonl.gz", "third.parquet"], "b": ["txt"], "c": ["gz/1.jsonl.gz"]},
}
