"""Numbers for people."""

from __future__ import annotations

import math


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


def size(n_bytes: int) -> str:
    """Return a number of bytes in three digits and a decimal unit."""
    if n_bytes < 1000:
        return f"{n_bytes} B"
    units = ("kB", "MB", "GB", "TB", "PB", "EB")
    # From 999.5 on, three digits round up to the next unit.
    power = min(len(units), int(math.log10(n_bytes * 2000 / 1999) // 3))
    return f"{n_bytes / 1000**power:.3g} {units[power - 1]}"
