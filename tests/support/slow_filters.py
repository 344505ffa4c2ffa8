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
    """A partition of a binary fuse filter: its row of the table, and its slots."""

    seed: int
    segment_bits: int
    n_segments: int
    first_byte: int
    fingerprint_bits: int
    slots: tuple[int, ...]

    @property
    def row(self) -> bytes:
        """The partition's row of the table."""
        return struct.pack("<8Q", self.seed, self.segment_bits, self.n_segments, self.first_byte, 0, 0, 0, 0)

    def to_bytes(self) -> bytes:
        """Return the slots end to end, padded to whole words, and one word more."""
        bits = sum(value << i * self.fingerprint_bits for i, value in enumerate(self.slots))
        n_words = -(-len(self.slots) * self.fingerprint_bits // 64)
        return bits.to_bytes(8 * n_words, "little") + bytes(8)

    def look_up(self, key: int) -> tuple[int, list[int]]:
        """Return a key's fingerprint and its four slots."""
        return look_up(key, self.seed, self.segment_bits, self.n_segments, self.fingerprint_bits)

    def contains(self, key: int) -> bool:
        """Return whether the exclusive or of a key's slots is its fingerprint."""
        fingerprint, slots = self.look_up(key)
        for slot in slots:
            fingerprint ^= self.slots[slot]
        return fingerprint == 0


def look_up(key: int, seed: int, segment_bits: int, n_segments: int, bits: int) -> tuple[int, list[int]]:
    """Return a key's fingerprint and its four slots in a partition of a binary fuse filter."""
    h = mix(key ^ seed)
    fingerprint = ((h ^ h >> 32) * 0x9E3779B97F4A7C15 & MASK) >> (64 - bits)
    length = 1 << segment_bits
    first = h * n_segments * length >> 64
    others = [(first + i * length) ^ (h >> (i - 1) * segment_bits) % length for i in (1, 2, 3)]
    return fingerprint, [first, *others]


def fuse_partition(keys: Sequence[int], fingerprint_bits: int, first_byte: int) -> Partition:
    """Return a partition that holds keys: try seeds until the equations of the slots have a solution."""
    segment_bits = 2
    n_segments = max(1, -(-len(keys) * 5 // 4 >> segment_bits))
    n_slots = (n_segments + 3) << segment_bits
    for seed in range(1, 1000):
        shape = (seed, segment_bits, n_segments, fingerprint_bits)
        slots = solution([look_up(key, *shape) for key in keys], n_slots)
        if slots is not None:
            return Partition(seed, segment_bits, n_segments, first_byte, fingerprint_bits, slots)
    raise AssertionError("no seed works")


def solution(equations: list[tuple[int, list[int]]], n_slots: int) -> tuple[int, ...] | None:
    """Return values of slots whose exclusive or is each equation's number, or None if there are none."""
    rows: dict[int, tuple[int, int]] = {}
    for value, slots in equations:
        mask = sum(1 << slot for slot in slots)
        while mask:
            top = mask.bit_length() - 1
            if top not in rows:
                rows[top] = mask, value
                break
            mask, value = mask ^ rows[top][0], value ^ rows[top][1]
        else:
            if value:
                return None
    values = [0] * n_slots
    # The other slots of a row are below its highest one.
    for top in sorted(rows):
        mask, value = rows[top]
        for slot in range(top):
            if mask >> slot & 1:
                value ^= values[slot]
        values[top] = value
    return tuple(values)


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
