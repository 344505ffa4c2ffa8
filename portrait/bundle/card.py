"""The card: the page for people who find a portrait beside a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.evidence import detectable_length, significant_chain

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer, Manifest

#: The card says what can be found in a text of so many units.
_EXAMPLE_UNITS = 2000
#: The hash that places a window in a filter, by the filter's kind.
_HASHES = {
    "bloom": "XXH3-64",
    "fuse": "XXH3-64",
    "pybloom": "the digests that pybloom-live takes",
    "redisbloom": "MurmurHash",
}


def card(manifest: Manifest, name: str) -> str:
    """Return the text of the bundle's README.md, in Markdown.

    Args:
        manifest: The bundle's manifest.
        name: The name of the bundle's directory.
    """
    spec = manifest.windows
    rows = "\n".join(_row(layer) for layer in manifest.layers)
    n_windows = max(1, _EXAMPLE_UNITS - spec.width + 1)
    worst = max(layer.fpr for layer in manifest.layers)
    chain = significant_chain(n_windows, len(manifest.layers), worst, 0.01)
    length = (
        "none" if chain is None else f"{detectable_length(spec.width, spec.stride, chain)} {spec.unit_name}"
    )
    kinds = {layer.filter["kind"] for layer in manifest.layers}
    hashes = " and ".join(_HASHES[kind] for kind in sorted(kinds))
    models = ", ".join(manifest.trained_models) or "none named"
    return f"""# {name}

A *data portrait*: it records which passages a corpus contains, without containing them. Whoever holds
this directory can ask whether a text was in the corpus, and in which of its sources.

| source | documents | text bytes | distinct keys | false-positive rate | bytes |
|---|---:|---:|---:|---:|---:|
{rows}

- Id: `{manifest.id}`
- Models trained on the corpus: {models}
- Licence: {manifest.license or "not stated"}
- Built by {manifest.tool}: windows of {spec.width} {spec.unit_name}, every {spec.stride}, normaliser
  `{spec.normalizer}`, hashed by {hashes}.

## How to ask

```
pip install data-portrait
portrait query {name} "a passage of the text in question"
```

## What it can say

- Every verbatim passage of {spec.guaranteed_length} {spec.unit_name} or more that appears in one document
  hits its source's layer: there are no false negatives.
- A hit can be chance. Answers state how many chains of hits of that length chance alone would produce (the
  E-value) and how long a copy must be to be told from chance: in a text of {_EXAMPLE_UNITS} {spec.unit_name},
  {length}.

## What it cannot say

- Nothing about paraphrases, translations, or passages shorter than that.
- Not which document a passage is in, nor how often; only in which source.
- Not whether a model was trained on the corpus, or remembers it.
- A passage that is found may have come into the corpus from elsewhere, by quotation or by common origin.
"""


def _row(layer: Layer) -> str:
    source = layer.source.replace("|", "\\|")
    n_bytes = sum(shard.bytes for shard in layer.shards)
    return (
        f"| {source} | {_number(layer.documents)} | {_number(layer.text_bytes)} | {layer.distinct_keys} "
        f"| {layer.fpr:.3g} | {n_bytes} |"
    )


def _number(n: int | None) -> str:
    return "unknown" if n is None else str(n)
