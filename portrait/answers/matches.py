"""Chains of hits → matches: the passages of a text that a layer holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.answers.answer import Match
from portrait.evidence import evalue

if TYPE_CHECKING:
    from portrait.answers.judge import LayerEvidence
    from portrait.answers.scan import Chain


def unite(one: LayerEvidence, n_layers: int, shortest: int) -> tuple[Match, ...]:
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
