"""A text with the passages marked that a corpus contains, safe to show whatever the text contains."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from portrait.markup.elements import Markup, element, join
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: The number of characters shown on either side of a match; text further away is folded.
CONTEXT = 160
#: Longer matches are folded in the middle.
LONGEST_SHOWN = 1600
#: The number of styles of marked passages; further sources reuse them.
STYLES = 6

#: Joiners that scripts and emoji need. All other invisible characters are shown as signs.
_JOINERS = "\u200c\u200d"
_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


class Span(NamedTuple):
    """A stretch of a text that the source of this index contains."""

    start: int
    end: int
    source: int


class Segment(NamedTuple):
    """A stretch of a text that the same sources contain from its first to its last character."""

    start: int
    end: int
    sources: tuple[int, ...]


def letter(source: int) -> str:
    """Return the letter of a source: A to Z, AA, AB ..."""
    sign = ""
    source += 1
    while source:
        source, digit = divmod(source - 1, 26)
        sign = chr(ord("A") + digit) + sign
    return sign


def style(source: int) -> str:
    """Return the class of a source's marked passages."""
    return f"s{source % STYLES}"


def segments(start: int, end: int, spans: Sequence[Span]) -> Iterator[Segment]:
    """Yield ``start`` to ``end``, cut wherever a span begins or ends, each piece with its sources."""
    inside = [span for span in spans if span.start < end and span.end > start]
    cuts = {start, end}
    for span in inside:
        cuts |= {max(start, span.start), min(end, span.end)}
    edges = sorted(cuts)
    last: Segment | None = None
    for one, other in pairwise(edges):
        sources = {span.source for span in inside if span.start <= one and span.end >= other}
        piece = Segment(one, other, tuple(sorted(sources)))
        # Two adjacent matches of one source look like one passage.
        if last is not None and last.sources == piece.sources:
            last = Segment(last.start, other, last.sources)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def highlighted(text: str, start: int, end: int, spans: Sequence[Span]) -> Markup:
    """Return ``text[start:end]`` with its passages marked, each by its source's style and letter."""
    pieces = list(segments(start, end, spans))
    shown = []
    for i, piece in enumerate(pieces):
        stretch = text[piece.start : piece.end]
        if piece.sources:
            shown.append(_marked(stretch, piece.sources))
        else:
            shown.append(_between(stretch, first=i == 0, last=i == len(pieces) - 1))
    return join(shown)


def _marked(text: str, sources: tuple[int, ...]) -> Markup:
    letters = "+".join(letter(source) for source in sources)
    half = LONGEST_SHOWN // 2
    inner = visible(text) if len(text) <= LONGEST_SHOWN else _folded(text, half, half)
    return element("mark", element("sup", letters), inner, class_=style(sources[0]))


def _between(text: str, *, first: bool, last: bool) -> Markup:
    """Return text that no source contains, folded except next to a passage."""
    before = 0 if first and not last else CONTEXT
    after = 0 if last and not first else CONTEXT
    # A fold must hide more than the length of its note.
    return visible(text) if len(text) <= before + after + 40 else _folded(text, before, after)


def _folded(text: str, before: int, after: int) -> Markup:
    n_hidden = len(text) - before - after
    note = element("span", f" [… {count(n_hidden)} characters …] ", class_="fold")
    return join([visible(text[:before]), note, visible(text[len(text) - after :])])


def visible(text: str) -> Markup:
    """Return ``text`` with a sign for each character that is invisible or controls the display."""
    return join(_pieces(text))


def _pieces(text: str) -> Iterable[str]:
    at = 0
    for i, character in enumerate(text):
        if _is_shown(character):
            continue
        yield text[at:i]
        yield element("span", _sign(character), class_="sign")
        at = i + 1
    yield text[at:]


def _is_shown(character: str) -> bool:
    # Most characters are printable ASCII, which needs no lookup.
    if " " <= character <= "~" or character in "\n\t":
        return True
    return character in _JOINERS or unicodedata.category(character) not in _INVISIBLE


def _sign(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"U+{code:04X}"
