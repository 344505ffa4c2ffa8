"""Keys → parts of filters → layers of a bundle: the half of a build that sees only keys."""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash

from portrait import filters
from portrait.errors import OutputError, SpoolError
from portrait.filters.base import KeyRange, Part
from portrait.keymaker import KEY_BYTES, Counts
from portrait.manifest import Layer, Shard, TestVectors
from portrait.probe import N_TEST_VECTORS, PROBE_KEYS, Probe, hex_keys, probe_filter
from portrait.sizing import SKETCH_KEYS, distinct_keys, keys_to_hold
from portrait.spool import Run, Spool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.engines.base import Report
    from portrait.filters.base import Layout
    from portrait.progress import Progress
    from portrait.spec import FilterSpec
    from portrait.spool import KeySource
    from portrait.writer import BundleWriter

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


@dataclass(frozen=True, slots=True)
class PartTask:
    """A part of a layer's filter to be made; a :class:`portrait.engines.base.Task`.

    ``runs`` is a file that lists the layer's runs of ``n_partitions`` each, as JSON.
    """

    name: str
    source: str
    spec: FilterSpec
    measured: Measured
    within: KeyRange
    directory: Path
    runs: str
    n_partitions: int

    @property
    def label(self) -> str:
        """The source's, and the number of the part."""
        return f"source {self.source!r}, {self.name}"


def read_runs(directory: Path, name: str) -> list[Run]:
    """The runs that a file lists. Raises :class:`SpoolError`."""
    try:
        return [Run(*run) for run in json.loads((directory / name).read_bytes())["runs"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SpoolError(
            f"{directory / name}: cannot be read: {error}: run the same command again"
        ) from error


def build_part(task: PartTask, report: Report) -> dict[str, Any]:
    """Make a part of a filter and write it to a file; what it returns says what is in that.

    Raises :class:`SpoolError`, :class:`OutputError`.
    """
    spool = Spool(task.directory, read_runs(task.directory, task.runs), task.n_partitions)
    layout = task.measured.layout(task.spec)
    n_bytes = 0

    def keys() -> Any:
        nonlocal n_bytes
        for some in spool.within(task.within.first_key, task.within.last_key):
            size = memoryview(some).nbytes
            n_bytes += size
            report(size)
            yield some

    part = layout.build(keys(), task.within)
    digest = xxhash.xxh3_64()
    path = task.directory / f"{task.name}.part"
    try:
        with path.open("wb", buffering=0) as file:
            for buffer in part.buffers:
                rest = memoryview(buffer).cast("B")
                while rest:
                    chunk = rest[: file.write(rest[:_WRITE_BYTES])]
                    digest.update(chunk)
                    rest = rest[len(chunk) :]
        path.rename(path.with_suffix(".filter"))
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(
            f"{task.directory}: cannot write a part of the filter there: {error.strerror}: make room, or "
            "choose another --work-dir; the same command goes on from here"
        ) from error
    sizes = [memoryview(buffer).nbytes for buffer in part.buffers]
    return {"sizes": sizes, "xxh3_64": digest.hexdigest(), "n_keys": part.n_keys}


def open_part(directory: Path, name: str, record: dict[str, Any]) -> Part:
    """Map a part that :func:`build_part` made. Raises :class:`SpoolError` where it is not as it was."""
    path = directory / f"{name}.filter"
    again = "run the same command again, which will make it anew"
    sizes = record["sizes"]
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size != sum(sizes) or not size:
                raise SpoolError(f"{path}: is not as long as it was: {again}")
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise SpoolError(f"{path}: {error.strerror}: {again}") from error
    if xxhash.xxh3_64_hexdigest(data) != record["xxh3_64"]:
        raise SpoolError(f"{path}: is damaged: its checksum does not fit: {again}")
    buffers = []
    for n_bytes in sizes:
        buffers.append(data[:n_bytes])
        data = data[n_bytes:]
    return Part(tuple(buffers), record["n_keys"])


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
    stored: tuple[tuple[Shard, ...], dict[str, str]],
    probe: Probe,
    present: tuple[str, ...],
) -> Layer:
    """What the manifest says of a layer."""
    shards, tensors = stored
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
        tensors=tensors,
        shards=shards,
        test_vectors=TestVectors(present=present, absent=probe.absent),
    )
