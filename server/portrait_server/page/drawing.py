"""An answer in the form that the template draws: words, CSS classes, and the text in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import words
from .passages import passages, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait import Answer, Verdict

    from .passages import Holder, PagePiece

#: The colours and kinds of line in the style sheet. They have no common factor, so they make 20 marks.
N_COLOURS, N_LINES = 5, 4


@dataclass(frozen=True, slots=True)
class Mark:
    """An element around a piece of the text.

    Attributes:
        number: The number of the passage.
        classes: CSS classes.
        first: Whether it is the first element of its passage, which links lead to.
    """

    number: int
    classes: str
    first: bool


@dataclass(frozen=True, slots=True)
class DrawnPiece:
    """A piece of the text, and the marks around it, the outermost first."""

    text: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class DrawnHolder:
    """A source, the classes of its mark, and how sure it is that it has a passage."""

    name: str
    classes: str
    sure: str
    evalue: str


@dataclass(frozen=True, slots=True)
class DrawnPassage:
    """An entry in the list of passages."""

    number: int
    excerpt: str
    where: str
    holders: tuple[DrawnHolder, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that the template needs."""

    verdict: Verdict
    heading: str
    summary: str
    reason: str
    facts: tuple[tuple[str, str], ...]
    legend: tuple[DrawnHolder, ...]
    near: bool
    pieces: tuple[DrawnPiece, ...]
    passages: tuple[DrawnPassage, ...]


def draw(answer: Answer, text: str) -> Drawing:
    """Return the drawing of an answer to a text."""
    shown = passages(answer)
    near = any(passage.near for passage in shown)
    by_style = {holder.style: holder for passage in shown for holder in passage.holders}
    return Drawing(
        verdict=answer.verdict,
        heading=words.HEADINGS[answer.verdict],
        summary=words.summary(answer, near),
        reason=words.sentence(answer.reason),
        facts=tuple(words.facts(answer)),
        legend=tuple(
            DrawnHolder(words.name(holder), _classes(holder, lane=0), "", "")
            for _, holder in sorted(by_style.items())
        ),
        near=near,
        pieces=tuple(DrawnPiece(piece.text, tuple(_marks(piece))) for piece in pieces(text, shown)),
        passages=tuple(
            DrawnPassage(
                passage.number,
                words.excerpt(text, passage),
                words.where(passage),
                tuple(
                    DrawnHolder(
                        words.name(holder),
                        _classes(holder, lane=0, near=passage.near),
                        words.how_sure(holder.evalue),
                        words.show_evalue(holder.evalue),
                    )
                    for holder in passage.holders
                ),
            )
            for passage in shown
        ),
    )


def _marks(piece: PagePiece) -> Iterator[Mark]:
    for passage in piece.passages:
        for i, holder in enumerate(passage.holders):
            first = i == 0 and passage.start == piece.start
            yield Mark(passage.number, _classes(holder, lane=holder.lane, near=passage.near), first)


def _classes(holder: Holder, *, lane: int, near: bool = False) -> str:
    classes = f"c{holder.style % N_COLOURS} d{holder.style % N_LINES} l{lane}"
    return f"{classes} near" if near else classes
