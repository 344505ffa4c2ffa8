"""An answer in sentences, made from plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portrait.answers.verdict import strongest
from portrait.markup.numbers import count, counted, expected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.answers.layer_answer import PortraitAnswer
    from portrait.answers.matches import Approximate
    from portrait.answers.verdict import Verdict

Certainty = Literal["practically certain", "likely", "may be chance"]

#: The largest E-values that bear these words.
PRACTICALLY_CERTAIN, LIKELY = 1e-9, 1e-3


def show_evalue(value: float) -> str:
    """Return an E-value in two digits, or a bound if it is smaller than a float can hold."""
    return f"{value:.2g}" if value >= 1e-300 else "less than 1e-300"


def certainty(evalue: float) -> Certainty:
    """Return the strongest words that an E-value bears."""
    if evalue <= PRACTICALLY_CERTAIN:
        return "practically certain"
    return "likely" if evalue <= LIKELY else "may be chance"


def meaning(verdict: Verdict, evalue: float | None, n_matches: int) -> str:
    """Return what a verdict means and what it does not, in words no stronger than the evidence.

    Args:
        verdict: The verdict on the whole text.
        evalue: The best chain's E-value; a number if the verdict is ``found``.
        n_matches: The number of matches in all layers.
    """
    if verdict == "not_found":
        return "A shorter passage may be in the corpus, or a reworded one."
    if verdict == "inconclusive":
        return "That is neither yes nor no: ask about more of the text."
    assert evalue is not None
    what = "it" if n_matches == 1 else "the strongest of them"
    sure = certainty(evalue)
    if sure == "may be chance":
        return "That may be chance: ask about more of the text."
    claim = (
        f"It is practically certain that the corpus holds {what}"
        if sure == "practically certain"
        else f"The corpus is likely to hold {what}"
    )
    return f"{claim}; this does not say where it comes from, nor that a model remembers it."


def reason(
    verdict: Verdict,
    *,
    evalue: float | None,
    n_matches: int,
    longest_match: int,
    portraits: Sequence[PortraitAnswer],
    unrecorded: bool,
    approximate: Sequence[Approximate],
) -> str:
    """Return the verdict in a sentence for people.

    Args:
        verdict: The verdict on the whole text.
        evalue: The best chain's E-value; a number if the verdict is ``found``.
        n_matches: The number of matches in all layers.
        longest_match: The length of the longest match, in characters of the text as given.
        portraits: Each portrait's own answer, at least one.
        unrecorded: Whether the text is shorter than a window, and documents that short are not recorded.
        approximate: The layers' passages that look like edited copies.
    """
    if verdict == "found":
        assert evalue is not None
        chars = counted(longest_match, "character")
        passages = (
            f"1 passage of {chars} of this text matches"
            if n_matches == 1
            else f"{counted(n_matches, 'passage')} match, the longest of {chars} of this text"
        )
        best = "as strong" if n_matches == 1 else "as strong as the strongest"
        return f"{passages}; chance alone would show {show_evalue(evalue)} {best} in such a text"
    too_short = "; no key of documents shorter than a window was stored" if unrecorded else ""
    return _nothing(portraits) + too_short + _but_approximately(approximate)


def by_chance(threshold: float, n_expected: float) -> str:
    """Return the sentence that states the threshold of many rows, and what chance does at it.

    Args:
        threshold: The E-value threshold of each row.
        n_expected: The number of rows that are expected to be found if none shares anything with the corpus.
    """
    return (
        f"At the threshold of {threshold:g} a row (E-value), chance alone would have {expected(n_expected)} "
        "rows found, in expectation."
    )


def _nothing(portraits: Sequence[PortraitAnswer]) -> str:
    """Return why nothing is found; portraits that cut text differently speak each for itself."""
    specs = list(dict.fromkeys(one.spec for one in portraits))
    groups = [[one for one in portraits if one.spec == spec] for spec in specs]
    if len(groups) == 1:
        return _nothing_alike(groups[0])
    return "; ".join(
        f"{', '.join(dict.fromkeys(one.portrait for one in group))}: {_nothing_alike(group)}"
        for group in groups
    )


def _nothing_alike(portraits: Sequence[PortraitAnswer]) -> str:
    """Return why portraits that cut text alike find nothing."""
    spec, units = portraits[0].spec, portraits[0].units
    lengths = [one.detectable_length for one in portraits]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return "this portrait's filter answers yes to nearly everything, so nothing can be concluded"
    needed = max(known)
    if strongest({one.verdict for one in portraits}) == "not_found":
        return f"no passage of {spec.length(needed, 'or more')} appears verbatim in the corpus"
    if units >= needed:
        return (
            "a passage hits, but repeats itself so much that a single false answer of the filter would "
            "explain it"
        )
    return (
        f"the text has {spec.length(units)}; only a copy of {count(needed)} or more can be told from chance"
    )


def _but_approximately(passages: Sequence[Approximate]) -> str:
    if not passages:
        return ""
    best = min(passages, key=lambda passage: passage.evalue)
    do = "does" if best.hits == 1 else "do"
    return (
        f"; but {count(best.hits)} of {counted(best.windows, 'window')} of characters "
        f"{count(best.start)}-{count(best.end)} {do}, as in a copy with edits: chance alone would show "
        f"{show_evalue(best.evalue)} such passages"
    )
