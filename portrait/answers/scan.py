"""What the kernel found in a text, before anything is concluded from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Chain(NamedTuple):
    """Hits at ``window``, ``window`` + stride, …: ``windows`` of them, as many as there are.

    ``window`` counts units of the normalised text; ``start`` and ``end`` are characters of the text
    as given. ``distinct`` is the number of different windows among them: one that repeats has the same
    key, and proves nothing again. (The first 64 are told apart; from then on each counts.)
    """

    window: int
    windows: int
    distinct: int
    start: int
    end: int


class Stretch(NamedTuple):
    """Windows ``window``, ``window`` + stride, … of which so many hit that it looks like an edited copy.

    It begins and ends with a hit; ``hits`` counts different windows. ``score`` is the logarithm of the
    odds at which a copy would show this rather than chance (see docs/answers.md).
    """

    window: int
    windows: int
    hits: int
    score: float
    start: int
    end: int


class LayerScan(NamedTuple):
    """What one layer's filter says of a text.

    ``document``: the key of the whole text is in the filter, and so is every window that a document
    of this text would have stored. ``longest`` is the longest chain's number of windows, ``distinct``
    the largest number of different windows in a chain, 0 if there is none. ``stretch`` has the highest
    score of all. ``chains(n)`` lists the chains of ``n`` different windows or more, ordered by
    ``window``: chance makes short ones by the thousand, which nobody needs to see.
    """

    hits: int
    document: bool
    longest: int
    distinct: int
    stretch: Stretch | None
    chains: Callable[[int], list[Chain]]


class TextScan(NamedTuple):
    """A text's length in units after normalising, the windows tested, and what each layer says."""

    units: int
    windows: int
    layers: list[LayerScan]
