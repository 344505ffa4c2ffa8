"""What a portrait gives away of its corpus: what to say before it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.markup.numbers import count

if TYPE_CHECKING:
    from portrait.spec import WindowSpec

#: Stored windows overlap by more than this share of their width only where the stride is dense.
_DENSE = 4


def least_stride(width: int) -> int:
    """Return the smallest stride that does not let text be rebuilt from its windows: a quarter of the width.

    From one stored window to the next, an attacker must guess as many units at once as the stride has.
    docs/privacy.md measures how far that gets.
    """
    return max(1, -(-width // _DENSE))


def stride_warning(windows: WindowSpec) -> str | None:
    """Return a sentence that warns of a stride so small that text can be rebuilt; ``None`` of any other."""
    least = least_stride(windows.width)
    if windows.stride >= least:
        return None
    return (
        f"at a stride of {count(windows.stride)}, whoever holds the portrait can rebuild text of the corpus "
        f"from it, step by step: choose a stride of {count(least)} or more, or do not hand the portrait out"
    )
