"""Corpus → keys → filters → bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import corpus, filters, presets
from portrait.card import card
from portrait.errors import CorpusError, EmptyCorpusError, SpecError
from portrait.filters import pybloom
from portrait.keymaker import UNICODE_VERSION, BatchSink, KeyMaker
from portrait.manifest import Layer, Manifest, Shard, TestVectors
from portrait.portraits import Portrait, of_bundle
from portrait.probe import (
    KEY_BYTES,
    N_TEST_VECTORS,
    PROBE_KEYS,
    PROBE_WINDOWS,
    Probe,
    hex_keys,
    probe_filter,
    windows_of,
)
from portrait.progress import Silent
from portrait.version import __version__
from portrait.writer import DEFAULT_SHARD_BYTES, BundleWriter, data_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from portrait.progress import Progress
    from portrait.spec import FilterSpec, WindowSpec


def build(
    sources: Any,
    out: str | os.PathLike[str],
    *,
    windows: WindowSpec | None = None,
    filter: FilterSpec | None = None,  # noqa: A002  # the field's word
    preset: str = "default",
    column: str | Sequence[str] = "text",
    format: corpus.Format = "auto",  # noqa: A002
    max_shard_bytes: int = DEFAULT_SHARD_BYTES,
    overwrite: bool = False,
    license: str | None = None,  # noqa: A002
    trained_models: Sequence[str] = (),
    progress: Progress | None = None,
) -> Portrait:
    """Build the portrait of ``sources`` at ``out`` and open it.

    ``sources`` is one or several of: a file (``.txt``: one document; ``.jsonl``, also ``.gz`` or
    ``.zst``; ``.parquet``), a directory or glob of them, ``NAME=`` any of these, ``-`` for standard
    input, a ``datasets.Dataset``; or a mapping from source names to these. ``windows`` and ``filter`` are the
    ``preset``'s unless given. ``column`` holds the text of JSON lines and tables, and may be a path into
    structs (``meta.text``); several columns are one text, a line each. The same corpus and specs give
    the same shards, in any order. A layer is cut into files of at most ``max_shard_bytes``, but for one
    of kind ``pybloom``, which is one file.

    ``out`` appears when it is whole or not at all. Keys are held in memory until then: eight bytes
    for every stored window. A filter of kind ``pybloom`` has the corpus read twice, so it takes no
    standard input.

    Raises :class:`SpecError` for a value out of range, :class:`CorpusError` for a source that
    cannot be read, :class:`EmptyCorpusError`,
    :class:`OutputExistsError`, :class:`OutputError`, :class:`MissingExtraError`.
    """
    chosen = presets.preset(preset)
    windows = windows or chosen.windows
    filter = filter or chosen.filter  # noqa: A001
    max_piece_bytes = data_bytes(max_shard_bytes)
    progress = progress or Silent()
    with BundleWriter(Path(out), overwrite=overwrite) as writer:
        found = corpus.resolve(sources, column=column, format=format)
        layers = build_layers(found, windows, filter, writer, max_piece_bytes, progress)
        manifest = Manifest(
            windows=windows,
            unicode_version=UNICODE_VERSION,
            layers=layers,
            corpus={source.name: source.record() for source in found},
            tool=f"portrait {__version__}",
            license=license,
            trained_models=tuple(trained_models),
        )
        return of_bundle(writer.commit(manifest, card(manifest, Path(out).name)))


def build_layers(
    sources: Sequence[corpus.Source],
    windows: WindowSpec,
    spec: FilterSpec,
    writer: BundleWriter,
    max_piece_bytes: int,
    progress: Progress,
) -> tuple[Layer, ...]:
    """Write a layer for each source; its record is for the manifest."""
    if spec.kind == pybloom.KIND:
        return tuple(_pybloom_layers(sources, windows, spec, writer, progress))
    return tuple(_key_layers(sources, windows, spec, writer, max_piece_bytes, progress))


def _read(sources: Sequence[corpus.Source], sinks: Sequence[BatchSink], progress: Progress) -> None:
    """Put the text of each source into its sink."""
    sizes = [source.n_bytes for source in sources]
    progress.start(None if None in sizes else sum(size for size in sizes if size is not None))
    try:
        for source, sink in zip(sources, sinks, strict=True):
            for shard in source.shards:
                for piece in shard.pieces():
                    sink.add(piece.batch())
                    progress.advance(piece.read_bytes)
            if sink.text_bytes == 0:
                places = ", ".join(source.locations)
                raise EmptyCorpusError(f"source {source.name!r} holds no text: {places}")
    finally:
        progress.finish()


def _key_layers(
    sources: Sequence[corpus.Source],
    windows: WindowSpec,
    spec: FilterSpec,
    writer: BundleWriter,
    max_piece_bytes: int,
    progress: Progress,
) -> Iterator[Layer]:
    makers = [KeyMaker(windows) for _ in sources]
    _read(sources, makers, progress)
    for source, maker in zip(sources, makers, strict=True):
        yield _key_layer(source.name, maker, spec, writer, max_piece_bytes)


def _key_layer(
    source: str, maker: KeyMaker, spec: FilterSpec, writer: BundleWriter, max_piece_bytes: int
) -> Layer:
    n_keys = maker.keys.sort_unique()
    present = hex_keys(bytes(memoryview(maker.keys)[: N_TEST_VECTORS * KEY_BYTES]))
    # Sorted keys fill the filter from one end to the other, which is the cheapest order there is.
    builder = filters.builder(spec, n_keys)
    builder.insert(maker.keys)
    maker.keys.clear()
    built = builder.finish()
    probe = probe_filter(source, built.contains, built.rate(), PROBE_KEYS)
    stored = writer.add_layer(source, spec.kind, builder.pieces(max_piece_bytes))
    return _record(source, maker, n_keys, spec, builder.parameters, stored, probe, present)


def _pybloom_layers(
    sources: Sequence[corpus.Source],
    windows: WindowSpec,
    spec: FilterSpec,
    writer: BundleWriter,
    progress: Progress,
) -> Iterator[Layer]:
    pybloom.require_text(windows)
    for source in sources:
        if any(shard.read_once for shard in source.shards):
            raise SpecError(
                f"source {source.name!r}: a pybloom filter reads its corpus twice, and standard input and "
                "pipes can be read once: save it to a file first"
            )
    for source in sources:
        yield _pybloom_layer(source, windows, spec, writer, progress)


def _pybloom_layer(
    source: corpus.Source, windows: WindowSpec, spec: FilterSpec, writer: BundleWriter, progress: Progress
) -> Layer:
    """Read the source once to count its distinct windows, and once more to put them in.

    Their number sizes the filter and so chooses its hash; until it is known, nothing can be put in
    but the windows' text, which would take several times the memory of their keys.
    """
    maker = KeyMaker(windows, documents=False)
    _read([source], [maker], progress)
    n_windows, n_stored = maker.keys.sort_unique(), maker.windows
    del maker
    builder = pybloom.PyBloomBuilder(windows, n_windows, spec.fpr)
    _read([source], [builder.documents], progress)
    if builder.documents.windows != n_stored:
        raise CorpusError(
            f"source {source.name!r}: {n_stored} windows at the first reading and "
            f"{builder.documents.windows} at the second: a pybloom filter reads its corpus twice, so it must "
            "be files that do not change, no pipes"
        )
    built = builder.finish()

    probe = probe_filter(source.name, windows_of(built), built.rate(), PROBE_WINDOWS)
    stored = writer.add_file(source.name, pybloom.SUFFIX, pybloom.TENSOR, builder.data)
    # Windows that are present would be the corpus's own text, so none is recorded.
    return _record(source.name, builder.documents, n_windows, spec, builder.parameters, stored, probe, ())


def _record(
    source: str,
    counted: BatchSink,
    n_keys: int,
    spec: FilterSpec,
    parameters: dict[str, Any],
    stored: tuple[tuple[Shard, ...], dict[str, str]],
    probe: Probe,
    present: tuple[str, ...],
) -> Layer:
    shards, tensors = stored
    return Layer(
        source=source,
        filter=parameters,
        documents=counted.documents,
        short_documents=counted.short_documents,
        windows=counted.windows,
        distinct_keys=n_keys,
        text_bytes=counted.text_bytes,
        fpr_target=float(spec.fpr),
        fpr=probe.fpr,
        probe_keys=probe.n_keys,
        probe_hits=probe.n_hits,
        tensors=tensors,
        shards=shards,
        test_vectors=TestVectors(present=present, absent=probe.absent),
    )
