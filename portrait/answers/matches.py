"""Chains and stretches of hits → the passages of a text that a layer holds, each with its E-value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.evidence import evalue, stretch_evalue

if TYPE_CHECKING:
    from portrait.answers.scan import Chain, LayerEvidence


@dataclass(frozen=True, slots=True)
class Match:
    """A passage of the text that a layer holds: the union of overlapping significant chains.

    Attributes:
        start: The first character, in the text as given.
        end: The character after the last.
        windows: The number of different windows in the best chain.
        evalue: The best chain's E-value.
    """

    start: int
    end: int
    windows: int
    evalue: float

    def to_dict(self) -> dict[str, Any]:
        """Return the match as a JSON object."""
        return {"start": self.start, "end": self.end, "windows": self.windows, "evalue": self.evalue}


@dataclass(frozen=True, slots=True)
class Approximate:
    """A passage that looks like an edited copy: more of its windows hit than chance explains.

    Its E-value is separate and does not enter the verdict: the corpus may hold no more than
    pieces of this passage.

    Attributes:
        start: The first character, in the text as given.
        end: The character after the last.
        windows: The number of asked windows from the first hit to the last; with a stride, of those a stride
            apart.
        hits: The number of different windows among them that hit.
        evalue: The E-value of the passage.
    """

    start: int
    end: int
    windows: int
    hits: int
    evalue: float

    def to_dict(self) -> dict[str, Any]:
        """Return the passage as a JSON object."""
        return {
            "start": self.start,
            "end": self.end,
            "windows": self.windows,
            "hits": self.hits,
            "evalue": self.evalue,
        }


def unite(evidence: LayerEvidence, n_layers: int, shortest: int) -> tuple[Match, ...]:
    """Unite overlapping chains into matches.

    Args:
        evidence: The layer's evidence.
        n_layers: The number of layers in the whole question.
        shortest: The number of different windows that makes a chain significant. Shorter chains are
            left out: they neither match nor connect others.

    Returns:
        The matches in the order of the text. Chains that only touch stay apart.
    """
    spec = evidence.spec
    matches: list[Match] = []
    group: list[Chain] = []
    group_end = 0  # in units of the normalised text, like Chain.window

    def close() -> None:
        best = max(chain.distinct for chain in group)
        matches.append(
            Match(
                start=min(chain.start for chain in group),
                end=max(chain.end for chain in group),
                windows=best,
                evalue=evalue(evidence.windows, n_layers, evidence.fpr, best),
            )
        )

    for chain in evidence.scan.chains:
        if chain.distinct < shortest:
            continue
        end = chain.last + spec.width
        if group and chain.window >= group_end:
            close()
            group = []
        group.append(chain)
        group_end = max(group_end, end)
    if group:
        close()
    return tuple(matches)


def approximate(evidence: LayerEvidence, n_layers: int, threshold: float) -> Approximate | None:
    """Return the passage most like an edited copy, if its E-value is within the threshold.

    Args:
        evidence: The layer's evidence.
        n_layers: The number of layers in the whole question.
        threshold: The largest E-value that counts.
    """
    stretch = evidence.scan.stretch
    if stretch is None:
        return None
    value = stretch_evalue(evidence.windows, n_layers, stretch.score)
    if value > threshold:
        return None
    return Approximate(stretch.start, stretch.end, stretch.windows, stretch.hits, value)
