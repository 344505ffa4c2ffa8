"""Shares with their confidence intervals, and distributions in bins."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The two-sided 95 % point of the standard normal distribution.
Z_95 = 1.959963984540054
#: The number of bars that a narrow screen has room for, about.
_MOST_BINS = 12


def wilson(count: float, total: float) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a rate: ``count`` of ``total``.

    The interval stays within 0 and 1, and has a width at rates of 0 and 1, where the usual interval (the rate
    plus or minus two standard errors) has none: the rates of interest are close to 0. Without rows, every
    rate is possible. (Wilson, JASA 22, 1927.)
    """
    if total == 0:
        return 0.0, 1.0
    rate, z2 = count / total, Z_95**2
    centre = (rate + z2 / (2 * total)) / (1 + z2 / total)
    half = Z_95 / (1 + z2 / total) * math.sqrt(rate * (1 - rate) / total + z2 / (4 * total**2))
    # Rounding would leave about 1e-17 at these ends.
    low = 0.0 if count == 0 else centre - half
    high = 1.0 if count == total else centre + half
    return low, high


@dataclass(frozen=True, slots=True)
class Share:
    """A number of things out of a total."""

    count: int
    total: int

    @property
    def share(self) -> float | None:
        """The ratio; ``None`` if the total is 0."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the ratio, after Wilson."""
        return wilson(self.count, self.total)

    def to_dict(self) -> dict[str, Any]:
        """Return the share as a JSON object."""
        low, high = self.interval
        return {
            "count": self.count,
            "total": self.total,
            "share": self.share,
            "low": low,
            "high": high,
        }


@dataclass(frozen=True, slots=True)
class Histogram:
    """The number of values between each edge and the next.

    A bin includes its lower edge, and the last bin its upper edge, too. There is one more edge than counts;
    without values there are neither.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the histogram as a JSON object."""
        return {"edges": list(self.edges), "counts": list(self.counts)}


def histogram(values: Iterable[float], edges: Sequence[float]) -> Histogram:
    """Count ``values``, all between the first and the last of the ascending ``edges``."""
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(bisect_right(edges, value) - 1, len(counts) - 1)] += 1
    return Histogram(tuple(edges), tuple(counts))


def shares_histogram(values: Iterable[float]) -> Histogram:
    """Return the distribution of shares, in tenths."""
    return histogram(values, [i / 10 for i in range(11)])


def lengths_histogram(values: Sequence[int]) -> Histogram:
    """Return the distribution of lengths, in at most a dozen bins whose edges are round numbers."""
    if not values:
        return Histogram((), ())
    step = _round_step(max(values))
    first = min(values) // step
    last = max(values) // step + 1
    return histogram(values, [i * step for i in range(first, last + 1)])


def _round_step(longest: int) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... that divides ``longest`` into few enough bins."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if longest // (digit * power) + 1 <= _MOST_BINS:
                return digit * power
        power *= 10


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the median and the greatest of some lengths."""

    least: int
    median: int
    greatest: int

    def to_dict(self) -> dict[str, Any]:
        """Return the spread as a JSON object."""
        return {"least": self.least, "median": self.median, "greatest": self.greatest}


def spread(values: Iterable[int]) -> Spread | None:
    """Return the spread of some lengths, ``None`` without any; of two medians, it has the lower one."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Spread(ordered[0], ordered[(len(ordered) - 1) // 2], ordered[-1])
