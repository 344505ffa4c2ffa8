"""The passages of an answer, numbered, and the text cut wherever one of them starts or ends.

The page's script does the same with the answer's JSON; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait import Answer, LayerAnswer

#: The number of lines drawn below the text, and above it; further overlapping passages share the last line.
N_LANES = 3


@dataclass(frozen=True, slots=True)
class Holder:
    """A source that has a passage.

    Attributes:
        portrait: The portrait's name.
        source: The source's name.
        style: The number of the source in the legend.
        lane: The distance of its line from the text.
        evalue: The E-value of the passage in this source.
    """

    portrait: str
    source: str
    style: int
    lane: int
    evalue: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the text, in characters, and the sources that have it.

    Attributes:
        number: The number of the passage, from 1, in the order of the text.
        start: The first character.
        end: The character after the last one.
        near: Whether it looks like an edited copy, rather than a copy word for word.
        holders: The sources.
    """

    number: int
    start: int
    end: int
    near: bool
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class PagePiece:
    """A part of the text that lies inside all of ``passages``, and in which no passage starts or ends."""

    start: int
    text: str
    passages: tuple[Passage, ...]


class _Stretch(NamedTuple):
    start: int
    end: int
    near: bool
    evalue: float


def passages(answer: Answer) -> tuple[Passage, ...]:
    """Return the passages of all layers in the order of the text; sources with the same stretch share one."""
    spans: dict[tuple[int, int, bool], list[tuple[LayerAnswer, int, float]]] = {}
    style = 0
    for layer in answer.layers:
        stretches = list(_stretches(layer))
        for start, end, near, evalue in stretches:
            spans.setdefault((start, -end, near), []).append((layer, style, evalue))
        style += bool(stretches)
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


def _stretches(layer: LayerAnswer) -> Iterator[_Stretch]:
    for match in layer.matches:
        yield _Stretch(match.start, match.end, False, match.evalue)
    near = layer.approximate
    # A verbatim copy also looks like an edited one: it is not shown twice.
    if near is not None and not any(
        match.start <= near.start and near.end <= match.end for match in layer.matches
    ):
        yield _Stretch(near.start, near.end, True, near.evalue)


def _lane(ends: list[int], start: int, end: int) -> int:
    """Return the first lane that is free at ``start``, and occupy it until ``end``.

    ``ends`` has the position up to which each lane is occupied.
    """
    for lane, taken_until in enumerate(ends):
        if taken_until <= start:
            ends[lane] = end
            return lane
    if len(ends) < N_LANES:
        ends.append(end)
    else:
        ends[-1] = max(ends[-1], end)
    return len(ends) - 1


def pieces(text: str, shown: tuple[Passage, ...]) -> Iterator[PagePiece]:
    """Yield ``text`` cut wherever a passage starts or ends; the joined pieces are the text."""
    cuts = sorted({0, len(text), *(passage.start for passage in shown), *(passage.end for passage in shown)})
    waiting = list(reversed(shown))
    around: list[Passage] = []
    for start, end in pairwise(cuts):
        around = [passage for passage in around if passage.end > start]
        while waiting and waiting[-1].start <= start:
            around.append(waiting.pop())
        yield PagePiece(start, text[start:end], tuple(around))
