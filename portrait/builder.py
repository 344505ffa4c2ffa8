"""Corpus → keys → filters → bundle."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import corpus, filters
from portrait.card import card
from portrait.errors import EmptyCorpusError, PortraitError, SpecError
from portrait.keymaker import UNICODE_VERSION, KeyMaker
from portrait.manifest import Layer, Manifest, TestVectors
from portrait.portraits import Portrait, of_bundle
from portrait.progress import Silent
from portrait.spec import FilterSpec, WindowSpec
from portrait.version import __version__
from portrait.writer import DEFAULT_SHARD_BYTES, BundleWriter, data_bytes

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from portrait.filters.base import Filter
    from portrait.progress import Progress

_PROBE_KEYS = 1 << 20
_N_TEST_VECTORS = 16
_KEY_BYTES = 8


def build(
    sources: Any,
    out: str | os.PathLike[str],
    *,
    windows: WindowSpec | None = None,
    filter: FilterSpec | None = None,  # noqa: A002  # the field's word
    column: str = "text",
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
    input, a ``datasets.Dataset``; or a mapping from source names to these. ``column`` holds the
    text of JSON lines and tables. The same corpus and specs give the same shards, in any order.
    A layer is cut into files of at most ``max_shard_bytes``.

    ``out`` appears when it is whole or not at all. Keys are held in memory until then: eight bytes
    for every stored window.

    Raises :class:`SpecError` for a value out of range, :class:`CorpusError` for a source that
    cannot be read, :class:`EmptyCorpusError`,
    :class:`OutputExistsError`, :class:`OutputError`, :class:`MissingExtraError`.
    """
    windows = windows or WindowSpec()
    filter = filter or FilterSpec()  # noqa: A001
    if not column:
        raise SpecError("the column's name is empty")
    max_piece_bytes = data_bytes(max_shard_bytes)
    progress = progress or Silent()
    with BundleWriter(Path(out), overwrite=overwrite) as writer:
        found = corpus.resolve(sources, column=column, format=format)
        makers = _read(found, windows, progress)
        layers = tuple(
            _layer(source.name, maker, filter, writer, max_piece_bytes)
            for source, maker in zip(found, makers, strict=True)
        )
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


def _read(sources: Sequence[corpus.Source], windows: WindowSpec, progress: Progress) -> list[KeyMaker]:
    makers: list[KeyMaker] = []
    sizes = [source.n_bytes for source in sources]
    progress.start(None if None in sizes else sum(size for size in sizes if size is not None))
    try:
        for source in sources:
            maker = KeyMaker(windows)
            for shard in source.shards:
                for batch in shard.batches():
                    maker.add(batch)
                    progress.advance(batch.read_bytes)
            if maker.text_bytes == 0:
                places = ", ".join(source.locations)
                raise EmptyCorpusError(f"source {source.name!r} holds no text: {places}")
            makers.append(maker)
    finally:
        progress.finish()
    return makers


def _layer(
    source: str, maker: KeyMaker, spec: FilterSpec, writer: BundleWriter, max_piece_bytes: int
) -> Layer:
    n_keys = maker.keys.sort_unique()
    present = _hex_keys(bytes(memoryview(maker.keys)[: _N_TEST_VECTORS * _KEY_BYTES]))
    # Sorted keys fill the filter from one end to the other, which is the cheapest order there is.
    builder = filters.builder(spec, n_keys)
    builder.insert(maker.keys)
    maker.keys.clear()
    built = builder.finish()
    fpr = built.rate()
    probe_hits, absent = _probe(source, built, fpr)
    shards, tensors = writer.add_layer(source, spec.kind, builder.pieces(max_piece_bytes))
    return Layer(
        source=source,
        filter=builder.parameters,
        documents=maker.documents,
        short_documents=maker.short_documents,
        windows=maker.windows,
        distinct_keys=n_keys,
        text_bytes=maker.text_bytes,
        fpr_target=float(spec.fpr),
        fpr=fpr,
        probe_keys=_PROBE_KEYS,
        probe_hits=probe_hits,
        tensors=tensors,
        shards=shards,
        test_vectors=TestVectors(present=present, absent=absent),
    )


def _probe(source: str, built: Filter, fpr: float) -> tuple[int, tuple[str, ...]]:
    """Confirm a filter's rate with random keys; also returns some that it does not hold."""
    keys = random.Random(source).randbytes(_PROBE_KEYS * _KEY_BYTES)
    hits = built.contains(keys)
    n_hits = hits.count(1)
    deviation = (_PROBE_KEYS * fpr * (1 - fpr)) ** 0.5
    if abs(n_hits - _PROBE_KEYS * fpr) > 6 * deviation + 3:
        raise PortraitError(
            f"source {source!r}: {n_hits} of {_PROBE_KEYS} random keys were found where the filter's bits "
            f"promise {_PROBE_KEYS * fpr:.0f}: the filter is broken, please report this"
        )
    absent = [i for i in range(min(_PROBE_KEYS, 1 << 12)) if not hits[i]][:_N_TEST_VECTORS]
    return n_hits, _hex_keys(b"".join(keys[i * _KEY_BYTES : (i + 1) * _KEY_BYTES] for i in absent))


def _hex_keys(data: bytes) -> tuple[str, ...]:
    """Little-endian keys as hexadecimal numbers."""
    return tuple(
        f"{int.from_bytes(data[i : i + _KEY_BYTES], 'little'):016x}" for i in range(0, len(data), _KEY_BYTES)
    )
