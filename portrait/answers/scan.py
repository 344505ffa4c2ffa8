"""The evidence in a text: what the layers' filters answer, before anything is concluded from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from portrait.spec import WindowSpec


class Chain(NamedTuple):
    """A maximal run of consecutive asked windows that hit; with a stride, of windows a stride apart.

    Attributes:
        window: The first window's offset, in units of the normalised text.
        last: The last window's offset.
        windows: The number of windows.
        distinct: The number of different windows. A window that repeats has the same key and proves
            nothing again. (The first 64 are told apart; from then on each counts.)
        start: The first character of the passage, in the text as given.
        end: The character after the passage, in the text as given.
    """

    window: int
    last: int
    windows: int
    distinct: int
    start: int
    end: int


class Stretch(NamedTuple):
    """A run of asked windows of which so many hit that it looks like an edited copy.

    With a stride these are windows a stride apart.

    Attributes:
        window: The first window's offset, in units of the normalised text; it is a hit.
        last: The last window's offset; it is a hit, too.
        windows: The number of windows, from the first hit to the last.
        hits: The number of different windows that hit.
        score: The logarithm of the odds that a copy and not chance shows this (see docs/answers.md).
        start: The first character of the passage, in the text as given.
        end: The character after the passage, in the text as given.
    """

    window: int
    last: int
    windows: int
    hits: int
    score: float
    start: int
    end: int


class LayerScan(NamedTuple):
    """What one layer's filter answers about a text.

    Attributes:
        hits: The number of windows that the filter holds.
        document: Whether the filter holds the key of the whole text and every window that a document
            of this text would have stored; ``None`` if such a document has no key.
        longest: The number of windows of the longest chain.
        distinct: The largest number of different windows in a chain; 0 if there is no chain.
        stretch: The stretch with the highest score.
        chains: The chains that are significant at the threshold of the question, ordered by ``window``.
            Chance makes shorter ones by the thousand; these are left out.
    """

    hits: int
    document: bool | None
    longest: int
    distinct: int
    stretch: Stretch | None
    chains: tuple[Chain, ...]


class TextScan(NamedTuple):
    """What all layers of a portrait answer about a text.

    Attributes:
        units: The length of the normalised text in units.
        windows: The number of windows asked in each layer.
        layers: One scan for each layer, in the portrait's order.
    """

    units: int
    windows: int
    layers: list[LayerScan]


@dataclass(frozen=True, slots=True)
class LayerEvidence:
    """What a judge must know about one layer and one text.

    Attributes:
        portrait: The portrait's name.
        source: The layer's name.
        spec: How the portrait cuts text into windows.
        fpr: The layer's false-positive rate for each window.
        units: The length of the normalised text in units.
        windows: The number of windows asked.
        scan: What the layer's filter answers.
        number: The portrait's place in the question, from 0.
    """

    portrait: str
    source: str
    spec: WindowSpec
    fpr: float
    units: int
    windows: int
    scan: LayerScan
    number: int = 0
