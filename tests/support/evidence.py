"""Handmade evidence about a text that normalisation leaves unchanged, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import portrait
from portrait.answers.judge import judge
from portrait.answers.scan import Chain, LayerEvidence, LayerScan, Stretch

if TYPE_CHECKING:
    from portrait.answers.answer import Answer


WIDTH, STRIDE = 10, 5


#: With 100 windows, as in a text of 109 characters, a chain of four is significant at the default threshold.
FPR = 0.09


SPEC = portrait.WindowSpec(WIDTH, portrait.Stride(STRIDE))


def chain(window: int, windows: int, distinct: int | None = None) -> Chain:
    """Return a chain of ``windows`` windows from offset ``window``, all of them distinct by default."""
    last = window + (windows - 1) * STRIDE
    return Chain(window, last, windows, windows if distinct is None else distinct, window, last + WIDTH)


def evidence(
    *chains: Chain,
    fpr: float = FPR,
    units: int = 109,
    source: str = "main",
    document: bool | None = False,
    stretch: Stretch | None = None,
) -> LayerEvidence:
    """Return the evidence of a layer that has these chains.

    Args:
        chains: The layer's chains of hits.
        fpr: The filter's false-positive rate.
        units: The length of the text in characters.
        source: The name of the layer's source.
        document: Whether the whole text is one of the source's documents, if that is known.
        stretch: The best stretch, if any.
    """
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
    """Return the answer that follows from the evidence of these layers."""
    return judge("x" * layers[0].units, layers, threshold)


def without_words(answer: Answer) -> dict[str, Any]:
    """Return the answer's JSON object without the reason and names, as the oracle gives it."""
    result = answer.to_dict()
    del result["reason"], result["portraits"]
    for layer in result["layers"]:
        del layer["portrait"], layer["source"]
    return result
