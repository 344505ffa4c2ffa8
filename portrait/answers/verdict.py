"""The three verdicts on a text, and how the verdicts of several layers make one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection

Verdict = Literal["found", "not_found", "inconclusive"]

#: All verdicts, in the order in which people want to see them counted.
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def strongest(verdicts: Collection[Verdict]) -> Verdict:
    """Return the verdict of several layers together.

    Args:
        verdicts: The layers' own verdicts, at least one.

    Returns:
        ``found`` if any layer finds something, ``not_found`` only if all layers say so.
    """
    if "found" in verdicts:
        return "found"
    return "inconclusive" if "inconclusive" in verdicts else "not_found"
