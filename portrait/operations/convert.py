"""Conversion: a portrait written again with shards of another size; content, id and answers stay the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from portrait.bundle import reader as bundles
from portrait.bundle.readme.card import read_card
from portrait.bundle.writer import DEFAULT_SHARD_BYTES, BundleWriter, data_bytes
from portrait.errors import DamagedBundleError
from portrait.filters import kinds as filters
from portrait.hub.local import local_path
from portrait.portraits.portrait import Portrait, of_bundle
from portrait.progress import Silent

if TYPE_CHECKING:
    import os

    from portrait.bundle.manifest import Layer
    from portrait.bundle.reader import Bundle
    from portrait.progress import Progress


def convert(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Portrait:
    """Write a portrait with shards of another size, and open it.

    Nothing else changes: the id, which depends on the layers' content only, stays, and so does what people
    have written in the card.

    Args:
        path: The portrait's directory, or its address on a hub.
        out: The directory to write, which appears when it is whole or not at all. It may be ``path`` itself.
            Files in it that no portrait lists stay as they are.
        max_shard_bytes: The size of a file, at most.
        overwrite: Whether to replace a portrait at ``out``.
        progress: Receives the number of bytes written.

    Returns:
        The portrait at ``out``.

    Raises:
        BundleError: The portrait cannot be read, or is not what its id says.
        SpecError: ``max_shard_bytes`` is too small, or a layer's format does not allow cutting it.
        OutputExistsError: Something at ``out`` may not be replaced.
        OutputError: ``out`` cannot be written.
    """
    max_piece_bytes = data_bytes(max_shard_bytes)
    progress = progress or Silent()
    bundle = replace(bundles.read(local_path(path)), access="sequential")
    with BundleWriter(Path(out), overwrite=overwrite) as writer:
        progress.start(sum(shard.bytes for layer in bundle.manifest.layers for shard in layer.shards))
        try:
            layers = tuple(
                _copy(bundle, layer, writer, max_piece_bytes, progress) for layer in bundle.manifest.layers
            )
        finally:
            progress.finish()
        manifest = replace(bundle.manifest, layers=layers)
        return of_bundle(writer.commit(manifest, read_card(bundle.path), bundle.manifest))


def _copy(
    bundle: Bundle, layer: Layer, writer: BundleWriter, max_piece_bytes: int, progress: Progress
) -> Layer:
    pieces = filters.open_layer(bundle, layer).pieces(max_piece_bytes)
    stored = writer.add_layer(layer.source, str(layer.filter["kind"]), pieces, progress)
    if stored.tensors != layer.tensors:
        raise DamagedBundleError(
            f"{bundle.path / layer.shards[0].file}: its content is not what the manifest's digest says: "
            "fetch the bundle again"
        )
    return replace(layer, shards=stored.shards, sketch=writer.keep_sketch(bundle, layer))
