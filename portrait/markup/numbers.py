"""Numbers for people."""

from __future__ import annotations


def count(n: int) -> str:
    """Return a whole number with its thousands separated by commas."""
    return f"{n:,}"


def counted(n: int, noun: str) -> str:
    """Return a number of things whose plural ends in s: ``1 row``, ``2,000 rows``."""
    return f"{count(n)} {noun}{'s' * (n != 1)}"


def percent(share: float) -> str:
    """Return a share in per cent, with three digits."""
    return f"{100 * share:.3g}%"


def expected(n: float) -> str:
    """Return an expected number, with two digits."""
    return f"{n:.2g}"
