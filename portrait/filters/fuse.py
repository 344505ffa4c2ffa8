"""The binary fuse filter as a layer of a bundle: the smallest, built once from all keys.

A shard holds whole partitions: a table of them, and their fingerprints. The tables and the
fingerprints of all shards, end to end, are the same however the layer is cut.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Self

from portrait import _native
from portrait.errors import DamagedBundleError
from portrait.filters.base import N_KEYS, Piece
from portrait.tensors import TensorInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from portrait.bundle import Bundle
    from portrait.manifest import Layer

KIND = "fuse"
TABLE, FINGERPRINTS = "partitions", "fingerprints"
MAX_BITS = 32
#: Numbers in a partition's row: seed, log2 of the segment length, segments, first byte, four zeros.
_ROW = struct.Struct("<8Q")


class Fuse:
    """A binary fuse filter over its shards' tables and fingerprints, which it keeps alive.

    Raises :class:`ValueError` where they contradict each other.
    """

    def __init__(self, shards: list[tuple[Buffer, Buffer]], fingerprint_bits: int) -> None:
        self.native = _native.Filter.fuse(shards, fingerprint_bits)
        self._shards = [(memoryview(a).cast("B"), memoryview(b).cast("B")) for a, b in shards]

    def contains(self, keys: Buffer) -> bytes:
        """One byte per key (little-endian, 8 bytes each): 1 where the filter holds it."""
        return self.native.contains(keys)

    def rate(self) -> float:
        """The false-positive rate for random keys: 2^-bits, the chance of a random fingerprint."""
        return self.native.rate()

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """Whole partitions, as many in a piece as ``max_bytes`` allow, and one at least."""
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
        """Each partition's row and fingerprints."""
        for table, data in self._shards:
            rows = [table[i : i + _ROW.size] for i in range(0, table.nbytes, _ROW.size)]
            firsts = [_ROW.unpack(row)[3] for row in rows]
            ends = [*firsts[1:], firsts[0] + data.nbytes]
            for row, first, end in zip(rows, firsts, ends, strict=True):
                yield row, data[first - firsts[0] : end - firsts[0]]


def key_range(first: int, after: int, n_partitions: int) -> tuple[int, int]:
    """The first and the last key whose partitions are ``first`` to ``after`` − 1."""
    return first * N_KEYS // n_partitions, after * N_KEYS // n_partitions - 1


def bits_for(fpr: float) -> int:
    """The fewest fingerprint bits that keep the rate within ``fpr``."""
    return min(MAX_BITS, math.ceil(-math.log2(fpr)))


class FuseBuilder:
    """Builds a filter of ``n_keys`` keys with fingerprints of ``fingerprint_bits``."""

    def __init__(self, n_keys: int, fingerprint_bits: int) -> None:
        self.fingerprint_bits = fingerprint_bits
        self.n_partitions = _native.fuse_partitions(n_keys)
        self._fuse: Fuse | None = None

    @classmethod
    def for_keys(cls, n_keys: int, fpr: float) -> Self:
        """A filter of ``n_keys`` distinct keys whose rate is ``fpr`` or up to half of it."""
        return cls(n_keys, bits_for(fpr))

    def insert(self, keys: _native.Keys | Buffer) -> None:
        """Build the filter: all keys at once, ascending and unique. Raises :class:`ValueError`."""
        if self._fuse is not None:
            raise ValueError("a fuse filter takes all of its keys at once")
        shard = _native.build_fuse(keys, self.fingerprint_bits, self.n_partitions)
        self._fuse = Fuse([shard], self.fingerprint_bits)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says of the filter."""
        return {"kind": KIND, "fingerprint_bits": self.fingerprint_bits, "n_partitions": self.n_partitions}

    def finish(self) -> Fuse:
        """The filter, to be asked."""
        if self._fuse is None:
            raise ValueError("a fuse filter has no keys yet")
        return self._fuse

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """See :meth:`Fuse.pieces`."""
        return self.finish().pieces(max_bytes)


def open_layer(bundle: Bundle, layer: Layer) -> Fuse:
    """Map a layer's filter. Raises :class:`DamagedBundleError` where manifest and files differ."""
    bits, n_partitions = layer.filter.get("fingerprint_bits"), layer.filter.get("n_partitions")
    if type(bits) is not int or type(n_partitions) is not int or not 0 < n_partitions <= 1 << 40:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} speaks of {n_partitions!r:.50} partitions with "
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
                f"{where}: holds {table.dtype} {list(table.shape)} and {values.dtype} where partitions from "
                f"{first} of {n_partitions} belong: fetch the bundle again"
            )
        if (int(shard.first_key, 16), int(shard.last_key, 16)) != key_range(first, after, n_partitions):
            raise DamagedBundleError(
                f"{where}: holds partitions {first} to {after - 1}, not those of the keys that the manifest "
                f"names, in a filter of {n_partitions}: fetch the bundle again"
            )
        shards.append((rows, data))
        first = after
    if first != n_partitions:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} has {first} partitions of {n_partitions}: "
            "fetch the bundle again"
        )
    try:
        return Fuse(shards, bits)
    except (ValueError, OverflowError) as error:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r}: {error}: fetch the bundle again"
        ) from error
