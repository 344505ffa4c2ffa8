"""Evidence made by hand, for a text that normalising leaves as it is, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import portrait
from portrait.answers.judge import judge
from portrait.answers.scan import Chain, LayerEvidence, LayerScan, Stretch

if TYPE_CHECKING:
    from portrait.answers.answer import Answer


WIDTH, STRIDE = 10, 5


#: Of the 100 windows of a text of 109 characters, four in a row are needed at the default threshold.
FPR = 0.09


SPEC = portrait.WindowSpec(WIDTH, STRIDE)


def chain(window: int, windows: int, distinct: int | None = None) -> Chain:
    """A chain in a text that normalising left as it was."""
    end = window + (windows - 1) * STRIDE + WIDTH
    return Chain(window, windows, windows if distinct is None else distinct, window, end)


def evidence(
    *chains: Chain,
    fpr: float = FPR,
    units: int = 109,
    source: str = "main",
    document: bool = False,
    stretch: Stretch | None = None,
) -> LayerEvidence:
    windows = max(0, units - WIDTH + 1)
    scan = LayerScan(
        sum(one.windows for one in chains),
        document,
        max((one.windows for one in chains), default=0),
        max((one.distinct for one in chains), default=0),
        stretch,
        chains,
    )
    return LayerEvidence("pile", source, SPEC, fpr, units, windows, scan)


def ask(*layers: LayerEvidence, threshold: float = 0.01) -> Answer:
    return judge("x" * layers[0].units, layers, threshold)


def without_words(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object, as the oracle gives it."""
    result = answer.to_dict()
    del result["reason"]
    for layer in result["layers"]:
        del layer["portrait"], layer["source"]
    return result
