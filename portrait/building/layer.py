"""From keys to parts of filters to layers of a bundle: the half of a build that sees only keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.bundle.manifest import Layer, TestVectors
from portrait.bundle.pieces import MAX_SKETCH_KEYS
from portrait.filters import kinds as filters
from portrait.filters.probe import N_TEST_VECTORS, PROBE_KEYS, Probe, hex_keys, probe_filter
from portrait.keys.maker import KEY_BYTES, Counts
from portrait.sizing import SKETCH_KEYS, distinct_keys, keys_to_hold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.building.request import Request
    from portrait.bundle.shard_writer import StoredLayer
    from portrait.bundle.writer import BundleWriter
    from portrait.filters.protocols import Layout, Part
    from portrait.keys.runs import KeySource
    from portrait.progress import Progress
    from portrait.spec import FilterSpec


@dataclass(frozen=True, slots=True)
class KeySummary:
    """What is known of a layer's keys before its filter is built.

    ``n_distinct`` is the number of distinct keys, estimated if there are many; ``sketch`` holds the
    :data:`MAX_SKETCH_KEYS` smallest ones in ascending order, or all if there are fewer.
    """

    n_distinct: int
    sketch: Sequence[int]

    @property
    def first_keys(self) -> tuple[str, ...]:
        """The first few keys, as hex."""
        keys = (key.to_bytes(KEY_BYTES, "little") for key in self.sketch[:N_TEST_VECTORS])
        return hex_keys(b"".join(keys))

    @property
    def n_keys(self) -> int:
        """For how many keys the filter is laid out."""
        return keys_to_hold(self.n_distinct)

    def layout(self, spec: FilterSpec) -> Layout:
        """Return the layout of the filter for these keys."""
        return filters.layout(spec, self.n_keys)


def summarise(keys: KeySource) -> KeySummary:
    """Estimate the number of distinct keys from the smallest ones; small numbers are exact.

    Raises:
        WorkDirError: A run is gone or damaged.
    """
    smallest = keys.smallest(SKETCH_KEYS)
    return KeySummary(distinct_keys(smallest), smallest[:MAX_SKETCH_KEYS])


def build_layer(
    source: str, counts: Counts, keys: KeySource, request: Request, writer: BundleWriter
) -> Layer:
    """Build and write the layer of some keys at once, in this process."""
    summary = summarise(keys)
    layout = summary.layout(request.filter)
    (whole,) = layout.ranges(1)
    part = layout.build(keys.within(whole.first_key, whole.last_key), whole)
    return store_layer(source, counts, summary, [part], request, writer)


def store_layer(
    source: str,
    counts: Counts,
    summary: KeySummary,
    parts: Sequence[Part],
    request: Request,
    writer: BundleWriter,
    progress: Progress | None = None,
) -> Layer:
    """Write a layer whose filter is built, and measure its false-positive rate.

    Args:
        source: The layer's source.
        counts: The counts of its documents.
        summary: The summary of its keys.
        parts: All parts of its filter, in order.
        request: What is to be built.
        writer: The writer of the bundle.
        progress: Receives the bytes written.

    Returns:
        The layer as the manifest records it.

    Raises:
        OutputError: The layer cannot be written.
    """
    layout = summary.layout(request.filter)
    built = layout.assemble(parts)
    probe = probe_filter(source, built.contains, built.rate(), PROBE_KEYS)
    pieces = built.pieces(request.max_piece_bytes)
    stored = writer.add_layer(source, request.filter.kind, pieces, progress, sketch=summary.sketch)
    counted = [part.n_keys for part in parts if part.n_keys is not None]
    n_keys = sum(counted) if len(counted) == len(parts) else summary.n_distinct
    return layer_record(source, counts, n_keys, request, layout.parameters, stored, probe, summary.first_keys)


def layer_record(
    source: str,
    counts: Counts,
    n_keys: int,
    request: Request,
    parameters: dict[str, Any],
    stored: StoredLayer,
    probe: Probe,
    present: tuple[str, ...],
) -> Layer:
    """Return the manifest's record of a layer.

    Args:
        source: The layer's source.
        counts: The counts of its documents.
        n_keys: How many distinct keys it holds.
        request: What is to be built.
        parameters: The filter's parameters.
        stored: Its files.
        probe: The measurement of its false-positive rate.
        present: Test vectors: keys that it holds, as hex.
    """
    return Layer(
        source=source,
        filter=parameters,
        documents=counts.documents,
        short_documents=counts.short_documents,
        document_keys=request.reading.documents,
        windows=counts.windows,
        distinct_keys=n_keys,
        text_bytes=counts.text_bytes,
        fpr_target=float(request.filter.fpr),
        fpr=probe.fpr,
        probe_keys=probe.n_keys,
        probe_hits=probe.n_hits,
        tensors=stored.tensors,
        shards=stored.shards,
        sketch=stored.sketch,
        test_vectors=TestVectors(present=present, absent=probe.absent),
    )
