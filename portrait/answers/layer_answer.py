"""What one layer says about a text, and what the layers of one portrait say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.answers.verdict import strongest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.answers.matches import Approximate, Match
    from portrait.answers.verdict import Verdict
    from portrait.spec import WindowSpec


@dataclass(frozen=True, slots=True)
class LayerAnswer:
    """What one source of one portrait says about a text.

    Attributes:
        portrait: The portrait's name.
        source: The layer's name.
        spec: How the portrait cuts text into windows.
        verdict: The layer's verdict.
        units: The length of the normalised text, in the portrait's units.
        windows: The number of windows tested.
        hits: The number of windows that the filter holds.
        fpr: The layer's false-positive rate for each window.
        evalue: The best chain's E-value; ``None`` if no window hit.
        detectable_length: The shortest passage, in the portrait's units of the normalised text, that is
            certain to be found; ``None`` if no passage is.
        expected_by_chance: The expected number of chains just long enough for the threshold that chance alone
            shows in this layer.
        matches: The passages that the layer holds, in the order of the text.
        approximate: The passage most like an edited copy, if its E-value is within the threshold.
        number: The portrait's place in the question, from 0: several portraits may have the same name.
    """

    portrait: str
    source: str
    spec: WindowSpec
    verdict: Verdict
    units: int
    windows: int
    hits: int
    fpr: float
    evalue: float | None
    detectable_length: int | None
    expected_by_chance: float
    matches: tuple[Match, ...]
    approximate: Approximate | None = None
    number: int = 0

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
class PortraitAnswer:
    """What all layers of one portrait say about a text, in the portrait's own units.

    Attributes:
        portrait: The portrait's name.
        spec: How the portrait cuts text into windows.
        verdict: The verdict of its layers together.
        evalue: The best chain's E-value; ``None`` if no window hit.
        units: The length of the normalised text.
        detectable_length: The shortest passage that is certain to be found, whichever layer holds it;
            ``None`` if no passage is.
    """

    portrait: str
    spec: WindowSpec
    verdict: Verdict
    evalue: float | None
    units: int
    detectable_length: int | None

    @property
    def counting(self) -> str:
        """What the lengths count, for people."""
        return self.spec.counting

    @property
    def detectable(self) -> str:
        """The detectable length and what it counts, for people."""
        return "none" if self.detectable_length is None else self.spec.length(self.detectable_length)

    def to_dict(self) -> dict[str, Any]:
        """Return the portrait's answer as a JSON object."""
        return {
            "portrait": self.portrait,
            "verdict": self.verdict,
            "evalue": self.evalue,
            "units": self.units,
            "detectable_length": self.detectable_length,
            "detectable": self.detectable,
            "counting": self.counting,
        }


def by_portrait(layers: Sequence[LayerAnswer]) -> tuple[PortraitAnswer, ...]:
    """Return what each portrait says, in the order of its layers."""
    groups: dict[int, list[LayerAnswer]] = {}
    for layer in layers:
        groups.setdefault(layer.number, []).append(layer)
    return tuple(map(_together, groups.values()))


def longest_detectable(lengths: Sequence[int | None]) -> int | None:
    """Return the length that every layer detects, ``None`` if some layer detects none."""
    known = [length for length in lengths if length is not None]
    return max(known) if len(known) == len(lengths) else None


def _together(layers: Sequence[LayerAnswer]) -> PortraitAnswer:
    return PortraitAnswer(
        layers[0].portrait,
        layers[0].spec,
        strongest({layer.verdict for layer in layers}),
        min((layer.evalue for layer in layers if layer.evalue is not None), default=None),
        layers[0].units,
        longest_detectable([layer.detectable_length for layer in layers]),
    )
