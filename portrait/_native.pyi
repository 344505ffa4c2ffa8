"""The kernel. See ``native/src``; every call releases the interpreter's lock while it works."""

from collections.abc import Sequence
from typing import final

from typing_extensions import Buffer

__all__ = [
    "BloomBits",
    "Filter",
    "Keys",
    "Memory",
    "PyBloomBits",
    "RowError",
    "Scan",
    "Scanner",
    "Sketch",
    "Windows",
    "build_fuse",
    "fuse_partitions",
    "unicode_version",
]

class RowError(ValueError):
    """A row of a batch has no usable text: ``args`` is (row from 0, message)."""

@final
class Windows:
    """How texts become windows."""

    def __new__(cls, normalizer: str, unit: str, width: int, stride: int) -> Windows: ...
    def normalize(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """The normalised text, and the origin [start, end) of each of its characters."""

@final
class Keys:
    """A growing list of 64-bit keys; its buffer is little-endian."""

    def __new__(cls, *, documents: bool = True) -> Keys:
        """An empty list, for documents' own keys, too, if ``documents``."""

    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def add_text(self, windows: Windows, text: str) -> tuple[int, int, int, int]:
        """Append one document's keys; returns documents, short documents, windows, bytes."""

    def add_batch(
        self,
        windows: Windows,
        offsets: Buffer,
        offset_bytes: int,
        data: Buffer,
        validity: Buffer | None,
        first: int,
        n_rows: int,
    ) -> tuple[int, int, int, int]:
        """Append the keys of an Arrow column's rows that are not null. Raises RowError."""

    def clear(self) -> None:
        """Forget all keys, keeping the memory."""

    def sort_unique(self) -> int:
        """Sort the keys and drop duplicates; returns how many are left."""

    def extend(self, keys: Buffer, first: int = 0, last: int = ...) -> int:
        """Append those of a buffer's keys that are ``first`` to ``last``; returns how many these are."""

    def partitioned(self, n_partitions: int) -> tuple[Memory, list[int]]:
        """The keys ordered by partition, ⌊key · n_partitions / 2^64⌋, and how many are in each."""

@final
class Sketch:
    """The ``k`` smallest different keys, of which the number of all is estimated."""

    def __new__(cls, k: int) -> Sketch: ...
    def add(self, keys: Keys | Buffer) -> None:
        """Add keys, in any order, any number of times."""

    def smallest(self) -> bytes:
        """The smallest keys in ascending order, little-endian: all of them, where there are fewer."""

@final
class BloomBits:
    """The bits of a split-block Bloom filter under construction, or those of some of its blocks."""

    def __new__(cls, n_blocks: int, first: int = 0, after: int | None = None) -> BloomBits:
        """Blocks ``first`` to ``after`` − 1 of a filter of ``n_blocks``."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
    def insert(self, keys: Keys | Buffer) -> None:
        """Add keys. Raises ValueError for one that belongs to another block."""

@final
class Memory:
    """Memory that the kernel has filled; it does not change any more."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class PyBloomBits:
    """The bits of a pybloom-live filter under construction."""

    def __new__(cls, n_slices: int, slice_bits: int) -> PyBloomBits: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def add_batch(
        self,
        windows: Windows,
        offsets: Buffer,
        offset_bytes: int,
        data: Buffer,
        validity: Buffer | None,
        first: int,
        n_rows: int,
    ) -> tuple[int, int, int, int]:
        """Add the stored windows of an Arrow column's rows that are not null. Raises RowError."""

@final
class Filter:
    """A filter of any kind in buffers, usually mapped files."""

    @staticmethod
    def bloom(buffers: Sequence[Buffer]) -> Filter:
        """A split-block Bloom filter: whole blocks of 32 bytes, as many in each buffer but the last."""

    @staticmethod
    def redisbloom(links: list[tuple[list[Buffer], int, int]], wide: bool) -> Filter:
        """A filter of RedisBloom. For each link: its bytes in one or several buffers, the bits in
        use, and how many of them are a window's. ``wide``: hashed with the 64-bit function.
        """

    @staticmethod
    def fuse(shards: list[tuple[Buffer, Buffer]], fingerprint_bits: int) -> Filter:
        """A binary fuse filter: for each shard, in the order of the keys, table and fingerprints."""

    @staticmethod
    def pybloom(buffer: Buffer, n_slices: int, slice_bits: int) -> Filter:
        """A pybloom-live filter: its bits, without the file's header."""

    def contains(self, keys: Buffer) -> bytes:
        """One byte per key: 1 where the filter holds it.

        Raises ValueError for a filter that has a hash of its own.
        """

    def contains_windows(self, windows: list[str]) -> bytes:
        """One byte per window, each a piece of normalised text: 1 where the filter holds it."""

    def rate(self) -> float:
        """The false-positive rate, read off the filter's bits."""

    def fills(self) -> list[float]:
        """The share of bits set in each link of a RedisBloom filter; none for other kinds."""

@final
class Scan:
    """What the filters say of a text."""

    @property
    def n_units(self) -> int:
        """The normalised text's length in units."""

    @property
    def n_windows(self) -> int:
        """Windows tested."""

    def layers(
        self,
    ) -> list[tuple[int, bool, int, int, tuple[int, int, int, float, int, int] | None]]:
        """Per filter: hits, whether the text is a document, windows of the longest chain, different
        windows of the chain that has most of them, and the stretch most like a copy with edits:
        (window, windows, hits, score, start, end).
        """

    def chains(self, layer: int, min_distinct: int) -> list[tuple[int, int, int, int, int]]:
        """A filter's chains of so many different windows or more: (window, windows, different ones,
        start, end).
        """

@final
class Scanner:
    """Asks all windows of a text of several filters in one pass."""

    def __new__(cls, windows: Windows, filters: list[tuple[Filter, float]]) -> Scanner:
        """Each filter comes with its false-positive rate."""

    def scan(self, text: str) -> Scan:
        """What the filters say of a text."""

    def hits(self, text: str) -> list[bytes]:
        """For each filter, a byte per window: 1 where the filter holds it."""

def build_fuse(
    keys: Keys | Buffer, fingerprint_bits: int, n_partitions: int, first: int = 0, after: int | None = None
) -> tuple[Memory, Memory]:
    """A binary fuse filter of keys that are sorted and unique, or the partitions ``first`` to ``after`` − 1
    of one: its table and fingerprints. The table counts bytes from the first of these partitions.
    """

def fuse_partitions(n_keys: int) -> int:
    """How many partitions a binary fuse filter of so many keys has: a power of two."""

def unicode_version() -> str:
    """The Unicode version the normalisers follow."""
