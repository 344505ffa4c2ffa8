"""What a portrait gives away of its corpus: what to say before it is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portrait.markup.numbers import count

if TYPE_CHECKING:
    from portrait.spec import WindowSpec

#: Windows are dense where fewer than this share of their width lies between one and the next.
_DENSE = 4


def is_dense(windows: WindowSpec) -> bool:
    """Return whether stored windows stand so close together that text can be rebuilt from them.

    From one stored window to the next, an attacker must guess all units between their ends at once: as many
    as the stride or, where the text chooses, as the mean distance. Less than a quarter of the width is dense;
    docs/privacy.md measures how far that gets.
    """
    return windows.density * windows.width > _DENSE


def least_gap(windows: WindowSpec) -> int:
    """Return the smallest stride, or span, from which on windows of this width are not dense."""
    kind = type(windows.sampling)
    # The mean distance is at least half the gap. It does not grow with every span, so the search goes down.
    gaps = range(windows.width // 2 + 1, 0, -1)
    return 1 + next((gap for gap in gaps if is_dense(replace(windows, sampling=kind(gap)))), 0)


def density_warning(windows: WindowSpec) -> str | None:
    """Return a sentence that warns of windows so dense that text can be rebuilt; ``None`` of any other."""
    if not is_dense(windows):
        return None
    sampling = windows.sampling
    return (
        f"at a {sampling.gap_name} of {count(sampling.gap)}, whoever holds the portrait can rebuild text of "
        f"the corpus from it, step by step: choose a {sampling.gap_name} of {count(least_gap(windows))} or "
        "more, or do not hand the portrait out"
    )
