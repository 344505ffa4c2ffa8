"""The answer about a text: what its layers say, each for itself and all together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portrait.answers.wording import reason

if TYPE_CHECKING:
    from portrait.answers.matches import Approximate, Match
    from portrait.answers.verdict import Verdict


@dataclass(frozen=True, slots=True)
class LayerAnswer:
    """What one source of one portrait says about a text.

    Attributes:
        portrait: The portrait's name.
        source: The layer's name.
        verdict: The layer's verdict.
        windows: The number of windows tested.
        hits: The number of windows that the filter holds.
        fpr: The layer's false-positive rate for each window.
        evalue: The best chain's E-value; ``None`` if no window hit.
        matches: The passages that the layer holds, in the order of the text.
        approximate: The passage most like an edited copy, if its E-value is within the threshold.
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
        """Hits per window tested: the QUIP score if every window was stored."""
        return self.hits / self.windows if self.windows else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the layer's answer as a JSON object."""
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
    """What one or several portraits say about a text.

    Attributes:
        verdict: The verdict of all layers together.
        evalue: The best chain's E-value; ``None`` if no window hit.
        detectable_length: The shortest passage, in units of the normalised text, that is certain to be
            found in this text and at this threshold, whichever layer holds it; ``None`` if no
            passage is.
        coverage: The share of the characters of the text as given that are inside matches.
        longest_match: The length of the longest match in characters.
        exact_document: Whether some layer holds this very text as a whole document; ``None`` if none is
            known to, and some layer records no documents of this length.
        layers: Each layer's own answer.
        units: The length of the normalised text; the shortest if portraits differ.
        unit: The name of the unit, in the plural.
        text: The text itself, for showing the answer. It is not part of :meth:`to_dict`.
    """

    verdict: Verdict
    evalue: float | None
    detectable_length: int | None
    coverage: float
    longest_match: int
    exact_document: bool | None
    layers: tuple[LayerAnswer, ...]
    units: int
    unit: str
    text: str = field(default="", repr=False, compare=False)

    @property
    def reason(self) -> str:
        """The verdict in a sentence for people."""
        unrecorded = self.exact_document is None and not any(layer.windows for layer in self.layers)
        return reason(
            self.verdict,
            evalue=self.evalue,
            n_matches=sum(len(layer.matches) for layer in self.layers),
            longest_match=self.longest_match,
            detectable_length=self.detectable_length,
            units=self.units,
            unit=self.unit,
            unrecorded=unrecorded,
            approximate=[layer.approximate for layer in self.layers if layer.approximate is not None],
        )

    @property
    def matches(self) -> tuple[tuple[LayerAnswer, Match], ...]:
        """All matches, each with its layer, in the order of the text."""
        pairs = [(layer, match) for layer in self.layers for match in layer.matches]
        return tuple(sorted(pairs, key=lambda pair: (pair[1].start, -pair[1].end)))

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object, the same on the command line and in the service."""
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
        """Return the answer as a piece of HTML: verdict, marked text, and a table of the matches."""
        # Programs that only ask do not load what draws.
        from portrait.answers.snippet import SourceMatches, snippet

        sources = [
            SourceMatches(layer.portrait, layer.source, layer.matches)
            for layer in self.layers
            if layer.matches
        ]
        return snippet(self.text, self.verdict, self.reason, sources)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return self.to_html()
