"""What every filter can do, and how filters are laid out, built and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Buffer

    from portrait._native import Filter as NativeFilter
    from portrait._native import Keys
    from portrait.bundle.pieces import Piece


class Filter(Protocol):
    """A set of windows that may answer yes by chance and never answers no by mistake."""

    @property
    def native(self) -> NativeFilter:
        """The kernel's handle, for asking whole texts."""

    def contains(self, keys: Buffer) -> bytes:
        """Return one byte per key: 1 if the filter holds it.

        Args:
            keys: Little-endian keys of 8 bytes each.

        Raises:
            ValueError: The filter has a hash function of its own, and keys mean nothing to it.
        """

    def rate(self) -> float:
        """Return the false-positive rate for random keys, computed from the filter's content."""

    def sampled_rate(self) -> float:
        """Return about the same, in time independent of the filter's size."""


class WindowFilter(Filter, Protocol):
    """A filter with a hash function of its own, which takes windows instead of keys."""

    def contains_windows(self, windows: list[str]) -> bytes:
        """Return one byte per window, a piece of normalised text: 1 if the filter holds it.

        Raises:
            TextError: A window has a lone surrogate.
        """


class StoredFilter(Filter, Protocol):
    """A filter that can be a layer of a bundle."""

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """Cut the content into pieces of at most ``max_bytes`` of data, in the order of their keys.

        Every key is in one piece's range. The cuts depend on nothing but the filter's content and
        ``max_bytes``.

        Raises:
            SpecError: The filter is a file of another format, which cannot be cut.
        """


class KeyRange(NamedTuple):
    """The keys from ``first_key`` to ``last_key``, which fill a part of a filter on their own.

    The part consists of the filter's blocks or partitions ``first`` to ``after`` − 1.
    """

    first: int
    after: int
    first_key: int
    last_key: int


class Part(NamedTuple):
    """A filter's content for a range of keys, as its :class:`Layout` made it.

    ``n_keys`` is the number of different keys in the part, if this kind of filter counts them.
    """

    buffers: tuple[Buffer, ...]
    n_keys: int | None


class Layout(Protocol):
    """Where the keys of a filter go, decided before the first key is there.

    So several processes can build a filter range by range, in bounded memory; the filter is the same
    whatever the ranges.
    """

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says about the filter; ``kind`` names its kind."""

    def ranges(self, n_ranges: int) -> list[KeyRange]:
        """Return all keys in order, in one to ``n_ranges`` ranges of about the same size."""

    def build(self, keys: Iterable[Keys | Buffer], within: KeyRange) -> Part:
        """Build the part of the filter for ``keys``, all of which lie in one of the ranges."""

    def assemble(self, parts: Sequence[Part]) -> StoredFilter:
        """Return the filter made of the parts of all ranges, in order; it keeps their buffers alive."""
