"""Ratio estimates: totals of a corpus from what was read at places of its shards, and their intervals.

A stratum's shards are its clusters, and the places read in a shard are a sample of it. What a byte of a shard
gives, of text for example, is the ratio of what was counted there to the bytes read; what a byte of shards
gives of which nothing was read is the weighted mean of the others (Cochran, *Sampling Techniques*, chapters 6
and 11).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The coefficient of variation from place to place of one shard, where no shard was read at two places.
_PLACES_CV = 0.3
#: The same from shard to shard, where only one shard was read.
_SHARDS_CV = 0.5
#: The least coefficient of variation from place to place: the first rows may differ from all others.
_LEAST_CV = 0.1
#: The quantile of the normal distribution of a two-sided interval of 95 %.
_NORMAL = 1.959964


class Range(NamedTuple):
    """The smallest and the largest value that an estimate leaves open."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A shard of ``n_bytes``, and what was counted in it at places: pairs of bytes read, and of the count.

    ``whole`` says whether all of the shard was read.
    """

    n_bytes: float
    whole: bool
    places: tuple[tuple[float, float], ...]

    @property
    def read_bytes(self) -> float:
        """The number of bytes read."""
        return sum(n_bytes for n_bytes, _ in self.places)

    @property
    def counted(self) -> float:
        """What was counted in all places."""
        return sum(value for _, value in self.places)

    @property
    def ratio(self) -> float:
        """What a byte gives."""
        return self.counted / self.read_bytes

    @property
    def unread(self) -> float:
        """The share of the shard that was not read, from 0 to 1."""
        return 0.0 if self.whole else max(0.0, 1 - self.read_bytes / max(1.0, self.n_bytes))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A total, its variance, and the number of places that the variance was computed from."""

    total: float
    variance: float
    n_places: int

    def range(self) -> Range:
        """Return the interval that holds the true total in about 95 of 100 cases, never below zero."""
        if self.total <= 0:
            return Range(round(self.total), round(self.total))
        # On a logarithmic scale: a total is off by a factor, and never negative.
        factor = math.exp(student(self.n_places - 1) * math.sqrt(self.variance) / self.total)
        return Range(round(self.total / factor), round(self.total * factor))


def student(n_degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t distribution, by its expansion about the normal one.

    Fewer degrees of freedom than 2 count as 2, for which the expansion is a tenth too low.
    """
    n, z = max(2, n_degrees), _NORMAL
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)


def united(estimates: Iterable[Estimate]) -> Estimate:
    """Return the estimate of the sum of totals that were estimated independently."""
    every = list(estimates)
    return Estimate(
        sum(one.total for one in every),
        sum(one.variance for one in every),
        sum(one.n_places for one in every),
    )


def estimate(clusters: Sequence[Cluster]) -> Estimate:
    """Estimate the total of a stratum.

    Args:
        clusters: The stratum's shards, those included of which nothing was read; at least one has been read.
    """
    read = [one for one in clusters if one.read_bytes > 0 or one.whole]
    unread_bytes = [one.n_bytes for one in clusters if one.read_bytes <= 0 and not one.whole]
    partly = [one for one in read if one.read_bytes > 0]
    n_places = sum(len(one.places) for one in read)
    total = sum(one.counted if one.whole else one.ratio * one.n_bytes for one in read)
    covered = sum(one.n_bytes for one in partly)
    if not covered:
        return Estimate(total, 0.0, n_places)
    rest = sum(unread_bytes)
    expand = 1 + rest / covered
    variance = expand**2 * sum(_within(one, _places_cv(partly)) for one in partly)
    mean = sum(one.ratio * one.n_bytes for one in partly) / covered
    if rest:
        between = _between(partly, mean)
        m_effective = covered**2 / sum(one.n_bytes**2 for one in partly)
        variance += between * (rest**2 / m_effective + sum(n_bytes**2 for n_bytes in unread_bytes))
    return Estimate(total + mean * rest, variance, n_places)


def _within(cluster: Cluster, cv: float) -> float:
    """Return the variance of a shard's total that comes of not reading all of it."""
    spread = (cluster.n_bytes * cluster.ratio * cv) ** 2
    return spread * cluster.unread / len(cluster.places)


def _places_cv(clusters: Sequence[Cluster]) -> float:
    """Return by how much places of one shard differ, as a share of the shard's ratio, over all shards."""
    squares, n_degrees = 0.0, 0
    for one in clusters:
        n = len(one.places)
        if n < 2 or not one.counted:
            continue
        mean_bytes = one.read_bytes / n
        residues = sum((value - one.ratio * n_bytes) ** 2 for n_bytes, value in one.places)
        squares += residues / (mean_bytes * one.ratio) ** 2
        n_degrees += n - 1
    return max(_LEAST_CV, math.sqrt(squares / n_degrees)) if n_degrees else _PLACES_CV


def _between(clusters: Sequence[Cluster], mean: float) -> float:
    """Return the variance of the shards' ratios."""
    if len(clusters) < 2:
        return (_SHARDS_CV * mean) ** 2
    squares = sum((one.ratio - mean) ** 2 for one in clusters)
    return max(squares / (len(clusters) - 1), (_LEAST_CV * mean) ** 2)
