"""How the keys of layers overlap, by the sketches of the layers.

All keys below a threshold are compared: the smallest of the largest keys of all sketches that do not hold all
keys of their layers. Below it, every sketch is complete. ``estimates`` says what follows from them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.pieces import N_KEYS
from portrait.operations.estimates import KeyOverlap, SetSize, estimate_overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: How many standard errors a known number of keys may be wrong by where it limits another number.
_MARGIN = 4


@dataclass(frozen=True, slots=True)
class SketchedLayer:
    """The keys of a layer, as far as its sketch tells.

    Args:
        keys: The layer's smallest keys, ascending.
        n_keys: How many keys the layer holds.
        standard_error: The standard error of that number; 0 if the keys were counted.
    """

    keys: Sequence[int]
    n_keys: int
    standard_error: float = 0.0


def overlap(a: Sequence[SketchedLayer], b: Sequence[SketchedLayer]) -> KeyOverlap:
    """OverlapEstimate how much the keys of some layers, taken together, overlap with those of others.

    Args:
        a: The layers of A.
        b: The layers of B.
    """
    threshold = _threshold((*a, *b))
    in_a, in_b = (Counter(_sample(layers, threshold)) for layers in (a, b))
    holders = Counter((in_a[key], in_b[key]) for key in in_a.keys() | in_b.keys())
    return estimate_overlap(holders, threshold / N_KEYS, _size(a), _size(b))


def layer_overlaps(
    a: Sequence[SketchedLayer], b: Sequence[SketchedLayer]
) -> Iterator[tuple[int, int, KeyOverlap]]:
    """OverlapEstimate the overlap of each layer with each one of others with which its sample shares a key.

    Args:
        a: Some layers.
        b: Others.

    Yields:
        The numbers of two layers, and how much their keys overlap.
    """
    holders: dict[int, list[int]] = {}
    for j, other in enumerate(b):
        for key in other.keys:
            holders.setdefault(key, []).append(j)
    for i, layer in enumerate(a):
        common: dict[int, list[int]] = {}
        for key in layer.keys:
            for j in holders.get(key, ()):
                common.setdefault(j, []).append(key)
        for j, keys in sorted(common.items()):
            pair = layer_overlap(layer, b[j], keys)
            if pair.shared.value:
                yield i, j, pair


def layer_overlap(a: SketchedLayer, b: SketchedLayer, common: Sequence[int] = ()) -> KeyOverlap:
    """OverlapEstimate how much the keys of two layers overlap.

    Args:
        a: A layer.
        b: Another one.
        common: The keys that both sketches hold, ascending.
    """
    threshold = _threshold((a, b))
    n_a, n_b, n_common = (_n_below(keys, threshold) for keys in (a.keys, b.keys, common))
    holders = {(1, 1): n_common, (1, 0): n_a - n_common, (0, 1): n_b - n_common}
    return estimate_overlap(holders, threshold / N_KEYS, _size([a]), _size([b]))


def _threshold(layers: Sequence[SketchedLayer]) -> int:
    """Return the number below which the sketches of all layers are complete."""
    return min((layer.keys[-1] for layer in layers if len(layer.keys) < layer.n_keys), default=N_KEYS)


def _n_below(keys: Sequence[int], threshold: int) -> int:
    return len(keys) if threshold == N_KEYS else bisect_left(keys, threshold)


def _sample(layers: Sequence[SketchedLayer], threshold: int) -> Iterator[int]:
    """Yield the keys of each layer below a threshold."""
    for layer in layers:
        yield from layer.keys[: _n_below(layer.keys, threshold)]


def _size(layers: Sequence[SketchedLayer]) -> SetSize:
    margins = [_MARGIN * layer.standard_error for layer in layers]
    return SetSize(
        held=sum(layer.n_keys for layer in layers),
        # Layers of the same keys err alike: their errors add up.
        standard_error=sum(layer.standard_error for layer in layers),
        least=max(
            (layer.n_keys - margin for layer, margin in zip(layers, margins, strict=True)), default=0.0
        ),
        most=sum(layer.n_keys for layer in layers) + sum(margins),
    )
