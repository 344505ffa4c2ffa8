"""Keys → parts of filters → layers of a bundle: the half of a build that sees only keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.bundle.manifest import Layer, TestVectors
from portrait.filters import kinds as filters
from portrait.filters.probe import N_TEST_VECTORS, PROBE_KEYS, Probe, hex_keys, probe_filter
from portrait.keys.maker import KEY_BYTES, Counts
from portrait.sizing import SKETCH_KEYS, distinct_keys, keys_to_hold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.bundle.writer import BundleWriter, StoredLayer
    from portrait.filters.protocols import Layout, Part
    from portrait.keys.runs import KeySource
    from portrait.progress import Progress
    from portrait.spec import FilterSpec

_WRITE_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a layer's keys before its filter is built: how many differ, and the first few."""

    n_distinct: int
    present: tuple[str, ...]

    def layout(self, spec: FilterSpec) -> Layout:
        """The layout of the filter for them."""
        return filters.layout(spec, keys_to_hold(self.n_distinct))


def measure(keys: KeySource) -> Measured:
    """Estimate how many different keys there are, from the smallest. Raises :class:`SpoolError`."""
    smallest = keys.smallest(SKETCH_KEYS)
    first = b"".join(key.to_bytes(KEY_BYTES, "little") for key in smallest[:N_TEST_VECTORS])
    return Measured(distinct_keys(smallest), hex_keys(first))


def held_layer(
    source: str,
    counts: Counts,
    keys: KeySource,
    spec: FilterSpec,
    writer: BundleWriter,
    max_piece_bytes: int,
) -> Layer:
    """Build and write the layer of keys that are in memory."""
    measured = measure(keys)
    layout = measured.layout(spec)
    (whole,) = layout.ranges(1)
    part = layout.build(keys.within(whole.first_key, whole.last_key), whole)
    return store_layer(source, counts, measured, spec, [part], writer, max_piece_bytes)


def store_layer(
    source: str,
    counts: Counts,
    measured: Measured,
    spec: FilterSpec,
    parts: Sequence[Part],
    writer: BundleWriter,
    max_piece_bytes: int,
    progress: Progress | None = None,
) -> Layer:
    """Write a layer whose filter is there in parts, and confirm its rate."""
    layout = measured.layout(spec)
    built = layout.assemble(parts)
    probe = probe_filter(source, built.contains, built.rate(), PROBE_KEYS)
    stored = writer.add_layer(source, spec.kind, built.pieces(max_piece_bytes), progress)
    counted = [part.n_keys for part in parts if part.n_keys is not None]
    n_keys = sum(counted) if len(counted) == len(parts) else measured.n_distinct
    return layer_record(source, counts, n_keys, spec, layout.parameters, stored, probe, measured.present)


def layer_record(
    source: str,
    counts: Counts,
    n_keys: int,
    spec: FilterSpec,
    parameters: dict[str, Any],
    stored: StoredLayer,
    probe: Probe,
    present: tuple[str, ...],
) -> Layer:
    """What the manifest says of a layer."""
    return Layer(
        source=source,
        filter=parameters,
        documents=counts.documents,
        short_documents=counts.short_documents,
        windows=counts.windows,
        distinct_keys=n_keys,
        text_bytes=counts.text_bytes,
        fpr_target=float(spec.fpr),
        fpr=probe.fpr,
        probe_keys=probe.n_keys,
        probe_hits=probe.n_hits,
        tensors=stored.tensors,
        shards=stored.shards,
        test_vectors=TestVectors(present=present, absent=probe.absent),
    )
