"""Hits → chains → matches → verdict: what a scan of a text means.

Pure: it knows numbers and spans, neither filters nor files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from portrait.answers.wording import reason

Verdict = Literal["found", "not_found", "inconclusive"]


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
        return reason(self)

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
        from portrait.answers.snippet import snippet

        return snippet(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return self.to_html()
