"""What the kernel found in a text, before anything is concluded from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Chain(NamedTuple):
    """Hits at ``window``, ``window`` + stride, …: ``windows`` of them, as many as there are.

    ``window`` counts units of the normalised text; ``start`` and ``end`` are characters of the text
    as given.
    """

    window: int
    windows: int
    start: int
    end: int


class LayerScan(NamedTuple):
    """What one layer's filter says of a text.

    ``document``: the key of the whole text is in the filter, and so is every window that a document
    of this text would have stored. ``longest`` is the longest chain's number of windows, 0 if there
    is none. ``chains(n)`` lists the chains of ``n`` windows or more, ordered by ``window``: chance
    makes short ones by the thousand, which nobody needs to see.
    """

    hits: int
    document: bool
    longest: int
    chains: Callable[[int], list[Chain]]


class TextScan(NamedTuple):
    """A text's length in units after normalising, the windows tested, and what each layer says."""

    units: int
    windows: int
    layers: list[LayerScan]
