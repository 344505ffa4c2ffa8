"""An answer in words, for people who have not read docs/answers.md.

The page's script says the same about the answer's JSON; a test compares the two.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..messages import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portrait import Answer, Verdict

    from .passages import Holder, Passage

#: The number of characters that the list of passages shows of each.
EXCERPT_CHARS = 80

HEADINGS: Mapping[Verdict, str] = {
    "found": "Found",
    "not_found": "Not found",
    "inconclusive": "Cannot tell",
}


def summary(answer: Answer, near: bool) -> str:
    """Return the verdict in a sentence; ``near`` says whether a passage looks like an edited copy."""
    if answer.exact_document and answer.verdict == "inconclusive":
        return "The corpus may hold this very text as a document, but it is too short to be sure."
    if answer.exact_document:
        return "This very text seems to be a document of the corpus."
    if answer.verdict == "found" and answer.evalue is not None:
        sure = how_sure(answer.evalue)
        if sure == "may be chance":
            return "Part of this text matches the corpus word for word, but that may be chance."
        if sure == "likely":
            return "Part of this text is likely to appear word for word in the corpus."
        return "Part of this text appears word for word in the corpus: that is practically certain."
    if near:
        return "No long passage of it was found word for word, but part of it looks like an edited copy."
    if answer.verdict == "not_found":
        return "No copy of this text, or of a long part of it, was found."
    return "Nothing was found, and nothing can be ruled out."


def sentence(reason: str) -> str:
    """Return a reason, or the detail of a problem, as a sentence: with a capital and a full stop."""
    return f"{reason[:1].upper()}{reason[1:]}."


def facts(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield the numbers that a reader needs, each with its name."""
    if answer.verdict == "found" and answer.evalue is not None:
        yield "Covered by copies", share(answer.coverage)
        yield "Longest passage", f"{counted(answer.longest_match, 'character')} of this text"
        yield "How sure", f"{how_sure(answer.evalue)} ({show_evalue(answer.evalue)})"
    yield "Shortest copy sure to be seen", sure_lengths(answer)


def sure_lengths(answer: Answer) -> str:
    """Return the length from which each portrait is sure to see a copy, and what the length counts."""
    names: dict[str, list[str]] = {}
    for one in answer.portraits:
        names.setdefault(one.detectable, []).append(one.portrait)
    if len(names) == 1:
        return next(iter(names))
    return "; ".join(f"{', '.join(portraits)}: {length}" for length, portraits in names.items())


def share(coverage: float) -> str:
    """Return a share of the text, in percent."""
    percent = math.floor(coverage * 100 + 0.5)
    return f"{percent or 'less than 1'}% of the text"


def how_sure(evalue: float) -> str:
    """Return the strongest words that an E-value bears."""
    if evalue <= 1e-9:
        return "practically certain"
    return "likely" if evalue <= 1e-3 else "may be chance"


def show_evalue(evalue: float) -> str:
    """Return an E-value with two digits; one too small for a float, as a bound."""
    return "E-value " + (f"{evalue:.2g}" if evalue >= 1e-300 else "less than 1e-300")


def name(holder: Holder) -> str:
    """Return a source as the legend names it."""
    return f"{holder.source} in {holder.portrait}"


def where(passage: Passage) -> str:
    """Return how long a passage is, where it is in the text, and what kind of copy it is."""
    length = passage.end - passage.start
    how = "like an edited copy" if passage.near else "word for word"
    return f"{counted(length, 'character')}, {passage.start:,}–{passage.end:,}, {how}"


def excerpt(text: str, passage: Passage) -> str:
    """Return the beginning of a passage, on one line."""
    begins = " ".join(text[passage.start : min(passage.end, passage.start + EXCERPT_CHARS)].split())
    return begins + "…" if passage.end - passage.start > EXCERPT_CHARS else begins
