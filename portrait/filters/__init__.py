"""Filters: what remembers a layer's keys. One module a kind, one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.errors import UnsupportedBundleError
from portrait.filters import bloom, pybloom
from portrait.filters.scanner import Scanner

if TYPE_CHECKING:
    from portrait.bundle import Bundle
    from portrait.filters.base import Filter
    from portrait.manifest import Layer

__all__ = ["Scanner", "open_layer"]


def open_layer(bundle: Bundle, layer: Layer) -> Filter:
    """The filter of a bundle's layer, mapped. Raises :class:`BundleError`'s children."""
    kind = layer.filter.get("kind")
    if kind == bloom.KIND:
        return bloom.open_layer(bundle, layer)
    if kind == pybloom.KIND:
        return pybloom.open_layer(bundle, layer)
    raise UnsupportedBundleError(
        f"{bundle.path}: layer {layer.source!r} has an unknown filter {kind!r}: upgrade portrait"
    )
