"""Estimates for people: no more digits than the standard error bears."""

from __future__ import annotations

import math
from typing import Protocol

from portrait.markup.numbers import count, percent

#: Shares are shown with at most so many decimals of a per cent.
_MOST_DECIMALS = 6


class Uncertain(Protocol):
    """A number, its standard error and its interval; the number and the error are ``None`` if unknown."""

    @property
    def value(self) -> float | None:
        """The estimate."""

    @property
    def standard_error(self) -> float | None:
        """Its standard error."""

    @property
    def low(self) -> float:
        """The lower end of the interval."""

    @property
    def high(self) -> float:
        """The upper end of the interval."""


def estimated_share(estimate: Uncertain) -> str:
    """Return an estimated share and its standard error in per cent, such as ``62.1% ± 0.4%``."""
    if estimate.value is None or estimate.standard_error is None:
        return "unknown"
    if estimate.low == estimate.high:
        return percent(estimate.value)
    if not estimate.standard_error:
        return "none seen" if estimate.value == 0 else "all seen"
    decimals = _decimals(estimate.standard_error)
    return f"{estimate.value:.{decimals}%} ± {estimate.standard_error:.{decimals}%}"


def share_interval(estimate: Uncertain) -> str:
    """Return the interval of a share in per cent, such as ``61.3% to 62.9%``."""
    if estimate.low == estimate.high:
        return "exact"
    decimals = _decimals((estimate.high - estimate.low) / 4)
    # Rounded outwards: the interval covers no less.
    scale = 10 ** (decimals + 2)
    low, high = math.floor(estimate.low * scale) / scale, math.ceil(estimate.high * scale) / scale
    if high >= 1:
        return f"at least {low:.{decimals}%}" if low > 0 else "0% to 100%"
    return f"{low:.{decimals}%} to {high:.{decimals}%}" if low > 0 else f"at most {high:.{decimals}%}"


def estimated_count(estimate: Uncertain) -> str:
    """Return an estimated number and its standard error, such as ``123,400 ± 900``."""
    if estimate.value is None or estimate.standard_error is None:
        return "unknown"
    if estimate.low == estimate.high:
        return count(round(estimate.value))
    if not estimate.standard_error:  # the sample has no such keys, or no others
        return f"about {count(round(estimate.value))}" if estimate.value else "none seen"
    step = _step(estimate.standard_error)
    return f"{count(_rounded(estimate.value, step))} ± {count(_rounded(estimate.standard_error, step))}"


def count_interval(estimate: Uncertain) -> str:
    """Return the interval of a number, such as ``121,600 to 125,200``."""
    if estimate.low == estimate.high:
        return "exact"
    step = _step((estimate.high - estimate.low) / 4)
    low, high = math.floor(estimate.low / step) * step, math.ceil(estimate.high / step) * step
    return f"{count(low)} to {count(high)}" if low > 0 else f"at most {count(high)}"


def _decimals(error: float) -> int:
    """Return how many decimals of a per cent a standard error of a share bears: its first digit is shown."""
    return min(_MOST_DECIMALS, max(0, -math.floor(math.log10(100 * error)))) if error else 0


def _step(error: float) -> int:
    """Return the power of ten of a standard error's first digit, at least 1."""
    return 10 ** math.floor(math.log10(error)) if error >= 1 else 1


def _rounded(value: float, step: int) -> int:
    return round(value / step) * step
