"""Hits → chains → matches → verdict: what a scan of a text means.

Pure: it knows numbers and spans, neither filters nor files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from portrait.errors import SpecError
from portrait.sizing import detectable_length, evalue, significant_chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.scan import Chain, LayerScan
    from portrait.spec import WindowSpec

Verdict = Literal["found", "not_found", "inconclusive"]

#: The E-value up to which a chain counts as a copy, unless the caller says otherwise.
DEFAULT_EVALUE = 0.01


@dataclass(frozen=True, slots=True)
class Match:
    """A passage of the text that a layer holds.

    The union of overlapping significant chains. ``start`` and ``end`` count characters of the text
    as given; ``windows`` and ``evalue`` are the best chain's.
    """

    start: int
    end: int
    windows: int
    evalue: float

    def to_dict(self) -> dict[str, Any]:
        """The match as a JSON object."""
        return {"start": self.start, "end": self.end, "windows": self.windows, "evalue": self.evalue}


@dataclass(frozen=True, slots=True)
class LayerAnswer:
    """What one source of one portrait says of a text.

    ``windows`` is the number tested, ``fpr`` the layer's false-positive rate per window, ``evalue``
    that of the best chain (``None`` where no window hit).
    """

    portrait: str
    source: str
    verdict: Verdict
    windows: int
    hits: int
    fpr: float
    evalue: float | None
    matches: tuple[Match, ...]

    @property
    def hit_rate(self) -> float:
        """Hits per window tested: the QUIP score where every window was stored."""
        return self.hits / self.windows if self.windows else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The layer's answer as a JSON object."""
        return {
            "portrait": self.portrait,
            "source": self.source,
            "verdict": self.verdict,
            "windows": self.windows,
            "hits": self.hits,
            "hit_rate": self.hit_rate,
            "fpr": self.fpr,
            "evalue": self.evalue,
            "matches": [match.to_dict() for match in self.matches],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about a text.

    ``detectable_length`` counts units of the normalised text: the shortest passage certain to be
    found, in this text and at this threshold, in whichever layer it stands (``None``: none would
    be). ``longest_match`` is in characters and ``coverage`` a share of the characters of the text as
    given. ``exact_document``: some layer holds this very text as a whole document.
    """

    verdict: Verdict
    reason: str
    evalue: float | None
    detectable_length: int | None
    coverage: float
    longest_match: int
    exact_document: bool
    layers: tuple[LayerAnswer, ...]

    @property
    def matches(self) -> tuple[tuple[LayerAnswer, Match], ...]:
        """All matches with the layer they are in, in the order of the text."""
        pairs = [(layer, match) for layer in self.layers for match in layer.matches]
        return tuple(sorted(pairs, key=lambda pair: (pair[1].start, -pair[1].end)))

    def to_dict(self) -> dict[str, Any]:
        """The answer as a JSON object: the same shape on the command line and in the service."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "evalue": self.evalue,
            "detectable_length": self.detectable_length,
            "coverage": self.coverage,
            "longest_match": self.longest_match,
            "exact_document": self.exact_document,
            "layers": [layer.to_dict() for layer in self.layers],
        }


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


def judge(n_chars: int, evidence: Sequence[LayerEvidence], threshold: float = DEFAULT_EVALUE) -> Answer:
    """Conclude from the scans of one text of ``n_chars`` characters.

    ``threshold`` is the E-value up to which a chain is taken for a copy; see docs/answers.md for
    the definitions.
    """
    n_layers = len(evidence)
    layers: list[LayerAnswer] = []
    detectable: int | None = 0
    conclusive = True
    for one in evidence:
        spec, scan = one.spec, one.scan
        shortest = significant_chain(one.windows, n_layers, one.fpr, threshold)
        matches: tuple[Match, ...] = ()
        best = scan.longest
        if shortest is None:
            long_enough, detectable = False, None
        else:
            needed = detectable_length(spec.width, spec.stride, shortest)
            long_enough = one.units >= needed
            detectable = None if detectable is None else max(detectable, needed)
            if best >= shortest:
                matches = _matches(one, n_layers, shortest)
        conclusive &= long_enough
        verdict: Verdict = "found" if matches else "not_found" if long_enough else "inconclusive"
        value = evalue(one.windows, n_layers, one.fpr, best) if best else None
        layers.append(
            LayerAnswer(one.portrait, one.source, verdict, one.windows, scan.hits, one.fpr, value, matches)
        )

    spans = [(match.start, match.end) for layer in layers for match in layer.matches]
    overall: Verdict = "found" if spans else "not_found" if conclusive else "inconclusive"
    values = [layer.evalue for layer in layers if layer.evalue is not None]
    best_value = min(values, default=None)
    longest = max((end - start for start, end in spans), default=0)
    return Answer(
        verdict=overall,
        reason=_reason(overall, spans, best_value, detectable, evidence),
        evalue=best_value,
        detectable_length=detectable,
        coverage=_covered(spans) / n_chars if spans else 0.0,
        longest_match=longest,
        exact_document=any(one.scan.document for one in evidence),
        layers=tuple(layers),
    )


def _matches(one: LayerEvidence, n_layers: int, shortest: int) -> tuple[Match, ...]:
    """Unite the overlapping chains of ``shortest`` windows or more."""
    spec = one.spec
    found: list[Match] = []
    group: list[Chain] = []
    group_end = 0  # in units of the normalised text, like Chain.window

    def close() -> None:
        best = max(chain.windows for chain in group)
        found.append(
            Match(
                start=min(chain.start for chain in group),
                end=max(chain.end for chain in group),
                windows=best,
                evalue=evalue(one.windows, n_layers, one.fpr, best),
            )
        )

    for chain in one.scan.chains(shortest):
        end = chain.window + (chain.windows - 1) * spec.stride + spec.width
        if group and chain.window >= group_end:
            close()
            group = []
        group.append(chain)
        group_end = max(group_end, end)
    if group:
        close()
    return tuple(found)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Characters inside at least one span."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def show_evalue(value: float) -> str:
    """An E-value in two digits; below what a float holds, a bound."""
    return f"{value:.2g}" if value >= 1e-300 else "less than 1e-300"


def _reason(
    verdict: Verdict,
    spans: list[tuple[int, int]],
    value: float | None,
    detectable: int | None,
    evidence: Sequence[LayerEvidence],
) -> str:
    unit = evidence[0].spec.unit_name
    if verdict == "found":
        assert value is not None
        longest = max(end - start for start, end in spans)
        passages = "1 matching passage" if len(spans) == 1 else f"{len(spans)} matching passages"
        return (
            f"{passages}, the longest of {longest} characters; "
            f"chance alone would show {show_evalue(value)} as strong in such a text"
        )
    if detectable is None:
        return "this portrait's filter answers yes to nearly everything, so nothing can be concluded"
    if verdict == "not_found":
        return f"no passage of {detectable} {unit} or more stands verbatim in the corpus"
    length = min(one.units for one in evidence)
    return (
        f"the text has {length} {unit}; in one this short only a copy of {detectable} or more "
        "could be told from chance"
    )
