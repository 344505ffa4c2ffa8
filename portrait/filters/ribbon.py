"""The ribbon filter as a layer of a bundle: the smallest kind, built once from all keys.

A shard holds whole partitions: their columns and their table. The columns and the tables of all shards,
end to end, are the same however the layer is cut.
"""

from __future__ import annotations

import math
import struct
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Self

from portrait._native import Filter as NativeFilter
from portrait._native import Keys, build_ribbon, ribbon_partitions
from portrait.bundle.pieces import N_KEYS, Piece
from portrait.bundle.tensors import TensorInfo
from portrait.errors import DamagedBundleError
from portrait.filters.protocols import KeyRange, Part
from portrait.markup.numbers import count
from portrait.sizing import RIBBON_COLUMNS, WORD_BYTES, ribbon_bytes, ribbon_partition_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Buffer

    from portrait.bundle.manifest import Layer
    from portrait.bundle.reader import Bundle

KIND = "ribbon"
COLUMNS, TABLE = "columns", "partitions"
#: The number of keys in memory after which duplicates are dropped.
_SORTED_AT_ONCE = 1 << 23
#: A partition's number in the table: how many blocks it has.
_BLOCKS = struct.Struct("<Q")


class Ribbon:
    """A ribbon filter over its shards' columns and tables, which it keeps alive.

    Args:
        shards: Each shard's columns and table, in the order of the keys.
        n_columns: The number of columns.

    Raises:
        ValueError: The arguments contradict each other.
    """

    def __init__(self, shards: list[tuple[Buffer, Buffer]], n_columns: int) -> None:
        self.native = NativeFilter.ribbon(shards, n_columns)
        self._n_columns = n_columns
        self._shards = [(memoryview(a).cast("B"), memoryview(b).cast("B")) for a, b in shards]

    def contains(self, keys: Buffer) -> bytes:
        """Return one byte per little-endian key of 8 bytes: 1 if the filter holds it."""
        return self.native.contains(keys)

    def rate(self) -> float:
        """Return the false-positive rate for random keys, from the ranks of the columns in all blocks."""
        return self.native.rate()

    def sampled_rate(self) -> float:
        """Return about :meth:`rate`, from evenly spread blocks of filters of more than 65,536."""
        return self.native.sampled_rate()

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """Cut the filter into pieces of as many whole partitions as ``max_bytes`` allow, at least one."""
        sizes = list(self._partition_bytes())
        first = begin = 0
        while first < len(sizes):
            after, n_bytes = first, 0
            while after < len(sizes):
                more = sizes[after] + _BLOCKS.size
                if n_bytes and n_bytes + more > max_bytes:
                    break
                after, n_bytes = after + 1, n_bytes + more
            n = after - first
            end = begin + n_bytes - n * _BLOCKS.size
            yield Piece(
                *key_range(first, after, len(sizes)),
                [
                    TensorInfo.of(COLUMNS, "U64", (end - begin) // WORD_BYTES),
                    TensorInfo.of(TABLE, "U64", n),
                ],
                [
                    *_cut([columns for columns, _ in self._shards], begin, end),
                    *_cut([table for _, table in self._shards], first * _BLOCKS.size, after * _BLOCKS.size),
                ],
            )
            first, begin = after, end

    def _partition_bytes(self) -> Iterator[int]:
        """Yield the size of each partition's columns."""
        for n_blocks in chain.from_iterable(_BLOCKS.iter_unpack(table) for _, table in self._shards):
            yield ribbon_partition_bytes(n_blocks[0], self._n_columns)


def _cut(buffers: Sequence[memoryview], begin: int, end: int) -> Iterator[memoryview]:
    """Yield the bytes from ``begin`` to ``end`` of buffers that lie end to end, as slices of these."""
    for buffer, after in zip(buffers, accumulate(buffer.nbytes for buffer in buffers), strict=True):
        before = after - buffer.nbytes
        if part := buffer[max(0, begin - before) : max(0, end - before)]:
            yield part


def key_range(first: int, after: int, n_partitions: int) -> tuple[int, int]:
    """Return the first and the last key whose partitions are ``first`` to ``after`` − 1."""
    return -(-first * N_KEYS // n_partitions), -(-after * N_KEYS // n_partitions) - 1


def columns_for(fpr: float) -> int:
    """Return the fewest columns that keep the rate within ``fpr``."""
    return min(RIBBON_COLUMNS, math.ceil(-math.log2(fpr)))


class RibbonLayout:
    """The partitions of a filter; a :class:`portrait.filters.protocols.Layout`.

    Args:
        n_keys: The number of distinct keys, which may be an estimate: it decides the number of partitions,
            and each partition is as large as its own keys need.
        n_columns: The number of columns.
    """

    def __init__(self, n_keys: int, n_columns: int) -> None:
        self.n_columns = n_columns
        self.n_partitions = ribbon_partitions(n_keys)

    @classmethod
    def for_keys(cls, n_keys: int, fpr: float) -> Self:
        """Return the layout for about ``n_keys`` distinct keys, at a rate between ``fpr`` / 2 and ``fpr``."""
        return cls(n_keys, columns_for(fpr))

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says about the filter."""
        return {"kind": KIND, "n_columns": self.n_columns, "n_partitions": self.n_partitions}

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
        shard = build_ribbon(unique, self.n_columns, self.n_partitions, within.first, within.after)
        return Part(shard, n_keys)

    def assemble(self, parts: Sequence[Part]) -> Ribbon:
        """Return the filter made of the parts, end to end."""
        return Ribbon([(part.buffers[0], part.buffers[1]) for part in parts], self.n_columns)


def expected(n_keys: int, fpr: float) -> tuple[int, float]:
    """Return about how many bytes a filter for ``n_keys`` distinct keys takes, and its rate."""
    n_columns = columns_for(fpr)
    return ribbon_bytes(n_keys, ribbon_partitions(n_keys), n_columns), 2.0**-n_columns


def open_layer(bundle: Bundle, layer: Layer) -> Ribbon:
    """Map a layer's filter.

    Raises:
        DamagedBundleError: Manifest and files contradict each other.
    """
    n_columns, n_partitions = layer.filter.get("n_columns"), layer.filter.get("n_partitions")
    if type(n_columns) is not int or type(n_partitions) is not int or not 0 < n_partitions <= 1 << 40:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} records {n_partitions!r:.50} partitions with "
            f"{n_columns!r:.50} columns: fetch the bundle again"
        )
    shards: list[tuple[Buffer, Buffer]] = []
    first = 0
    for shard in layer.shards:
        tensors = bundle.map_shard(shard)
        where = bundle.path / shard.file
        if set(tensors) != {COLUMNS, TABLE}:
            raise DamagedBundleError(
                f"{where}: holds {', '.join(tensors):.200} where {COLUMNS} and {TABLE} belong: "
                "fetch the bundle again"
            )
        (columns, words), (table, blocks) = tensors[COLUMNS], tensors[TABLE]
        flat = len(columns.shape) == len(table.shape) == 1
        after = first + (table.shape[0] if flat else 0)
        if not flat or (columns.dtype, table.dtype) != ("U64", "U64") or not first < after <= n_partitions:
            raise DamagedBundleError(
                f"{where}: holds {columns.dtype} {list(columns.shape)} and {table.dtype} {list(table.shape)} "
                f"where partitions from {count(first)} of {count(n_partitions)} belong: fetch the bundle "
                "again"
            )
        if (int(shard.first_key, 16), int(shard.last_key, 16)) != key_range(first, after, n_partitions):
            raise DamagedBundleError(
                f"{where}: holds partitions {count(first)} to {count(after - 1)} of "
                f"{count(n_partitions)}, which are not those of the keys that the manifest names: "
                "fetch the bundle again"
            )
        shards.append((words, blocks))
        first = after
    if first != n_partitions:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} has {count(first)} partitions of {count(n_partitions)}: "
            "fetch the bundle again"
        )
    try:
        return Ribbon(shards, n_columns)
    except (ValueError, OverflowError) as error:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r}: {error}: fetch the bundle again"
        ) from error
