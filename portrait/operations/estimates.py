"""How many keys two sets share, estimated from all of their keys below a threshold: pure maths.

Keys are hashes, so those below a threshold are a random sample of any set of them, and the same sample of
every set. With q, the threshold as a share of the key space:

- The share of A's keys that are in B is that of the n sampled keys of A, p, with a standard error of
  √(p(1 − p)(1 − q)/n): the factor 1 − q is the correction for a sample from a finite set. The interval is
  Wilson's, for n/(1 − q) keys. So is the Jaccard similarity, the share of A ∪ B that is in A ∩ B.
- The number of keys of a kind is a regression estimate. It makes use of the known numbers of keys of the
  layers, in T: their sum over the layers of A, and over those of B. A sampled key has y = 1 if it is of the
  kind, otherwise 0, and x: how many layers of A hold it, and how many of B. The estimate is
  Σy/q + (T − Σx/q)·β with β = (Σxxᵀ)⁻¹Σxy. Its standard error is that of the residuals e = y − x·β,
  √((1 − q) Σe²)/q, and, added in quadrature, that of T·β. The interval is 1.96 standard errors to each side,
  where the sample is taken to have 1.96² keys more of each kind: a kind that it lacks may exist.

Where q is 1, all keys are known, and the numbers are exact. (Beyer, Haas, Reinwald, Sismanis and Gemulla, *On
Synopses for Distinct-Value Estimation under Multiset Operations*, SIGMOD 2007; Cohen and Kaplan, *Summarizing
Data Using Bottom-k Sketches*, PODC 2007, and *Leveraging Discarded Samples for Tighter Estimation of
Multiple-Set Aggregates*, SIGMETRICS 2009; Cochran, *Sampling Techniques*, chapters 3 and 7.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.reports.statistics import Z_95, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Kind = Callable[[int, int], bool]

#: What a key can be: in layers of both, of A only, of B only.
_KINDS = ((1, 1), (1, 0), (0, 1))


@dataclass(frozen=True, slots=True)
class OverlapEstimate:
    """A number and how far it is to be trusted.

    ``value`` and ``standard_error`` are ``None`` where the sample says nothing; ``low`` and ``high`` are the
    95 % interval, or the limits that are known nevertheless.
    """

    value: float | None
    standard_error: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class KeyOverlap:
    """How much two sets of keys, A and B, overlap.

    ``exact`` says whether all keys were compared; ``sampled_a`` and ``sampled_b`` are how many of each set
    were. ``jaccard`` is the number of shared keys as a share of all; ``a_in_b`` is the share of A's keys that
    are in B, and ``b_in_a`` the reverse; the others are numbers of keys.
    """

    exact: bool
    sampled_a: int
    sampled_b: int
    jaccard: OverlapEstimate
    a_in_b: OverlapEstimate
    b_in_a: OverlapEstimate
    shared: OverlapEstimate
    only_a: OverlapEstimate
    only_b: OverlapEstimate


@dataclass(frozen=True, slots=True)
class SetSize:
    """How many keys a set, the keys of some layers, is known to have.

    ``held`` is the sum of the layers' numbers of keys, with its standard error, where a key counts once for
    each layer; ``least`` and ``most`` are limits of the number of different keys.
    """

    held: int
    standard_error: float
    least: float
    most: float


def estimate_overlap(
    holders: Mapping[tuple[int, int], int], share: float, a: SetSize, b: SetSize
) -> KeyOverlap:
    """OverlapEstimate the overlap of two sets of keys.

    Args:
        holders: How many sampled keys are held by so many layers of A, and so many of B.
        share: The share of all keys that is sampled.
        a: The size of A.
        b: The size of B.
    """
    counts = _Counts(holders, share, (a, b))
    n_a, n_b, n_both = counts.sampled(_in_a), counts.sampled(_in_b), counts.sampled(_in_both)
    # No more keys are shared than the smaller set holds.
    limit_a_in_b = b.most / a.least if a.least else 1.0
    limit_b_in_a = a.most / b.least if b.least else 1.0
    known_a, known_b = n_a > 0 or a.most == 0, n_b > 0 or b.most == 0
    both = known_a and known_b
    limits_a, limits_b = (max(0.0, a.least - b.most), a.most), (max(0.0, b.least - a.most), b.most)
    return KeyOverlap(
        exact=share == 1,
        sampled_a=n_a,
        sampled_b=n_b,
        jaccard=_ratio(n_both, n_a + n_b - n_both, share, min(limit_a_in_b, limit_b_in_a), known=both),
        a_in_b=_ratio(n_both, n_a, share, limit_a_in_b),
        b_in_a=_ratio(n_both, n_b, share, limit_b_in_a),
        shared=counts.estimate(_in_both, (0.0, min(a.most, b.most)), known=both),
        only_a=counts.estimate(_only_in_a, limits_a, known=known_a),
        only_b=counts.estimate(_only_in_b, limits_b, known=known_b),
    )


# The kinds of keys, by how many layers of A hold one, and how many of B.


def _in_a(n_a: int, n_b: int) -> bool:  # noqa: ARG001
    return n_a > 0


def _in_b(n_a: int, n_b: int) -> bool:  # noqa: ARG001
    return n_b > 0


def _in_both(n_a: int, n_b: int) -> bool:
    return n_a > 0 and n_b > 0


def _only_in_a(n_a: int, n_b: int) -> bool:
    return n_a > 0 and n_b == 0


def _only_in_b(n_a: int, n_b: int) -> bool:
    return n_a == 0 and n_b > 0


def _ratio(count: int, total: int, share: float, limit: float, *, known: bool = True) -> OverlapEstimate:
    """Return the share of sampled keys that is ``count`` of ``total``.

    Args:
        count: The sampled keys of a kind.
        total: The sampled keys of a set.
        share: The share of all keys that is sampled.
        limit: The share is known to be no higher.
        known: Whether the sample says anything about both sets.
    """
    rate = count / total if total and known else None
    if share == 1 and rate is not None:
        return OverlapEstimate(rate, 0.0, rate, rate)
    weight = 1 / (1 - share) if share < 1 else 1.0
    low, high = wilson(count * weight, total * weight)
    high = max(rate or 0.0, min(high, limit))
    if rate is None:
        return OverlapEstimate(None, None, 0.0, high)
    return OverlapEstimate(rate, math.sqrt(rate * (1 - rate) / (total * weight)), low, high)


class _Counts:
    """Numbers of keys, estimated from a sample."""

    def __init__(
        self, holders: Mapping[tuple[int, int], int], share: float, sizes: tuple[SetSize, SetSize]
    ) -> None:
        # Sums of floats depend on their order.
        self._holders = dict(sorted(holders.items()))
        self._share = share
        self._sizes = sizes

    def sampled(self, is_one: _Kind) -> int:
        """Return how many keys of a kind are in the sample."""
        return sum(n for held, n in self._holders.items() if is_one(*held))

    def estimate(self, is_one: _Kind, limits: tuple[float, float], *, known: bool) -> OverlapEstimate:
        """OverlapEstimate the number of keys of a kind.

        Args:
            is_one: Whether a key that so many layers of A hold, and so many of B, is of the kind.
            limits: How many there are at least, and at most.
            known: Whether the sample says anything about such keys.
        """
        sampled = self.sampled(is_one)
        if self._share == 1:
            return OverlapEstimate(float(sampled), 0.0, float(sampled), float(sampled))
        low, high = float(max(sampled, limits[0])), float(limits[1])
        if not known:
            return OverlapEstimate(None, None, low, high)
        slopes = self._slopes(is_one)
        value = sampled / self._share
        for i in (0, 1):
            value += slopes[i] * (self._sizes[i].held - self._sum(lambda *n, i=i: n[i]) / self._share)
        squares = self._sum(lambda *n: (is_one(*n) - n[0] * slopes[0] - n[1] * slopes[1]) ** 2)
        unseen = sum((is_one(*n) - n[0] * slopes[0] - n[1] * slopes[1]) ** 2 for n in _KINDS)
        scale = math.sqrt(1 - self._share) / self._share
        known_error = sum(abs(slopes[i]) * self._sizes[i].standard_error for i in (0, 1))
        error = math.hypot(scale * math.sqrt(squares), known_error)
        reach = Z_95 * math.hypot(scale * math.sqrt(squares + Z_95**2 * unseen), known_error)
        value = min(max(value, low), high)
        return OverlapEstimate(value, error, max(low, value - reach), min(high, value + reach))

    def _sum(self, what: Callable[[int, int], float]) -> float:
        """Return the sum over all sampled keys."""
        return sum(n * what(*held) for held, n in self._holders.items())

    def _slopes(self, is_one: _Kind) -> tuple[float, float]:
        """Return the slopes of the regression on the numbers of layers that hold a key."""
        aa, ab, bb = (self._sum(lambda *n, i=i, j=j: n[i] * n[j]) for i, j in ((0, 0), (0, 1), (1, 1)))
        ya, yb = (self._sum(lambda *n, i=i: n[i] * is_one(*n)) for i in (0, 1))
        determinant = aa * bb - ab * ab
        if determinant:
            return (ya * bb - yb * ab) / determinant, (yb * aa - ya * ab) / determinant
        if aa and bb:  # all keys are held in the same proportion
            slope = (ya + yb) / (aa + 2 * ab + bb)
            return slope, slope
        return (ya / aa if aa else 0.0), (yb / bb if bb else 0.0)
