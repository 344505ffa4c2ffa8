"""Whether a layer is what the manifest records of it: every byte of its files, its test keys, its rate."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, BinaryIO

import xxhash

from portrait.bundle.pieces import N_KEYS
from portrait.bundle.reader import MANIFEST_NAME
from portrait.bundle.sketches import read_sketch
from portrait.errors import DamagedBundleError
from portrait.filters import kinds as filters
from portrait.keys.maker import KEY_BYTES
from portrait.markup.numbers import count
from portrait.storage.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.bundle.manifest import Layer, ShardRecord, SketchRecord
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import Filter
    from portrait.progress import Progress

_CHUNK_BYTES = 1 << 22
#: The rate is a sum over all bits: another order of adding may change its last digits.
_RATE_TOLERANCE = 1e-9
#: A full sketch gives the number of keys with a standard error of 0.8 %; a tenth is twelve of these.
_SKETCH_TOLERANCE = 0.1


def check_layer(bundle: Bundle, layer: Layer, progress: Progress) -> None:
    """Compare all of a layer with its record.

    Args:
        bundle: The layer's bundle.
        layer: The record.
        progress: Receives the number of bytes read.

    Raises:
        UnsupportedBundleError: The layer's filter is of an unknown kind.
        DamagedBundleError: The layer is not what its record says; the message names the file.
    """
    # First whether the files can be the layer's at all: that takes no time.
    opened = filters.open_layer(bundle, layer)
    tensors: dict[str, Any] = {}
    for shard in layer.shards:
        sizes = filters.tensor_sizes(bundle, layer, shard)
        _check_shard(bundle, shard, sizes, tensors, progress)
    first = bundle.path / layer.shards[0].file
    if {name: digest.hexdigest() for name, digest in tensors.items()} != layer.tensors:
        raise DamagedBundleError(f"{first}: its tensors are not those of layer {layer.source!r}'s record")
    _check_test_vectors(bundle, layer, opened)
    rate = opened.rate()
    if not math.isclose(rate, layer.fpr, rel_tol=_RATE_TOLERANCE):
        raise DamagedBundleError(f"{first}: the filter's rate is {rate:.6g} and not {layer.fpr:.6g}")
    if layer.sketch is not None:
        _check_sketch(bundle, layer, layer.sketch, opened)
        progress.advance(layer.sketch.bytes)


def _check_sketch(bundle: Bundle, layer: Layer, record: SketchRecord, opened: Filter) -> None:
    """Check that a sketch holds keys of the filter, and about those that are its smallest."""
    keys = read_sketch(bundle, record)
    path = bundle.path / record.file
    try:
        hits = opened.contains(b"".join(key.to_bytes(KEY_BYTES, "little") for key in keys))
    except ValueError as error:
        raise DamagedBundleError(f"{path}: the filter of its layer takes no keys") from error
    if (missing := hits.find(0)) >= 0:
        raise DamagedBundleError(f"{path}: the filter does not hold its key {keys[missing]:016x}")
    if len(keys) < layer.distinct_keys:
        n_keys = len(keys) * N_KEYS / (keys[-1] + 1)
        if abs(n_keys / layer.distinct_keys - 1) > _SKETCH_TOLERANCE:
            raise DamagedBundleError(
                f"{path}: its keys are not the smallest of {count(layer.distinct_keys)}, but of about "
                f"{count(round(n_keys))}"
            )


def _check_test_vectors(bundle: Bundle, layer: Layer, opened: Filter) -> None:
    for wanted, keys in ((1, layer.test_vectors.present), (0, layer.test_vectors.absent)):
        try:
            hits = filters.contains_vectors(bundle, layer, opened, keys)
        except ValueError as error:
            file = bundle.path / MANIFEST_NAME
            raise DamagedBundleError(f"{file}: a test vector {error}") from error
        for key, hit in zip(keys, hits, strict=True):
            if hit != wanted:
                raise DamagedBundleError(
                    f"{bundle.path / layer.shards[0].file}: the filter "
                    f"{'holds' if hit else 'does not hold'} the test key {key:.100}"
                )


def _check_shard(
    bundle: Bundle,
    shard: ShardRecord,
    sizes: Sequence[tuple[str, int]],
    tensors: dict[str, Any],
    progress: Progress,
) -> None:
    """Compare a shard with its digests, and add its tensors, of these ``sizes``, to those in ``tensors``."""
    path = bundle.path / shard.file
    sha256, xxh3 = hashlib.sha256(), xxhash.xxh3_128()

    def digest(file: BinaryIO, n_bytes: int, *more: Any) -> None:
        while n_bytes and (chunk := file.read(min(n_bytes, _CHUNK_BYTES))):
            for one in (sha256, xxh3, *more):
                one.update(chunk)
            n_bytes -= len(chunk)
            progress.advance(len(chunk))

    try:
        # Read, not mapped: a file that shrinks meanwhile ends the reading and not the process.
        with open_regular(path) as file:
            digest(file, shard.bytes - sum(n_bytes for _, n_bytes in sizes))
            for name, n_bytes in sizes:
                digest(file, n_bytes, tensors.setdefault(name, hashlib.sha256()))
    except OSError as error:
        raise DamagedBundleError(f"{path}: {error.strerror}") from error
    if (sha256.hexdigest(), xxh3.hexdigest()) != (shard.sha256, shard.xxh3_128):
        raise DamagedBundleError(f"{path}: its digest is not the recorded one: fetch the bundle again")
