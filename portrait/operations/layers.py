"""Layers in and out of portraits: add sources, drop sources, merge portraits.

Shards that stay are not touched, or shared with the other portraits by hard links, or copied where the file
system has none. All other files in a portrait's directory stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.building.request import Request
from portrait.building.way import open_build
from portrait.bundle import reader as bundles
from portrait.bundle.writer import DEFAULT_SHARD_BYTES, BundleWriter
from portrait.corpus.columns import DEFAULT_MAX_DOCUMENT_BYTES
from portrait.corpus.provenance import corpus_records, within_limits
from portrait.engines.execution import Execution
from portrait.errors import SpecError
from portrait.hub.local import changeable_path, local_path
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
    from portrait.spec import WindowSpec


def add(
    path: str | os.PathLike[str],
    sources: Any,
    *,
    filter: FilterSpec | None = None,  # noqa: A002  # the field's word
    column: str | Sequence[str] = "text",
    format: Format = "auto",  # noqa: A002
    source_column: str | None = None,
    on_error: OnError = "fail",
    short_documents: bool | None = None,
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    execution: Execution | None = None,
    progress: Progress | None = None,
) -> Portrait:
    """Add a layer for each of some sources to a portrait, and open it.

    Texts are cut into windows as in the portrait's other layers. The portrait is replaced when the new one is
    whole.

    Args:
        path: The portrait's directory.
        sources: One source or several, as for :func:`portrait.build`.
        filter: The kind and rate of the new filters; by default those of the portrait's first layer.
        column: The column that holds the text, or several, which are one text.
        format: The format of the sources' files; by default it follows from their names.
        source_column: The column that names each row's source.
        on_error: Whether a row or file that cannot be read is an error (``fail``) or left out (``skip``).
        short_documents: Whether documents shorter than a window are recorded; by default as in the portrait's
            first layer.
        max_document_bytes: The size of the largest document, in bytes of text.
        max_shard_bytes: The size of a new file, at most.
        execution: What runs the work, where, and in how much memory.
        progress: Receives the progress.

    Returns:
        The new portrait.

    Raises:
        SpecError: The portrait has such a source already, or a value is out of range.
        BundleError: The portrait cannot be read.
        PortraitError: What else :func:`portrait.build` raises.
    """
    directory = changeable_path(path)
    bundle = bundles.read(directory)
    old = bundle.manifest
    writer = BundleWriter(directory, overwrite=True)
    writer.check()
    request = Request.of(
        old.windows,
        filter or _like(old.layers[0]),
        column=column,
        source_column=source_column,
        format=format,
        on_error=on_error,
        short_documents=old.layers[0].document_keys == "all" if short_documents is None else short_documents,
        max_document_bytes=max_document_bytes,
        max_shard_bytes=max_shard_bytes,
    )
    found = request.resolve(sources)
    there = {layer.source for layer in old.layers}
    if source_column is None:
        _require_new(path, [source.name for source in found], there)
    # What the manifest will say is known by now, except for the new layers: it must not turn out too large
    # when all is read.
    replace(old, corpus=within_limits({**old.corpus, **corpus_records(found, [], None)})).to_json()
    with open_build(request, found, execution or Execution(), directory, progress or Silent()) as made:
        made.read()
        with writer:
            kept = [writer.keep_layer(bundle, layer) for layer in old.layers]
            new = made.layers(writer)
            _require_new(path, [layer.source for layer in new], there)
            records = within_limits({**old.corpus, **made.corpus()})
            united = replace(old, corpus=records, unicode_version=UNICODE_VERSION)
            return _commit(writer, united, [*kept, *new])


def _require_new(path: str | os.PathLike[str], names: Iterable[str], there: set[str]) -> None:
    for name in names:
        if name in there:
            raise SpecError(
                f"{path}: already holds a source {name!r}: give the new one another name (NAME=PATH), or "
                "drop the old one first"
            )


def drop(path: str | os.PathLike[str], sources: Iterable[str]) -> Portrait:
    """Remove the layers of some sources from a portrait, and open it.

    Args:
        path: The portrait's directory.
        sources: The names of the sources.

    Returns:
        The new portrait.

    Raises:
        SpecError: The portrait has no such source, or would have no layer left.
        BundleError: The portrait cannot be read.
        OutputError: The new one cannot be written.
    """
    directory = changeable_path(path)
    bundle = bundles.read(directory)
    old = bundle.manifest
    gone = list(dict.fromkeys(sources))
    there = [layer.source for layer in old.layers]
    for source in gone:
        if source not in there:
            raise SpecError(f"{path}: no source {source!r}: choose one of {', '.join(there)}")
    if len(gone) == len(there):
        raise SpecError(f"{path}: no layer would be left: delete the directory instead")
    with BundleWriter(directory, overwrite=True) as writer:
        kept = [writer.keep_layer(bundle, layer) for layer in old.layers if layer.source not in gone]
        records = {name: record for name, record in old.corpus.items() if name not in gone}
        return _commit(writer, replace(old, corpus=records), kept)


def merge(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Portrait:
    """Write the layers of several portraits as one portrait, and open it.

    All must cut texts into windows in the same way, and no two may hold a source of the same name. The
    licence is kept where all state the same, and the models trained on any of them are all named.

    Args:
        paths: The portraits' directories, or their addresses on a hub, two or more.
        out: The directory to write, which appears when it is whole or not at all.
        overwrite: Whether to replace a portrait at ``out``.

    Returns:
        The portrait at ``out``.

    Raises:
        SpecError: The portraits cannot be merged.
        BundleError: One of them cannot be read.
        OutputExistsError: Something at ``out`` may not be replaced.
        OutputError: ``out`` cannot be written.
    """
    if len(paths) < 2:
        raise SpecError("merging takes two portraits or more")
    read = [bundles.read(local_path(path)) for path in paths]
    _require_mergeable(read)
    manifests = [bundle.manifest for bundle in read]
    licences = {manifest.license for manifest in manifests}
    models = dict.fromkeys(model for manifest in manifests for model in manifest.trained_models)
    records = {name: record for manifest in manifests for name, record in manifest.corpus.items()}
    united = replace(
        manifests[0],
        layers=tuple(layer for manifest in manifests for layer in manifest.layers),
        corpus=within_limits(records),
        license=licences.pop() if len(licences) == 1 else None,
        trained_models=tuple(models),
    )
    with BundleWriter(Path(out), overwrite=overwrite) as writer:
        united.to_json()  # before any file is copied
        layers = [writer.keep_layer(bundle, layer) for bundle in read for layer in bundle.manifest.layers]
        return _commit(writer, united, layers)


def _cut(windows: WindowSpec) -> str:
    """Return all that says how texts are cut, for people."""
    return f"{windows.cut}, normaliser {windows.normalizer}"


def _require_mergeable(read: Sequence[Bundle]) -> None:
    first, *others = read
    for bundle in others:
        if bundle.manifest.windows != first.manifest.windows:
            raise SpecError(
                f"{bundle.path}: cuts texts into other windows ({_cut(bundle.manifest.windows)}) than "
                f"{first.path} ({_cut(first.manifest.windows)}): build one of them again"
            )
    holders: dict[str, Path] = {}
    for bundle in read:
        for layer in bundle.manifest.layers:
            other = holders.setdefault(layer.source, bundle.path)
            if other is not bundle.path:
                raise SpecError(
                    f"{bundle.path}: holds a source {layer.source!r}, and so does {other}: build one of them "
                    "again under another name (NAME=PATH)"
                )


def _like(layer: Layer) -> FilterSpec:
    """Return the spec of a filter of the same kind and rate."""
    kind = layer.filter["kind"]
    if kind not in FILTER_KINDS:
        raise SpecError(f"layers of kind {kind} cannot be built: choose another filter", parameter="filter")
    return FilterSpec(kind, layer.fpr_target)


def _commit(writer: BundleWriter, manifest: Manifest, layers: Sequence[Layer]) -> Portrait:
    made = replace(
        manifest,
        layers=tuple(sorted(layers, key=lambda layer: layer.source)),
        tool=f"portrait {__version__}",
    )
    return of_bundle(writer.commit(made))
