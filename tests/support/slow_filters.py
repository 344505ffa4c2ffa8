"""Filters in plain Python, written from docs/FORMAT.md and docs/pybloom.md: slow, and without the library."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MASK = 2**64 - 1


def mix(h: int) -> int:
    """Return ``h`` mixed by the 64-bit finaliser of MurmurHash3."""
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & MASK
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return h ^ h >> 33


@dataclass(frozen=True)
class Partition:
    """A partition of a ribbon filter: for each slot its values, of which bit j is that of column j."""

    n_columns: int
    values: tuple[int, ...]

    @property
    def n_blocks(self) -> int:
        """The partition's number in the table."""
        return len(self.values) // 64

    def to_bytes(self) -> bytes:
        """Return for each block of 64 slots a word for each column, and zeros up to 64 bytes."""
        words = [
            sum((values >> column & 1) << i for i, values in enumerate(self.values[at : at + 64]))
            for at in range(0, len(self.values), 64)
            for column in range(self.n_columns)
        ]
        data = struct.pack(f"<{len(words)}Q", *words)
        return data + bytes(-len(data) % 64)

    def contains(self, key: int, n_partitions: int) -> bool:
        """Return whether the values in the slots of a key cancel."""
        start, row = ribbon_row(key, n_partitions, self.n_blocks)
        sum_ = 0
        for i in range(128):
            if row >> i & 1:
                sum_ ^= self.values[start + i]
        return sum_ == 0

    def block_rates(self) -> list[float]:
        """Return for each block but the first and the last 2 to the power of minus its columns' rank."""
        rates = []
        for at in range(64, len(self.values) - 64, 64):
            # The rank of the rows, which is that of the columns.
            basis: dict[int, int] = {}
            for values in self.values[at : at + 64]:
                reduced = values
                while reduced and (top := reduced.bit_length()) in basis:
                    reduced ^= basis[top]
                if reduced:
                    basis[reduced.bit_length()] = reduced
            rates.append(2.0 ** -len(basis))
        return rates


def ribbon_row(key: int, n_partitions: int, n_blocks: int) -> tuple[int, int]:
    """Return the slot at which a key's row begins, and its coefficients: bit i is that of the i-th slot."""
    start = (key * n_partitions % 2**64) * 64 * (n_blocks - 2) >> 64
    return start, (mix(key ^ 0x9E3779B97F4A7C15) << 64) | mix(key) | 1


def ribbon_partition(keys: Sequence[int], n_columns: int, n_partitions: int) -> Partition:
    """Return a partition that holds keys, of as many blocks as the library chooses."""
    n_blocks = ribbon_blocks(keys, n_columns, n_partitions)
    n_slots = 64 * n_blocks
    # Rows by their first slot, which is bit 0 of what is left of the row.
    rows: dict[int, int] = {}
    for key in keys:
        slot, row = ribbon_row(key, n_partitions, n_blocks)
        while row:
            while not row & 1:
                slot, row = slot + 1, row >> 1
            if slot not in rows:
                rows[slot] = row
                break
            row ^= rows[slot]
    values = [0] * n_slots
    for slot in reversed(range(n_slots)):
        if slot in rows:
            for i in range(1, 128):
                if rows[slot] >> i & 1:
                    values[slot] ^= values[slot + i]
        else:
            values[slot] = mix(slot ^ 0xD1B54A32D192ED03) & ((1 << n_columns) - 1)
    return Partition(n_columns, tuple(values))


def ribbon_blocks(keys: Sequence[int], n_columns: int, n_partitions: int) -> int:
    """Return by bisection how many blocks a partition has."""
    low = max(3, -(-len(keys) // 64))
    high = low + len(keys) // 256 + 3
    while low < high:
        middle = (low + high) // 2
        starts = sorted(ribbon_row(key, n_partitions, middle)[0] for key in keys)
        waiting = most = last = 0
        for start in starts:
            waiting = max(0, waiting - (start - last)) + 1
            last, most = start, max(most, waiting)
        if most <= 114 - n_columns:
            high = middle
        else:
            low = middle + 1
    return high


class PyBloom:
    """A filter of the package pybloom-live."""

    def __init__(self, capacity: int, rate: float) -> None:
        self.rate, self.capacity = rate, capacity
        self.n_slices = math.ceil(math.log2(1 / rate))
        self.slice_bits = math.ceil(capacity * abs(math.log(rate)) / (self.n_slices * math.log(2) ** 2))
        self.bits = 0
        self.count = 0

    def positions(self, window: bytes) -> list[int]:
        """Return the bit that a window sets in each slice."""
        size = 2 if self.slice_bits < 1 << 15 else 4 if self.slice_bits < 1 << 31 else 8
        digest = self.digest(self.n_slices * size)
        numbers: list[int] = []
        salt = 0
        while len(numbers) < self.n_slices:
            one = digest(digest(salt.to_bytes(4, "little")) + window)
            numbers += [int.from_bytes(one[at : at + size], "little") for at in range(0, len(one), size)]
            salt += 1
        return [number % self.slice_bits for number in numbers[: self.n_slices]]

    @staticmethod
    def digest(n_bytes: int) -> Callable[[bytes], bytes]:
        """Return the first hash function whose digest is long enough, or the longest one."""
        if n_bytes <= 16:
            return lambda data: xxhash.xxh3_128_digest(data)
        hashes = (hashlib.sha1, hashlib.sha256, hashlib.sha384, hashlib.sha512)
        fitting = [one for one in hashes if one().digest_size >= n_bytes] or [hashlib.sha512]
        return lambda data: fitting[0](data).digest()

    def add(self, window: bytes) -> None:
        """Add a window that was not added before."""
        for i, position in enumerate(self.positions(window)):
            self.bits |= 1 << (i * self.slice_bits + position)
        self.count += 1

    def contains(self, window: bytes) -> bool:
        """Return whether all of a window's bits are set."""
        return all(
            self.bits >> (i * self.slice_bits + position) & 1
            for i, position in enumerate(self.positions(window))
        )

    def to_bytes(self) -> bytes:
        """Return the filter's file."""
        header = struct.pack("<dQQQQ", self.rate, self.n_slices, self.slice_bits, self.capacity, self.count)
        return header + self.bits.to_bytes(-(-self.n_slices * self.slice_bits // 8), "little")
