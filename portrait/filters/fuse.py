"""The binary fuse filter as a layer of a bundle: the smallest kind, built once from all keys.

A shard holds whole partitions: their table and their fingerprints. The tables and the fingerprints of
all shards, end to end, are the same however the layer is cut.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Self

from portrait._native import Filter as NativeFilter
from portrait._native import Keys, build_fuse, fuse_partitions
from portrait.bundle.pieces import N_KEYS, Piece
from portrait.bundle.tensors import TensorInfo
from portrait.errors import DamagedBundleError
from portrait.filters.protocols import KeyRange, Part
from portrait.markup.numbers import count
from portrait.sizing import fuse_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Buffer

    from portrait.bundle.manifest import Layer
    from portrait.bundle.reader import Bundle

KIND = "fuse"
TABLE, FINGERPRINTS = "partitions", "fingerprints"
MAX_BITS = 32
#: The number of keys in memory after which duplicates are dropped.
_SORTED_AT_ONCE = 1 << 23
#: A partition's row in the table: seed, log2 of the segment length, segments, first byte, four zeros.
_ROW = struct.Struct("<8Q")


class Fuse:
    """A binary fuse filter over its shards' tables and fingerprints, which it keeps alive.

    Args:
        shards: Each shard's table and fingerprints, in the order of the keys.
        fingerprint_bits: The number of bits in a fingerprint.

    Raises:
        ValueError: The arguments contradict each other.
    """

    def __init__(self, shards: list[tuple[Buffer, Buffer]], fingerprint_bits: int) -> None:
        self.native = NativeFilter.fuse(shards, fingerprint_bits)
        self._shards = [(memoryview(a).cast("B"), memoryview(b).cast("B")) for a, b in shards]

    def contains(self, keys: Buffer) -> bytes:
        """Return one byte per little-endian key of 8 bytes: 1 if the filter holds it."""
        return self.native.contains(keys)

    def rate(self) -> float:
        """Return the false-positive rate for random keys: 2^-bits, the chance of a random fingerprint."""
        return self.native.rate()

    def sampled_rate(self) -> float:
        """Return :meth:`rate`, which depends on no fingerprint."""
        return self.rate()

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """Cut the filter into pieces of as many whole partitions as ``max_bytes`` allow, at least one."""
        partitions = list(self._partitions())
        first = 0
        while first < len(partitions):
            after, n_bytes = first, 0
            while after < len(partitions):
                more = _ROW.size + partitions[after][1].nbytes
                if n_bytes and n_bytes + more > max_bytes:
                    break
                after, n_bytes = after + 1, n_bytes + more
            own = partitions[first:after]
            yield Piece(
                *key_range(first, after, len(partitions)),
                [
                    TensorInfo.of(TABLE, "U64", len(own), _ROW.size // 8),
                    TensorInfo.of(FINGERPRINTS, "U8", sum(data.nbytes for _, data in own)),
                ],
                [*(row for row, _ in own), *(data for _, data in own)],
            )
            first = after

    def _partitions(self) -> Iterator[tuple[memoryview, memoryview]]:
        """Yield each partition's row and fingerprints."""
        for table, data in self._shards:
            rows = [table[i : i + _ROW.size] for i in range(0, table.nbytes, _ROW.size)]
            firsts = [_ROW.unpack(row)[3] for row in rows]
            ends = [*firsts[1:], firsts[0] + data.nbytes]
            for row, first, end in zip(rows, firsts, ends, strict=True):
                yield row, data[first - firsts[0] : end - firsts[0]]


def key_range(first: int, after: int, n_partitions: int) -> tuple[int, int]:
    """Return the first and the last key whose partitions are ``first`` to ``after`` − 1."""
    return first * N_KEYS // n_partitions, after * N_KEYS // n_partitions - 1


def bits_for(fpr: float) -> int:
    """Return the fewest fingerprint bits that keep the rate within ``fpr``."""
    return min(MAX_BITS, math.ceil(-math.log2(fpr)))


class FuseLayout:
    """The partitions of a filter; a :class:`portrait.filters.protocols.Layout`.

    Args:
        n_keys: The number of distinct keys, which may be an estimate: it decides the number of partitions,
            and each partition is as large as its own keys need.
        fingerprint_bits: The number of bits in a fingerprint.
    """

    def __init__(self, n_keys: int, fingerprint_bits: int) -> None:
        self.fingerprint_bits = fingerprint_bits
        self.n_partitions = fuse_partitions(n_keys)

    @classmethod
    def for_keys(cls, n_keys: int, fpr: float) -> Self:
        """Return the layout for about ``n_keys`` distinct keys, at a rate between ``fpr`` / 2 and ``fpr``."""
        return cls(n_keys, bits_for(fpr))

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says about the filter."""
        return {"kind": KIND, "fingerprint_bits": self.fingerprint_bits, "n_partitions": self.n_partitions}

    def ranges(self, n_ranges: int) -> list[KeyRange]:
        """Return all keys, in ranges of the same number of partitions; the last may be shorter."""
        per_range = -(-self.n_partitions // n_ranges)
        return [
            KeyRange(first, after, *key_range(first, after, self.n_partitions))
            for first in range(0, self.n_partitions, per_range)
            for after in [min(self.n_partitions, first + per_range)]
        ]

    def build(self, keys: Iterable[Keys | Buffer], within: KeyRange) -> Part:
        """Build the partitions of a range from keys in any order, and count the distinct keys."""
        unique = Keys()
        limit = _SORTED_AT_ONCE
        for batch in keys:
            unique.extend(batch)
            if len(unique) >= limit:
                # Repeated keys need not all be in memory at once.
                limit = max(limit, 2 * unique.sort_unique())
        n_keys = unique.sort_unique()
        shard = build_fuse(unique, self.fingerprint_bits, self.n_partitions, within.first, within.after)
        return Part(shard, n_keys)

    def assemble(self, parts: Sequence[Part]) -> Fuse:
        """Return the filter made of the parts: their tables count bytes from the filter's beginning."""
        shards: list[tuple[Buffer, Buffer]] = []
        first_byte = 0
        for table, fingerprints in (part.buffers for part in parts):
            rows = [list(row) for row in _ROW.iter_unpack(table)]
            for row in rows:
                row[3] += first_byte
            shards.append((b"".join(_ROW.pack(*row) for row in rows), fingerprints))
            first_byte += memoryview(fingerprints).nbytes
        return Fuse(shards, self.fingerprint_bits)


def expected(n_keys: int, fpr: float) -> tuple[int, float]:
    """Return about how many bytes a filter for ``n_keys`` distinct keys takes, and its rate."""
    bits = bits_for(fpr)
    return fuse_bytes(n_keys, fuse_partitions(n_keys), bits), 2.0**-bits


def open_layer(bundle: Bundle, layer: Layer) -> Fuse:
    """Map a layer's filter.

    Raises:
        DamagedBundleError: Manifest and files contradict each other.
    """
    bits, n_partitions = layer.filter.get("fingerprint_bits"), layer.filter.get("n_partitions")
    if type(bits) is not int or type(n_partitions) is not int or not 0 < n_partitions <= 1 << 40:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} records {n_partitions!r:.50} partitions with "
            f"fingerprints of {bits!r:.50} bits: fetch the bundle again"
        )
    shards: list[tuple[Buffer, Buffer]] = []
    first = 0
    for shard in layer.shards:
        tensors = bundle.map_shard(shard)
        where = bundle.path / shard.file
        if set(tensors) != {TABLE, FINGERPRINTS}:
            raise DamagedBundleError(
                f"{where}: holds {', '.join(tensors):.200} where {TABLE} and {FINGERPRINTS} belong: "
                "fetch the bundle again"
            )
        (table, rows), (values, data) = tensors[TABLE], tensors[FINGERPRINTS]
        n = table.shape[0] if len(table.shape) == 2 else 0
        after = first + n
        fits = (table.dtype, table.shape, values.dtype) == ("U64", (n, _ROW.size // 8), "U8")
        if not fits or n == 0 or after > n_partitions:
            raise DamagedBundleError(
                f"{where}: holds {table.dtype} {list(table.shape)} and {values.dtype} where partitions "
                f"from {count(first)} of {count(n_partitions)} belong: fetch the bundle again"
            )
        if (int(shard.first_key, 16), int(shard.last_key, 16)) != key_range(first, after, n_partitions):
            raise DamagedBundleError(
                f"{where}: holds partitions {count(first)} to {count(after - 1)} of "
                f"{count(n_partitions)}, which are not those of the keys that the manifest names: "
                "fetch the bundle again"
            )
        shards.append((rows, data))
        first = after
    if first != n_partitions:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} has {count(first)} partitions of {count(n_partitions)}: "
            "fetch the bundle again"
        )
    try:
        return Fuse(shards, bits)
    except (ValueError, OverflowError) as error:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r}: {error}: fetch the bundle again"
        ) from error
