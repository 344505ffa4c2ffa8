"""Filters: what remembers a layer's keys. One module a kind, one protocol, one table of kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from portrait.errors import UnsupportedBundleError
from portrait.filters import bloom, fuse
from portrait.filters.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.bundle import Bundle
    from portrait.filters.base import FilterBuilder, StoredFilter
    from portrait.manifest import Layer
    from portrait.spec import FilterSpec

__all__ = ["Scanner", "builder", "open_layer"]


class Kind(NamedTuple):
    """How a kind of filter is built, for so many distinct keys at such a rate, and how it is opened."""

    builder: Callable[[int, float], FilterBuilder]
    open_layer: Callable[[Bundle, Layer], StoredFilter]


KINDS = {
    bloom.KIND: Kind(bloom.BloomBuilder.for_keys, bloom.open_layer),
    fuse.KIND: Kind(fuse.FuseBuilder.for_keys, fuse.open_layer),
}


def builder(spec: FilterSpec, n_keys: int) -> FilterBuilder:
    """An empty filter for ``n_keys`` distinct keys."""
    return KINDS[spec.kind].builder(n_keys, spec.fpr)


def open_layer(bundle: Bundle, layer: Layer) -> StoredFilter:
    """The filter of a bundle's layer, mapped. Raises :class:`BundleError`'s children."""
    name = layer.filter.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise UnsupportedBundleError(
            f"{bundle.path}: layer {layer.source!r} has an unknown filter {name!r}: upgrade portrait"
        )
    return kind.open_layer(bundle, layer)
