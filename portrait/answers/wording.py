"""An answer in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.answers.answer import Answer, LayerAnswer


def show_evalue(value: float) -> str:
    """An E-value in two digits; below what a float holds, a bound."""
    return f"{value:.2g}" if value >= 1e-300 else "less than 1e-300"


def reason(answer: Answer) -> str:
    if answer.verdict == "found":
        assert answer.evalue is not None
        n = len(answer.matches)
        passages = "1 matching passage" if n == 1 else f"{n} matching passages"
        return (
            f"{passages}, the longest of {answer.longest_match} characters; "
            f"chance alone would show {show_evalue(answer.evalue)} as strong in such a text"
        )
    return _nothing(answer) + _but_approximately(answer.layers)


def _nothing(answer: Answer) -> str:
    unit, detectable = answer.unit, answer.detectable_length
    if detectable is None:
        return "this portrait's filter answers yes to nearly everything, so nothing can be concluded"
    if answer.verdict == "not_found":
        return f"no passage of {detectable} {unit} or more stands verbatim in the corpus"
    if answer.units >= detectable:
        return (
            "a passage hits, but repeats itself so much that a single false answer of the filter would "
            "explain it"
        )
    return (
        f"the text has {answer.units} {unit}; in one this short only a copy of {detectable} or more "
        "could be told from chance"
    )


def _but_approximately(layers: Sequence[LayerAnswer]) -> str:
    found = [layer.approximate for layer in layers if layer.approximate is not None]
    if not found:
        return ""
    best = min(found, key=lambda one: one.evalue)
    return (
        f"; but {best.hits} of {best.windows} windows of characters {best.start}-{best.end} do, as in a "
        f"copy with edits: chance alone would show {show_evalue(best.evalue)} such passages"
    )
