"""Evidence → answer: what the scans of one text mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.answers.answer import Answer, LayerAnswer
from portrait.answers.matches import approximate, unite
from portrait.answers.verdict import strongest
from portrait.errors import SpecError
from portrait.evidence import detectable_length, evalue, significant_chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portrait.answers.matches import Match
    from portrait.answers.scan import LayerEvidence

#: The E-value up to which a chain counts as a copy, unless the caller says otherwise.
DEFAULT_EVALUE = 0.01


def require_evalue(threshold: float) -> float:
    """Return ``threshold`` if it is a positive number up to a million.

    Raises:
        SpecError: ``threshold`` is anything else.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1e6:
        raise SpecError(
            f"the E-value threshold must be a positive number up to 1e6, not {threshold!r}",
            parameter="evalue",
        )
    return threshold


def judge(text: str, evidence: Sequence[LayerEvidence], threshold: float = DEFAULT_EVALUE) -> Answer:
    """Conclude from the evidence about one text.

    docs/answers.md defines every number of the answer.

    Args:
        text: The text as given.
        evidence: The evidence of every layer, at least one.
        threshold: The E-value up to which a chain counts as a copy.
    """
    n_layers = len(evidence)
    layers: list[LayerAnswer] = []
    detectable: int | None = 0
    for one in evidence:
        spec, scan = one.spec, one.scan
        shortest = significant_chain(one.windows, n_layers, one.fpr, threshold)
        matches: tuple[Match, ...] = ()
        # Only repetition makes a long chain of few different windows: a copy, or one false answer.
        long_enough = False
        if shortest is None:
            detectable = None
        else:
            needed = detectable_length(spec.width, spec.stride, shortest)
            long_enough = one.units >= needed and scan.longest < shortest
            detectable = None if detectable is None else max(detectable, needed)
            if scan.distinct >= shortest:
                matches = unite(one, n_layers, shortest)
        layers.append(
            LayerAnswer(
                portrait=one.portrait,
                source=one.source,
                verdict="found" if matches else "not_found" if long_enough else "inconclusive",
                windows=one.windows,
                hits=scan.hits,
                fpr=one.fpr,
                evalue=evalue(one.windows, n_layers, one.fpr, scan.distinct) if scan.distinct else None,
                matches=matches,
                approximate=approximate(one, n_layers, threshold),
            )
        )

    spans = [(match.start, match.end) for layer in layers for match in layer.matches]
    values = [layer.evalue for layer in layers if layer.evalue is not None]
    return Answer(
        verdict=strongest({layer.verdict for layer in layers}),
        evalue=min(values, default=None),
        detectable_length=detectable,
        coverage=_covered(spans) / len(text) if spans else 0.0,
        longest_match=max((end - start for start, end in spans), default=0),
        exact_document=_any(one.scan.document for one in evidence),
        layers=tuple(layers),
        units=min(one.units for one in evidence),
        unit=evidence[0].spec.unit_name,
        text=text,
    )


def _any(values: Iterable[bool | None]) -> bool | None:
    """Return whether some value is true; ``None`` if none is and some are unknown."""
    known = set(values)
    return True if True in known else None if None in known else False


def _covered(spans: list[tuple[int, int]]) -> int:
    """Return the number of characters inside at least one span."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered
