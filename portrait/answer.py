"""Hits → chains → matches → verdict: what a scan of a text means.

Pure: it knows numbers and spans, neither filters nor files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from portrait.errors import SpecError
from portrait.sizing import detectable_length, evalue, significant_chain, stretch_evalue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.scan import Chain, LayerScan
    from portrait.spec import WindowSpec

Verdict = Literal["found", "not_found", "inconclusive"]

#: A layer that finds something decides; to exclude it, all must.
_STRONGEST_FIRST: tuple[Verdict, ...] = ("found", "inconclusive", "not_found")

#: The E-value up to which a chain counts as a copy, unless the caller says otherwise.
DEFAULT_EVALUE = 0.01


@dataclass(frozen=True, slots=True)
class Match:
    """A passage of the text that a layer holds.

    The union of overlapping significant chains. ``start`` and ``end`` count characters of the text
    as given; ``windows`` (different ones) and ``evalue`` are the best chain's.
    """

    start: int
    end: int
    windows: int
    evalue: float

    def to_dict(self) -> dict[str, Any]:
        """The match as a JSON object."""
        return {"start": self.start, "end": self.end, "windows": self.windows, "evalue": self.evalue}


@dataclass(frozen=True, slots=True)
class Approximate:
    """A passage that looks like an edited copy: more of its windows hit than chance explains.

    ``hits`` of ``windows`` stored a stride apart, from ``start`` to ``end`` in characters of the text as
    given. Its E-value is one of its own, and no part of the verdict: what stands in the corpus may be
    pieces of this passage only.
    """

    start: int
    end: int
    windows: int
    hits: int
    evalue: float

    def to_dict(self) -> dict[str, Any]:
        """The passage as a JSON object."""
        return {
            "start": self.start,
            "end": self.end,
            "windows": self.windows,
            "hits": self.hits,
            "evalue": self.evalue,
        }


@dataclass(frozen=True, slots=True)
class LayerAnswer:
    """What one source of one portrait says of a text.

    ``windows`` is the number tested, ``fpr`` the layer's false-positive rate per window, ``evalue``
    that of the best chain (``None`` where no window hit). ``approximate`` is the passage most like an
    edited copy, if its E-value is within the threshold.
    """

    portrait: str
    source: str
    verdict: Verdict
    windows: int
    hits: int
    fpr: float
    evalue: float | None
    matches: tuple[Match, ...]
    approximate: Approximate | None = None

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
            "approximate": None if self.approximate is None else self.approximate.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about a text.

    ``detectable_length`` counts units of the normalised text: the shortest passage certain to be
    found, in this text and at this threshold, in whichever layer it stands (``None``: none would
    be). ``longest_match`` is in characters and ``coverage`` a share of the characters of the text as
    given. ``exact_document``: some layer holds this very text as a whole document. ``units`` is the
    length of the normalised text, the shortest if portraits differ, and ``unit`` their name in the
    plural. ``text`` is the text itself, for showing the answer; no record of the answer holds it.
    """

    verdict: Verdict
    evalue: float | None
    detectable_length: int | None
    coverage: float
    longest_match: int
    exact_document: bool
    layers: tuple[LayerAnswer, ...]
    units: int
    unit: str
    text: str = field(default="", repr=False, compare=False)

    @property
    def reason(self) -> str:
        """The verdict in a sentence for people."""
        return _reason(self)

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

    def to_html(self) -> str:
        """The answer as a piece of HTML: verdict, the text with its matches marked, their sources."""
        # Whoever only asks does not load what draws.
        from portrait.reports.snippet import snippet

        return snippet(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return self.to_html()


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
                matches = _matches(one, n_layers, shortest)
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


def _matches(one: LayerEvidence, n_layers: int, shortest: int) -> tuple[Match, ...]:
    """Unite the overlapping chains of ``shortest`` different windows or more."""
    spec = one.spec
    found: list[Match] = []
    group: list[Chain] = []
    group_end = 0  # in units of the normalised text, like Chain.window

    def close() -> None:
        best = max(chain.distinct for chain in group)
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


def show_evalue(value: float) -> str:
    """An E-value in two digits; below what a float holds, a bound."""
    return f"{value:.2g}" if value >= 1e-300 else "less than 1e-300"


def _reason(answer: Answer) -> str:
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
