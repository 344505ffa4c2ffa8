"""Comparing two portraits: in what they differ, and how many of their keys they share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from portrait.bundle import reader as bundles
from portrait.bundle.sketches import read_sketch
from portrait.filters import bloom
from portrait.hub.local import local_path
from portrait.operations.comparison import (
    Comparison,
    Difference,
    LayerOverlap,
    PortraitSize,
    Presence,
    SourceComparison,
)
from portrait.operations.overlap import SketchedLayer, layer_overlap, layer_overlaps, overlap
from portrait.sizing import SKETCH_KEYS

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from portrait.bundle.manifest import Layer, Manifest
    from portrait.bundle.reader import Bundle
    from portrait.operations.estimates import KeyOverlap

#: What a layer's record says of its content and of its filter.
_LAYER_FIELDS = (
    "filter",
    "fpr_target",
    "document_keys",
    "documents",
    "short_documents",
    "windows",
    "distinct_keys",
    "text_bytes",
)
#: What decides the answers of a layer, as in a portrait's id.
_ID_FIELDS = ("document_keys", "filter", "fpr", "tensors")


def compare(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> Comparison:
    """Compare two portraits: their specs, their sources, and by their sketches their keys.

    Only manifests and sketches are read, in time independent of the filters' size.

    Args:
        a: The first portrait's directory, or its address on a hub.
        b: The second one's.

    Returns:
        The comparison. docs/answers.md says how overlaps are estimated.

    Raises:
        NotAPortraitError: There is no portrait at one of the paths.
        UnsupportedBundleError: A portrait is of a newer format, or has parts that are not known here.
        DamagedBundleError: A manifest or a sketch contradicts the format or itself.
    """
    first, second = (bundles.read(local_path(path)) for path in (a, b))
    windows = _differing(_windows(first.manifest), _windows(second.manifest))
    reason = _windows_reason(windows) or _sketch_reason((("A", first), ("B", second)))
    layers_a, layers_b = ([] if windows else _sketched(bundle) for bundle in (first, second))
    whole = None
    if reason is None:
        whole = overlap([layer for _, layer in layers_a], [layer for _, layer in layers_b])
    return Comparison(
        a=_size(first),
        b=_size(second),
        same_id=first.manifest.id == second.manifest.id,
        differences=(*windows, *_differing(_about(first.manifest), _about(second.manifest))),
        sources=tuple(_sources(first.manifest, second.manifest)),
        overlap=whole,
        reason=reason,
        layers=tuple(_pairs(layers_a, layers_b)),
    )


def _size(bundle: Bundle) -> PortraitSize:
    layers = bundle.manifest.layers
    documents = [layer.documents for layer in layers if layer.documents is not None]
    text_bytes = [layer.text_bytes for layer in layers if layer.text_bytes is not None]
    return PortraitSize(
        path=str(bundle.path),
        name=bundle.name,
        id=bundle.manifest.id,
        layers=len(layers),
        documents=sum(documents) if len(documents) == len(layers) else None,
        text_bytes=sum(text_bytes) if len(text_bytes) == len(layers) else None,
        distinct_keys=sum(layer.distinct_keys for layer in layers),
        bytes=sum(shard.bytes for layer in layers for shard in layer.shards),
    )


def _windows(manifest: Manifest) -> dict[str, Any]:
    """Return what decides which keys a text has."""
    return {**manifest.windows.to_dict(), "normalizer": manifest.windows.normalizer}


def _about(manifest: Manifest) -> dict[str, Any]:
    return {
        "unicode": manifest.unicode_version,
        "license": manifest.license,
        "trained_models": sorted(manifest.trained_models),
    }


def _differing(a: dict[str, Any], b: dict[str, Any]) -> tuple[Difference, ...]:
    names = dict.fromkeys((*a, *b))
    return tuple(Difference(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name))


def _windows_reason(differences: Sequence[Difference]) -> str | None:
    if not differences:
        return None
    fields = ", ".join(one.field for one in differences)
    return f"A and B cut texts into other windows ({fields}): their keys cannot be compared"


def _sketch_reason(portraits: Sequence[tuple[str, Bundle]]) -> str | None:
    for name, bundle in portraits:
        for layer in bundle.manifest.layers:
            if layer.sketch is None:
                return (
                    f"layer {layer.source!r} of {name} has no sketch: its filter does not hold keys of this "
                    "format"
                )
    return None


def _sketched(bundle: Bundle) -> list[tuple[str, SketchedLayer]]:
    """Return the source and the known keys of each layer that has a sketch."""
    return [
        (layer.source, SketchedLayer(read_sketch(bundle, layer.sketch), layer.distinct_keys, _error(layer)))
        for layer in bundle.manifest.layers
        if layer.sketch is not None
    ]


def _error(layer: Layer) -> float:
    """Return the standard error of a layer's number of keys: large numbers are estimates in Bloom filters."""
    if layer.filter.get("kind") != bloom.KIND or layer.distinct_keys < SKETCH_KEYS:
        return 0.0
    return layer.distinct_keys / math.sqrt(SKETCH_KEYS - 2)


def _sources(a: Manifest, b: Manifest) -> list[SourceComparison]:
    layers_a, layers_b = ({layer.source: layer for layer in manifest.layers} for manifest in (a, b))
    compared = []
    for source in sorted(layers_a.keys() | layers_b.keys()):
        first, second = layers_a.get(source), layers_b.get(source)
        presence: Presence = "added" if first is None else "dropped"
        differences: tuple[Difference, ...] = ()
        if first is not None and second is not None:
            same = _fields(first, _ID_FIELDS) == _fields(second, _ID_FIELDS)
            presence = "identical" if same and a.windows == b.windows else "changed"
            differences = _differing(_fields(first, _LAYER_FIELDS), _fields(second, _LAYER_FIELDS))
        compared.append(SourceComparison(source, presence, differences))
    return compared


def _fields(layer: Layer, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in names}


def _pairs(
    a: Sequence[tuple[str, SketchedLayer]], b: Sequence[tuple[str, SketchedLayer]]
) -> list[LayerOverlap]:
    """Return the overlap of each pair of layers of one source, or with shared keys in their samples."""
    pairs = {
        (a[i][0], b[j][0]): found
        for i, j, found in layer_overlaps([layer for _, layer in a], [layer for _, layer in b])
    }
    others = dict(b)
    for source, layer in a:
        if source in others:
            pairs.setdefault((source, source), layer_overlap(layer, others[source]))
    listed = [LayerOverlap(*names, found) for names, found in pairs.items()]
    return sorted(listed, key=lambda pair: (-_largest_share(pair.overlap), pair.a, pair.b))


def _largest_share(found: KeyOverlap) -> float:
    return max(found.a_in_b.value or 0.0, found.b_in_a.value or 0.0)
