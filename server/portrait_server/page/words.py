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
        return "The corpus seems to hold this very text as a document, but it is too short to be sure."
    if answer.exact_document:
        return "This very text is a document of the corpus."
    if answer.verdict == "found":
        return "Part of this text appears word for word in the corpus."
    if near:
        return "No long passage of it was found word for word, but part of it looks like an edited copy."
    if answer.verdict == "not_found":
        return "No copy of this text, or of a long part of it, was found."
    return "Nothing was found, and nothing can be ruled out."


def sentence(reason: str) -> str:
    """Return a reason, or the detail of a problem, as a sentence: with a capital and a full stop."""
    return f"{reason[:1].upper()}{reason[1:]}."


def facts(answer: Answer, unit: str) -> Iterator[tuple[str, str]]:
    """Yield the numbers that a reader needs, each with its name.

    Args:
        answer: The answer.
        unit: What its lengths count, in the plural.
    """
    if answer.verdict == "found" and answer.evalue is not None:
        yield "Covered by copies", share(answer.coverage)
        yield "Longest passage", counted(answer.longest_match, "character")
        yield "How sure", f"{how_sure(answer.evalue)} ({show_evalue(answer.evalue)})"
    length = answer.detectable_length
    yield (
        "Shortest copy sure to be seen",
        "none" if length is None else counted(length, unit.removesuffix("s"), unit),
    )


def share(coverage: float) -> str:
    """Return a share of the text, in percent."""
    percent = math.floor(coverage * 100 + 0.5)
    return f"{percent or 'less than 1'}% of the text"


def how_sure(evalue: float) -> str:
    """Return what an E-value means."""
    if evalue <= 1e-9:
        return "practically certain"
    if evalue <= 1e-4:
        return "very sure"
    return "sure" if evalue <= 1e-2 else "unsure"


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
