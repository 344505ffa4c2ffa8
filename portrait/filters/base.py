"""What every filter can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from portrait import _native


class Filter(Protocol):
    """A set of windows that may answer yes by chance and never no by mistake."""

    @property
    def native(self) -> _native.Filter:
        """The kernel's handle, for asking whole texts."""

    def contains(self, keys: Buffer) -> bytes:
        """One byte per key (little-endian, 8 bytes each): 1 where the filter holds it.

        Raises ValueError where the filter hashes windows itself, so that keys say nothing to it.
        """

    def rate(self) -> float:
        """The exact false-positive rate for random keys, computed from the filter's content."""
