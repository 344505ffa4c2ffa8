"""Pure maths: what a run of hits is worth against chance.

Defined for readers in docs/answers.md; derived here and nowhere else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portrait.spec import WindowSpec

#: What every page that explains an answer says about E-values.
FORGEABLE = (
    "E-values hold for texts fixed before anyone saw the filter: whoever holds it can search for texts that "
    "it falsely confirms."
)

#: How many shares of windows left whole by edits (1/2 and 1/10) the kernel scores stretches for.
N_SHARES_KEPT = 2


def evalue(n_windows: int, n_layers: int, fpr: float, chain: int) -> float:
    """Return how many chains of at least ``chain`` windows chance alone would show in one text.

    The chance that one given start begins such a chain, ε^n, times the number of starts.

    Args:
        n_windows: Windows asked about the text, each in every layer.
        n_layers: Layers asked.
        fpr: Their false-positive rate ε, a share.
        chain: Length of the chain in windows, n.
    """
    return n_layers * n_windows * fpr**chain


def stretch_evalue(n_windows: int, n_layers: int, score: float) -> float:
    """Return an upper bound on how many stretches of a score or more chance alone would show in one text.

    From a given first window on, e^score is the gain of a bet on each hit and miss whose expectation is
    zero where every new window hits by chance with probability ε, independently. By Ville's inequality
    it reaches a level with a probability of at most the level's inverse. The bound sums over the
    ``n_windows`` first windows in ``n_layers`` layers, and over the :data:`N_SHARES_KEPT` shares tried.

    Args:
        n_windows: Windows asked about the text, each in every layer.
        n_layers: Layers asked.
        score: Natural logarithm of the likelihood ratio.
    """
    return N_SHARES_KEPT * n_layers * n_windows * math.exp(-score)


def significant_chain(n_windows: int, n_layers: int, fpr: float, threshold: float) -> int | None:
    """Return the length of the shortest chain whose E-value is at most a threshold.

    Args:
        n_windows: Windows asked about the text, each in every layer.
        n_layers: Layers asked.
        fpr: Their false-positive rate, a share.
        threshold: The highest E-value that counts as evidence.

    Returns:
        The length in windows; ``None`` where the filter answers yes to everything and no chain is evidence.
    """
    if fpr >= 1:
        return None
    if fpr <= 0 or n_windows == 0:
        return 1
    chain = max(1, math.ceil((math.log(n_layers * n_windows) - math.log(threshold)) / -math.log(fpr)))
    # The logarithms round; the definition is the E-value itself.
    while evalue(n_windows, n_layers, fpr, chain) > threshold:
        chain += 1
    while chain > 1 and evalue(n_windows, n_layers, fpr, chain - 1) <= threshold:
        chain -= 1
    return chain


def conclusive_length(
    spec: WindowSpec, n_units: int, n_windows: int, n_layers: int, fpr: float, threshold: float
) -> int | None:
    """Return the length from which a verbatim passage is certain to be found.

    The passage stands in a text of ``n_windows`` windows or, if that is too short for it, in a text of just
    the passage's length, which typically has so many.

    Args:
        spec: How texts become windows.
        n_units: The text's length in units of the normalised text.
        n_windows: Windows asked about the text, each in every layer.
        n_layers: Layers asked.
        fpr: Their false-positive rate, a share.
        threshold: The highest E-value that counts as evidence.

    Returns:
        The length in units of the normalised text; ``None`` where no chain is evidence.
    """
    length = spec.guaranteed_length
    # A text in which there is nothing to choose is asked about all of its windows; a longer one is not.
    own = n_windows if n_units >= length else 0
    while True:
        asked = n_windows if length <= n_units else max(own, spec.typical_windows(length))
        chain = significant_chain(asked, n_layers, fpr, threshold)
        if chain is None:
            return None
        longer = spec.length_holding(chain)
        if longer <= length:
            return length
        length = longer
