"""Numbers as people read them."""

from __future__ import annotations


def count(n: int) -> str:
    """A whole number with its thousands apart."""
    return f"{n:,}"


def counted(n: int, noun: str) -> str:
    """A number of things whose plural ends in s."""
    return f"{count(n)} {noun}{'s' * (n != 1)}"


def percent(share: float) -> str:
    """A share in three digits."""
    return f"{100 * share:.3g}%"


def expected(n: float) -> str:
    """An expected number of rows."""
    return f"{n:.2g}"
