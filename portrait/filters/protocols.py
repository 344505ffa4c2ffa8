"""What every filter can do, and what builds and stores it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Buffer

    from portrait._native import Filter as NativeFilter
    from portrait._native import Keys
    from portrait.bundle.pieces import Piece


class Filter(Protocol):
    """A set of windows that may answer yes by chance and never no by mistake."""

    @property
    def native(self) -> NativeFilter:
        """The kernel's handle, for asking whole texts."""

    def contains(self, keys: Buffer) -> bytes:
        """One byte per key (little-endian, 8 bytes each): 1 where the filter holds it.

        Raises :class:`ValueError` for a filter that has a hash of its own, so that keys say nothing to it.
        """

    def rate(self) -> float:
        """The false-positive rate for random keys, computed from the filter's content."""


class StoredFilter(Filter, Protocol):
    """A filter that can be a layer of a bundle."""

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """Its content in pieces of at most ``max_bytes`` of data, in the order of their keys.

        Every key is in one piece's range. Which pieces these are depends on nothing but the
        filter's content and ``max_bytes``.
        """


class KeyRange(NamedTuple):
    """The keys from ``first_key`` to ``last_key``, which are all there are to know for some of a filter.

    These are its blocks or partitions ``first`` to ``after`` − 1.
    """

    first: int
    after: int
    first_key: int
    last_key: int


class Part(NamedTuple):
    """A filter's content for a range of keys, as its :class:`Layout` made it.

    ``n_keys``: how many different keys it holds, where the kind of filter has them counted.
    """

    buffers: tuple[Buffer, ...]
    n_keys: int | None


class Layout(Protocol):
    """Where the keys of a filter go, decided before the first is there.

    So a filter can be built range by range, by several processes, in memory that is bounded: whatever
    the ranges, the filter is the same.
    """

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says of the filter; ``kind`` names its kind."""

    def ranges(self, n_ranges: int) -> list[KeyRange]:
        """All keys in at most so many ranges of about the same size, in order; at least one."""

    def build(self, keys: Iterable[Keys | Buffer], within: KeyRange) -> Part:
        """The part of the filter that some ``keys`` make, all of which lie in one of the ranges."""

    def assemble(self, parts: Sequence[Part]) -> StoredFilter:
        """The filter of the parts of all :meth:`ranges`, in order; it keeps their buffers alive."""
