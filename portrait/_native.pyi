"""The kernel (``native/src``).

Every call releases the GIL while it works. In the main thread it handles signals meanwhile, every 50 ms or
so, and ends with what a handler raises, such as :class:`KeyboardInterrupt`. Then :class:`Keys` hold what they
held before, in some order, and filters under construction perhaps some of the new keys.
"""

from collections.abc import Sequence
from typing import Literal, final

from typing_extensions import Buffer

__all__ = [
    "BloomBits",
    "Filter",
    "Keys",
    "Map",
    "Memory",
    "PyBloomBits",
    "RowError",
    "Scan",
    "Scanner",
    "Sketch",
    "Windows",
    "build_ribbon",
    "explain_bus_errors",
    "ribbon_partitions",
    "unicode_version",
]

class RowError(ValueError):
    """A row of a batch without usable text: ``args`` is (row from 0, message)."""

@final
class Windows:
    """How texts become windows."""

    def __new__(cls, normalizer: str, unit: str, width: int, sampling: str, gap: int) -> Windows:
        """Create a specification.

        Args:
            normalizer: The normaliser's name.
            unit: What windows count: ``char``, ``byte`` or ``word``.
            width: Units in a window.
            sampling: ``minimizer`` or ``stride``.
            gap: The span or the stride, in units.

        Raises:
            ValueError: A name is unknown, a number is 0, or windows are too narrow for the sampling.
        """

    def asked(self, text: str) -> list[int]:
        """Return the units of the normalised text at which the windows begin that a question asks."""

    def stored(self, text: str) -> list[int]:
        """Return the units of the normalised text at which the windows begin that a document stores."""

    def normalize(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """Return the normalised text, and the origin [start, end) of each of its characters."""

@final
class Keys:
    """A growing list of 64-bit keys; its buffer is little-endian."""

    def __new__(cls, *, documents: Literal["all", "long", "none"] = "long") -> Keys:
        """Create an empty list.

        With the keys of windows it collects those of whole documents: of ``all``, of ``long`` ones, which
        have a window, or of ``none``.
        """

    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def add_text(self, windows: Windows, text: str) -> tuple[int, int, int, int]:
        """Append one document's keys; return documents, short documents, windows, bytes."""

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
        """Append the keys of an Arrow column's rows that are not null.

        Of windows that the text chooses, a key that equals the one before it is left out.

        Returns:
            Documents, short documents, stored windows with repetitions, bytes.

        Raises:
            RowError: A row is not UTF-8, or the buffers contradict each other.
        """

    def clear(self) -> None:
        """Remove all keys, keeping the memory."""

    def sort_unique(self) -> int:
        """Sort the keys and drop duplicates; return how many are left."""

    def extend(self, keys: Buffer, first: int = 0, last: int = ...) -> int:
        """Append the keys of a buffer that are in ``first`` to ``last``; return how many there are."""

    def partitioned(self, n_partitions: int) -> tuple[Memory, list[int]]:
        """Return the keys ordered by partition, ⌊key · n_partitions / 2^64⌋, and each partition's size."""

@final
class Sketch:
    """The ``k`` smallest distinct keys, from which the number of all distinct keys is estimated."""

    def __new__(cls, k: int) -> Sketch: ...
    def add(self, keys: Keys | Buffer) -> None:
        """Add keys, in any order, any number of times."""

    def smallest(self) -> bytes:
        """Return the smallest keys in ascending order, little-endian; fewer than ``k`` if there are fewer."""

@final
class BloomBits:
    """A split-block Bloom filter under construction, or a range of its blocks; its buffer is the bits."""

    def __new__(cls, n_blocks: int, first: int = 0, after: int | None = None) -> BloomBits:
        """Create blocks ``first`` to ``after`` − 1 of a filter of ``n_blocks``."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
    def insert(self, keys: Keys | Buffer) -> None:
        """Add keys.

        Raises:
            ValueError: A key belongs to a block outside this range.
        """

@final
class Map:
    """A file mapped into memory, read-only, without a file descriptor; its buffer is the file's bytes."""

    def __new__(cls, descriptor: int, n_bytes: int, sequential: bool, name: bytes) -> Map:
        """Map the first ``n_bytes`` of an open file, at least one.

        Args:
            descriptor: The open file, which may be closed afterwards.
            n_bytes: How many bytes to map.
            sequential: Whether they will be read from end to end rather than at random.
            name: The file's name in messages.

        Raises:
            OSError: The file cannot be mapped.
        """

    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Memory:
    """Memory that the kernel has filled; it never changes."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class PyBloomBits:
    """A pybloom-live filter under construction; its buffer is the bits."""

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
        """Add the stored windows of an Arrow column's rows that are not null.

        Returns:
            Documents, short documents, windows, bytes.

        Raises:
            RowError: A row is not UTF-8, or the buffers contradict each other.
        """

@final
class Filter:
    """A filter of any kind in buffers, usually mapped files."""

    @staticmethod
    def bloom(buffers: Sequence[Buffer]) -> Filter:
        """Open a split-block Bloom filter.

        Args:
            buffers: Whole blocks of 32 bytes; all buffers have the same size, except that the last may be
                smaller.

        Raises:
            ValueError: The buffers are not as described.
        """

    @staticmethod
    def redisbloom(links: list[tuple[list[Buffer], int, int]], wide: bool) -> Filter:
        """Open a RedisBloom filter.

        Args:
            links: For each link, its bytes in one or several buffers, bits in use, and bits per window.
            wide: Whether windows are hashed with the 64-bit function.

        Raises:
            ValueError: A link's buffers are shorter than its bits, or a number is 0.
        """

    @staticmethod
    def ribbon(shards: list[tuple[Buffer, Buffer]], n_columns: int) -> Filter:
        """Open a ribbon filter.

        Args:
            shards: Each shard's columns and table, in the order of the keys.
            n_columns: The number of columns.

        Raises:
            ValueError: A table contradicts itself or its columns.
        """

    @staticmethod
    def pybloom(buffer: Buffer, n_slices: int, slice_bits: int) -> Filter:
        """Open a pybloom-live filter.

        Args:
            buffer: The filter's bits, without the file's header.
            n_slices: The number of slices.
            slice_bits: The number of bits in a slice.

        Raises:
            ValueError: The buffer does not have as many bits.
        """

    def contains(self, keys: Buffer) -> bytes:
        """Return one byte per key: 1 if the filter contains it.

        Raises:
            ValueError: The filter has a hash function of its own.
        """

    def contains_windows(self, windows: list[str]) -> bytes:
        """Return one byte per window, each a piece of normalised text: 1 if the filter contains it."""

    def rate(self) -> float:
        """Return the false-positive rate, computed from the filter's bits."""

    def sampled_rate(self) -> float:
        """Return about the rate, for a ribbon filter in time independent of its size; otherwise the rate."""

    def fills(self) -> list[float]:
        """Return the share of bits set in each link of a RedisBloom filter; nothing for other kinds."""

@final
class Scan:
    """The answer of several filters to a text."""

    @property
    def n_units(self) -> int:
        """The normalised text's length in units."""

    @property
    def n_windows(self) -> int:
        """The number of windows that were looked up."""

    def layers(
        self,
    ) -> list[tuple[int, bool, int, int, tuple[int, int, int, int, float, int, int] | None]]:
        """Return the answer of each filter.

        Returns:
            For each filter: hits, whether the text is a document, windows of the longest chain, the largest
            number of distinct windows in a chain, and the stretch most like a copy with edits, as (first
            window, last window, windows, hits, score, start, end), or ``None``.
        """

    def chains(self, layer: int, min_distinct: int) -> list[tuple[int, int, int, int, int, int]]:
        """Return a filter's chains of at least ``min_distinct`` distinct windows.

        Returns:
            For each chain: first window, last window, windows, distinct windows, start, end.
        """

@final
class Scanner:
    """A scanner that looks up the asked windows of a text in several filters in one pass."""

    def __new__(cls, windows: Windows, filters: list[tuple[Filter, float]]) -> Scanner:
        """Create a scanner; each filter comes with its false-positive rate."""

    def scan(self, text: str) -> Scan:
        """Return the answer of the filters to a text."""

    def hits(self, text: str) -> list[bytes]:
        """Return for each filter one byte per asked window: 1 if the filter contains it."""

def build_ribbon(
    keys: Keys | Buffer, n_columns: int, n_partitions: int, first: int = 0, after: int | None = None
) -> tuple[Memory, Memory]:
    """Build a ribbon filter of sorted and unique keys, or its partitions ``first`` to ``after`` − 1.

    Returns:
        The columns and the table.

    Raises:
        ValueError: The keys are not sorted and unique, or a number is out of range.
    """

def ribbon_partitions(n_keys: int) -> int:
    """Return the number of partitions of a ribbon filter of ``n_keys`` keys."""

def unicode_version() -> str:
    """Return the version of Unicode that the normalisers follow."""

def explain_bus_errors(before: bytes, after: bytes) -> None:
    """Have SIGBUS from a file that is mapped later end the process with status 2 and one line on stderr.

    The line is ``before``, the file's name, and ``after``. Any other SIGBUS ends the process as before.
    """
