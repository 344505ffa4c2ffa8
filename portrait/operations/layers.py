"""Layers in and out of portraits: add a source, drop one, unite portraits.

Shards that stay are shared with the old portrait by hard links, or copied where the file system has
none; what is written beside them is a manifest and a card, and the result is moved into place whole.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.building.request import Request
from portrait.building.way import open_build
from portrait.bundle import reader as bundles
from portrait.bundle.card import card
from portrait.bundle.writer import DEFAULT_SHARD_BYTES, BundleWriter
from portrait.engines.execution import Execution
from portrait.errors import SpecError
from portrait.keys.maker import UNICODE_VERSION
from portrait.portraits.portrait import Portrait, of_bundle
from portrait.progress import Silent
from portrait.spec import FILTER_KINDS, FilterSpec
from portrait.version import __version__

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from portrait.building.reader import OnError
    from portrait.bundle.manifest import Layer, Manifest
    from portrait.bundle.reader import Bundle
    from portrait.corpus.shards import Format
    from portrait.progress import Progress


def add(
    path: str | os.PathLike[str],
    sources: Any,
    *,
    filter: FilterSpec | None = None,  # noqa: A002  # the field's word
    column: str | Sequence[str] = "text",
    format: Format = "auto",  # noqa: A002
    source_column: str | None = None,
    on_error: OnError = "fail",
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    execution: Execution | None = None,
    progress: Progress | None = None,
) -> Portrait:
    """Add a layer for each of ``sources`` to the portrait at ``path``, and open it.

    Texts are cut as those of its other layers. ``filter`` is of the kind and rate of the first layer
    unless given; the rest is as for :func:`portrait.build`. The portrait is replaced when the new one
    is whole.

    Raises :class:`SpecError` for a source that it has already, and what :func:`portrait.build` and
    :func:`portrait.open` raise.
    """
    bundle = bundles.read(Path(path))
    old = bundle.manifest
    request = Request.of(
        old.windows,
        filter or _like(old.layers[0]),
        column=column,
        source_column=source_column,
        format=format,
        on_error=on_error,
        max_shard_bytes=max_shard_bytes,
    )
    found = request.resolve(sources)
    there = {layer.source for layer in old.layers}
    if source_column is None:
        _require_new(path, [source.name for source in found], there)
    with open_build(request, found, execution or Execution(), Path(path), progress or Silent()) as made:
        made.read()
        with BundleWriter(Path(path), overwrite=True) as writer:
            kept = [writer.keep_layer(bundle, layer) for layer in old.layers]
            new = made.layers(writer)
            _require_new(path, [layer.source for layer in new], there)
            records = {**old.corpus, **made.corpus()}
            united = replace(old, corpus=records, unicode_version=UNICODE_VERSION)
            return _commit(writer, united, [*kept, *new])


def _require_new(path: str | os.PathLike[str], names: Iterable[str], there: set[str]) -> None:
    for name in names:
        if name in there:
            raise SpecError(
                f"{path}: holds a source {name!r} already: name the new one otherwise (NAME=PATH), or drop "
                "the old one first"
            )


def drop(path: str | os.PathLike[str], sources: Iterable[str]) -> Portrait:
    """Take the layers of some ``sources`` out of the portrait at ``path``, and open it.

    Raises :class:`SpecError` for a source that it does not hold, or where none would be left.
    """
    bundle = bundles.read(Path(path))
    old = bundle.manifest
    gone = list(dict.fromkeys(sources))
    there = [layer.source for layer in old.layers]
    for source in gone:
        if source not in there:
            raise SpecError(f"{path}: no source {source!r}: choose one of {', '.join(there)}")
    if len(gone) == len(there):
        raise SpecError(f"{path}: no layer would be left: delete the directory instead")
    with BundleWriter(Path(path), overwrite=True) as writer:
        kept = [writer.keep_layer(bundle, layer) for layer in old.layers if layer.source not in gone]
        records = {name: record for name, record in old.corpus.items() if name not in gone}
        return _commit(writer, replace(old, corpus=records), kept)


def merge(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Portrait:
    """Unite the layers of several portraits in one at ``out``, and open it.

    All must cut texts in the same way, and no two may hold a source of the same name. The licence is
    kept where all state the same, and the models trained on any of them are all named.

    Raises :class:`SpecError` where they cannot be united, and what :func:`portrait.open` raises.
    """
    if len(paths) < 2:
        raise SpecError("merging takes two portraits or more")
    read = [bundles.read(Path(path)) for path in paths]
    _require_mergeable(read)
    manifests = [bundle.manifest for bundle in read]
    licences = {manifest.license for manifest in manifests}
    models = dict.fromkeys(model for manifest in manifests for model in manifest.trained_models)
    with BundleWriter(Path(out), overwrite=overwrite) as writer:
        layers = [writer.keep_layer(bundle, layer) for bundle in read for layer in bundle.manifest.layers]
        united = replace(
            manifests[0],
            corpus={name: record for manifest in manifests for name, record in manifest.corpus.items()},
            license=licences.pop() if len(licences) == 1 else None,
            trained_models=tuple(models),
        )
        return _commit(writer, united, layers)


def _require_mergeable(read: Sequence[Bundle]) -> None:
    first, *others = read
    for bundle in others:
        if bundle.manifest.windows != first.manifest.windows:
            raise SpecError(
                f"{bundle.path}: cuts texts otherwise ({bundle.manifest.windows}) than {first.path} "
                f"({first.manifest.windows}): build one of them anew"
            )
    holders: dict[str, Path] = {}
    for bundle in read:
        for layer in bundle.manifest.layers:
            other = holders.setdefault(layer.source, bundle.path)
            if other is not bundle.path:
                raise SpecError(
                    f"{bundle.path}: holds a source {layer.source!r}, and so does {other}: build one of them "
                    "anew under another name (NAME=PATH)"
                )


def _like(layer: Layer) -> FilterSpec:
    """The spec that gives a filter of the same kind and rate."""
    kind = layer.filter["kind"]
    if kind not in FILTER_KINDS:
        raise SpecError(f"layers of kind {kind} cannot be built: choose another filter")
    return FilterSpec(kind, layer.fpr_target)


def _commit(writer: BundleWriter, manifest: Manifest, layers: Sequence[Layer]) -> Portrait:
    made = replace(
        manifest,
        layers=tuple(sorted(layers, key=lambda layer: layer.source)),
        tool=f"portrait {__version__}",
    )
    return of_bundle(writer.commit(made, card(made, writer.out.name)))
