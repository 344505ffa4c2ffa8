"""What a portrait is made of, whatever its files look like: a bundle, or another library's filter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portrait.bundle import reader as bundles
from portrait.errors import DamagedBundleError, SpecError
from portrait.filters import redisbloom_dump
from portrait.filters.kinds import open_layer

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import Filter
    from portrait.filters.redisbloom_dump import Dump
    from portrait.spec import DocumentKeys, WindowSpec
    from portrait.storage.mapping import Access


#: How often a portrait is opened again that other processes replace meanwhile.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class OpenLayer:
    """One source: its name, its filter, the filter's false-positive rate, and which documents have keys."""

    source: str
    fpr: float
    filter: Filter
    document_keys: DocumentKeys

    def knows_documents(self, n_windows: int) -> bool:
        """Return whether a document of so many windows would have a key of its whole text."""
        return self.document_keys == "all" or (self.document_keys == "long" and n_windows > 0)


@dataclass(frozen=True, slots=True)
class Contents:
    """The parts of an open portrait.

    Attributes:
        path: A bundle's directory, or a foreign filter's file.
        name: The name that answers give the portrait.
        spec: How it cuts texts into windows.
        layers: Its sources.
        about: What its files say about it: a bundle's manifest, or a foreign filter's header.
        access: How the bytes of the filters are reached.
    """

    path: Path
    name: str
    spec: WindowSpec
    layers: tuple[OpenLayer, ...]
    about: Manifest | Dump
    access: Access = "random"


def open_contents(path: Path, stride: int | None, access: Access = "random") -> Contents:
    """Open the files at ``path``.

    Args:
        path: A bundle's directory, or a filter of the original library (``.bf``).
        stride: The stride of a filter of the original library, if its name does not say it.
        access: How the bytes of the filters are reached.

    Raises:
        NotAPortraitError, DamagedBundleError, UnsupportedBundleError: The files are not a portrait, or
            not one that can be read.
        SpecError: The stride is unknown, or is not the one that a bundle was built with.
    """
    if redisbloom_dump.is_dump(path):
        return _of_dump(redisbloom_dump.open_dump(path, stride, access), access)
    bundle = bundles.read(path)
    for _ in range(_TRIES):
        try:
            return _of_bundle(replace(bundle, access=access), stride)
        except DamagedBundleError:
            # Another process may have replaced the portrait after its manifest was read.
            before, bundle = bundle, bundles.read(path)
            if bundle.manifest == before.manifest:
                raise
    return _of_bundle(replace(bundle, access=access), stride)


def _of_bundle(bundle: Bundle, stride: int | None) -> Contents:
    sampling = bundle.manifest.windows.sampling
    if stride is not None and stride != bundle.manifest.windows.stride:
        other = "" if sampling.gap_name == "stride" else "a stride of "
        raise SpecError(
            f"{bundle.path}: was built with a {sampling.gap_name} of {sampling.gap}, not {other}{stride!r}: "
            "a stride is given for filters of the original library only",
            parameter="stride",
        )
    return bundle_contents(bundle)


def bundle_contents(bundle: Bundle) -> Contents:
    """Open the layers of a bundle whose manifest has been read."""
    manifest = bundle.manifest
    layers = tuple(
        OpenLayer(layer.source, layer.fpr, open_layer(bundle, layer), layer.document_keys)
        for layer in manifest.layers
    )
    return Contents(bundle.path, bundle.name, manifest.windows, layers, manifest, bundle.access)


def _of_dump(dump: Dump, access: Access) -> Contents:
    layers = (OpenLayer(dump.name, dump.fpr, dump.filter, "none"),)
    return Contents(dump.path, dump.name, dump.spec, layers, dump, access)
