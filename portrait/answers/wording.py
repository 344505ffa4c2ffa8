"""An answer in sentences, made from plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.markup.numbers import count, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.answers.matches import Approximate
    from portrait.answers.verdict import Verdict


def show_evalue(value: float) -> str:
    """Return an E-value in two digits, or a bound if it is smaller than a float can hold."""
    return f"{value:.2g}" if value >= 1e-300 else "less than 1e-300"


def reason(
    verdict: Verdict,
    *,
    evalue: float | None,
    n_matches: int,
    longest_match: int,
    detectable_length: int | None,
    units: int,
    unit: str,
    unrecorded: bool,
    approximate: Sequence[Approximate],
) -> str:
    """Return the verdict in a sentence for people.

    Args:
        verdict: The verdict on the whole text.
        evalue: The best chain's E-value; a number if the verdict is ``found``.
        n_matches: The number of matches in all layers.
        longest_match: The length of the longest match in characters.
        detectable_length: The shortest passage that is certain to be found, in units; ``None`` if no
            length is.
        units: The length of the normalised text in units.
        unit: The name of the unit, in the plural.
        unrecorded: Whether the text is shorter than a window, and documents that short are not recorded.
        approximate: The layers' passages that look like edited copies.
    """
    if verdict == "found":
        assert evalue is not None
        return (
            f"{counted(n_matches, 'matching passage')}, the longest of "
            f"{counted(longest_match, 'character')}; "
            f"chance alone would show {show_evalue(evalue)} as strong in such a text"
        )
    too_short = "; no key of documents shorter than a window was stored" if unrecorded else ""
    return _nothing(verdict, detectable_length, units, unit) + too_short + _but_approximately(approximate)


def _nothing(verdict: Verdict, detectable_length: int | None, units: int, unit: str) -> str:
    noun = unit.removesuffix("s")
    if detectable_length is None:
        return "this portrait's filter answers yes to nearly everything, so nothing can be concluded"
    if verdict == "not_found":
        return f"no passage of {counted(detectable_length, noun)} or more appears verbatim in the corpus"
    if units >= detectable_length:
        return (
            "a passage hits, but repeats itself so much that a single false answer of the filter would "
            "explain it"
        )
    return (
        f"the text has {counted(units, noun)}; in one this short only a copy of "
        f"{count(detectable_length)} or more could be told from chance"
    )


def _but_approximately(passages: Sequence[Approximate]) -> str:
    if not passages:
        return ""
    best = min(passages, key=lambda passage: passage.evalue)
    return (
        f"; but {count(best.hits)} of {counted(best.windows, 'window')} of characters "
        f"{count(best.start)}-{count(best.end)} do, as in a copy with edits: chance alone would show "
        f"{show_evalue(best.evalue)} such passages"
    )
