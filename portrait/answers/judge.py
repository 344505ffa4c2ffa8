"""Hits → chains → matches → verdict: what the scans of a text mean.

Pure: it knows numbers and spans, neither filters nor files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.answers.answer import Answer, Approximate, LayerAnswer, Match, Verdict
from portrait.answers.matches import unite
from portrait.errors import SpecError
from portrait.evidence import detectable_length, evalue, significant_chain, stretch_evalue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.answers.scan import LayerScan
    from portrait.spec import WindowSpec

#: A layer that finds something decides; to exclude it, all must.
_STRONGEST_FIRST: tuple[Verdict, ...] = ("found", "inconclusive", "not_found")

#: The E-value up to which a chain counts as a copy, unless the caller says otherwise.
DEFAULT_EVALUE = 0.01


@dataclass(frozen=True, slots=True)
class LayerEvidence:
    """One layer's part in an answer: who it is, how it cuts text, how often it errs, what it found."""

    portrait: str
    source: str
    spec: WindowSpec
    fpr: float
    units: int
    windows: int
    scan: LayerScan


def require_evalue(threshold: float) -> float:
    """``threshold``, if it is a positive number. Raises :class:`SpecError`."""
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1e6:
        raise SpecError(f"the E-value threshold must be a positive number up to 1e6, not {threshold!r}")
    return threshold


def judge(text: str, evidence: Sequence[LayerEvidence], threshold: float = DEFAULT_EVALUE) -> Answer:
    """Conclude from the scans of one text.

    ``threshold`` is the E-value up to which a chain is taken for a copy; see docs/answers.md for
    the definitions.
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
                approximate=_approximate(one, n_layers, threshold),
            )
        )

    spans = [(match.start, match.end) for layer in layers for match in layer.matches]
    verdicts = {layer.verdict for layer in layers}
    overall = next(verdict for verdict in _STRONGEST_FIRST if verdict in verdicts)
    values = [layer.evalue for layer in layers if layer.evalue is not None]
    best_value = min(values, default=None)
    longest = max((end - start for start, end in spans), default=0)
    return Answer(
        verdict=overall,
        evalue=best_value,
        detectable_length=detectable,
        coverage=_covered(spans) / len(text) if spans else 0.0,
        longest_match=longest,
        exact_document=any(one.scan.document for one in evidence),
        layers=tuple(layers),
        units=min(one.units for one in evidence),
        unit=evidence[0].spec.unit_name,
        text=text,
    )


def _approximate(one: LayerEvidence, n_layers: int, threshold: float) -> Approximate | None:
    stretch = one.scan.stretch
    if stretch is None:
        return None
    value = stretch_evalue(one.windows, n_layers, stretch.score)
    if value > threshold:
        return None
    return Approximate(stretch.start, stretch.end, stretch.windows, stretch.hits, value)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Characters inside at least one span."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered
