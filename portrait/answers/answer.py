"""The answer about a text: what its layers say, each for itself and all together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portrait.answers.layer_answer import by_portrait
from portrait.answers.wording import meaning, reason

if TYPE_CHECKING:
    from portrait.answers.layer_answer import LayerAnswer, PortraitAnswer
    from portrait.answers.matches import Match
    from portrait.answers.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """What one or several portraits say about a text.

    Attributes:
        verdict: The verdict of all layers together.
        evalue: The best chain's E-value; ``None`` if no window hit.
        detectable_length: The shortest passage that is certain to be found at this threshold, whichever
            layer holds it, in units of the normalised text; ``None`` if no passage is, and where the
            portraits count differently: :attr:`portraits` has the length of each.
        coverage: The share of the characters of the text as given that are inside matches.
        longest_match: The length of the longest match, in characters of the text as given.
        exact_document: Whether some layer holds the key of the very text as a whole document; ``None`` if
            none is known to, and some layer records no documents of this length.
        layers: Each layer's own answer.
        text: The text itself, for showing the answer. It is not part of :meth:`to_dict`.
    """

    verdict: Verdict
    evalue: float | None
    detectable_length: int | None
    coverage: float
    longest_match: int
    exact_document: bool | None
    layers: tuple[LayerAnswer, ...]
    text: str = field(default="", repr=False, compare=False)

    @property
    def portraits(self) -> tuple[PortraitAnswer, ...]:
        """Each portrait's own answer, with its lengths in its own units."""
        return by_portrait(self.layers)

    @property
    def expected_by_chance(self) -> float:
        """The chance, at most, that a text like this one is found if the corpora share no window with it."""
        return min(1.0, sum(layer.expected_by_chance for layer in self.layers))

    @property
    def reason(self) -> str:
        """The verdict in a sentence for people."""
        return self._reason(self.portraits)

    def _reason(self, portraits: tuple[PortraitAnswer, ...]) -> str:
        unrecorded = self.exact_document is None and not any(layer.windows for layer in self.layers)
        return reason(
            self.verdict,
            evalue=self.evalue,
            n_matches=sum(len(layer.matches) for layer in self.layers),
            longest_match=self.longest_match,
            portraits=portraits,
            unrecorded=unrecorded,
            approximate=[layer.approximate for layer in self.layers if layer.approximate is not None],
        )

    @property
    def meaning(self) -> str:
        """What the verdict means and what it does not, in words no stronger than the evidence."""
        return meaning(self.verdict, self.evalue, sum(len(layer.matches) for layer in self.layers))

    @property
    def matches(self) -> tuple[tuple[LayerAnswer, Match], ...]:
        """All matches, each with its layer, in the order of the text."""
        pairs = [(layer, match) for layer in self.layers for match in layer.matches]
        return tuple(sorted(pairs, key=lambda pair: (pair[1].start, -pair[1].end)))

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object, the same on the command line and in the service."""
        portraits = self.portraits
        return {
            "verdict": self.verdict,
            "reason": self._reason(portraits),
            "evalue": self.evalue,
            "detectable_length": self.detectable_length,
            "coverage": self.coverage,
            "longest_match": self.longest_match,
            "exact_document": self.exact_document,
            "portraits": [portrait.to_dict() for portrait in portraits],
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
