"""An answer as it is drawn: numbered passages, and the text cut where any of them starts or ends.

The page's script does the same with the answer's JSON, and a test holds the two to one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait import Answer, LayerAnswer

#: How many lines are told apart above the text, and under it; what overlaps more shares the last.
N_LANES = 3


@dataclass(frozen=True, slots=True)
class Holder:
    """A source that holds a passage. ``style`` numbers it in the legend, ``lane`` is its line's height."""

    portrait: str
    source: str
    style: int
    lane: int
    evalue: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the text, in characters, and the sources that hold it.

    ``near``: not word for word, but it looks like an edited copy.
    """

    number: int
    start: int
    end: int
    near: bool
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text that lies within all of ``passages``, and nowhere on the border of one."""

    start: int
    text: str
    passages: tuple[Passage, ...]


def passages(answer: Answer) -> tuple[Passage, ...]:
    """What the layers found, in the order of the text; sources that hold the same stretch share it."""
    spans: dict[tuple[int, int, bool], list[tuple[LayerAnswer, int, float]]] = {}
    style = 0
    for layer in answer.layers:
        found = list(_found(layer))
        for start, end, near, evalue in found:
            spans.setdefault((start, -end, near), []).append((layer, style, evalue))
        style += bool(found)
    lanes: dict[bool, list[int]] = {False: [], True: []}
    return tuple(
        Passage(
            number,
            start,
            -minus_end,
            near,
            tuple(
                Holder(layer.portrait, layer.source, style, _lane(lanes[near], start, -minus_end), value)
                for layer, style, value in spans[start, minus_end, near]
            ),
        )
        for number, (start, minus_end, near) in enumerate(sorted(spans), 1)
    )


def _found(layer: LayerAnswer) -> Iterator[tuple[int, int, bool, float]]:
    for match in layer.matches:
        yield match.start, match.end, False, match.evalue
    near = layer.approximate
    # An unbroken copy is also a stretch of hits: it need not be shown twice.
    if near is not None and not any(
        match.start <= near.start and near.end <= match.end for match in layer.matches
    ):
        yield near.start, near.end, True, near.evalue


def _lane(ends: list[int], start: int, end: int) -> int:
    """The first lane that is free at ``start``, taken until ``end``; ``ends`` are those of each lane."""
    for lane, taken_until in enumerate(ends):
        if taken_until <= start:
            ends[lane] = end
            return lane
    if len(ends) < N_LANES:
        ends.append(end)
    else:
        ends[-1] = max(ends[-1], end)
    return len(ends) - 1


def pieces(text: str, shown: tuple[Passage, ...]) -> Iterator[Piece]:
    """``text`` cut where a passage starts or ends; joined, the pieces are the text."""
    cuts = sorted({0, len(text), *(passage.start for passage in shown), *(passage.end for passage in shown)})
    waiting = list(reversed(shown))
    around: list[Passage] = []
    for start, end in pairwise(cuts):
        around = [passage for passage in around if passage.end > start]
        while waiting and waiting[-1].start <= start:
            around.append(waiting.pop())
        yield Piece(start, text[start:end], tuple(around))
