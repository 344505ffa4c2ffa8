"""What every filter can do, and what builds and stores it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Buffer

    from portrait import _native
    from portrait.tensors import TensorInfo

#: Keys are the whole numbers below this.
N_KEYS = 1 << 64


class Piece(NamedTuple):
    """What one shard of a layer holds: all there is to know of the keys from first to last.

    ``buffers`` are the tensors' data, end to end; where one buffer ends and where one tensor does
    need not agree.
    """

    first_key: int
    last_key: int
    tensors: Sequence[TensorInfo]
    buffers: Sequence[Buffer]


class Filter(Protocol):
    """A set of windows that may answer yes by chance and never no by mistake."""

    @property
    def native(self) -> _native.Filter:
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


class FilterBuilder(Protocol):
    """Makes a filter of keys."""

    def insert(self, keys: _native.Keys | Buffer) -> None:
        """Add keys, in ascending order from call to call."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says of the filter; ``kind`` names its kind."""

    def finish(self) -> StoredFilter:
        """The filter of all keys added; none can be added any more."""

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """The finished filter's :meth:`StoredFilter.pieces`."""
