"""Shares, their intervals, and distributions, checked against hand-computed values and closed forms."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.reports.statistics import (
    Z_95,
    Histogram,
    Share,
    Spread,
    histogram,
    lengths_histogram,
    shares_histogram,
    spread,
    wilson,
)

RATES = st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_the_intervals_have_95_percent_confidence() -> None:
    assert pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-12) == Z_95


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_agree_with_the_literature(count: int, total: int, low: float, high: float) -> None:
    assert wilson(count, total) == pytest.approx((low, high), abs=5e-5)


@given(RATES)
def test_the_ends_of_an_interval_are_where_the_score_test_changes_its_verdict(rate: tuple[int, int]) -> None:
    """At each end p the observed rate is 1.96 standard errors away: |k/n − p| = z·√(p(1 − p)/n)."""
    count, total = rate
    for end in wilson(count, total):
        if 0 < end < 1:
            distance = Z_95 * math.sqrt(end * (1 - end) / total)
            assert abs(count / total - end) == pytest.approx(distance, rel=1e-4, abs=1e-12)


@given(RATES)
def test_an_interval_contains_its_rate_and_stays_within_0_and_1(rate: tuple[int, int]) -> None:
    count, total = rate
    low, high = wilson(count, total)
    assert 0 <= low <= count / total <= high <= 1
    assert wilson(total - count, total) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(st.integers(0, 100), st.integers(1, 100), st.integers(2, 1000))
def test_more_rows_at_the_same_rate_narrow_the_interval(count: int, rest: int, times: int) -> None:
    low, high = wilson(count, count + rest)
    closer_low, closer_high = wilson(count * times, (count + rest) * times)
    assert low <= closer_low
    assert closer_high <= high


def test_without_rows_every_rate_is_possible() -> None:
    assert Share(0, 0).to_dict() == {"count": 0, "total": 0, "share": None, "low": 0.0, "high": 1.0}


def test_the_interval_of_a_rate_of_0_or_1_ends_there_exactly() -> None:
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


def test_a_bin_includes_its_lower_edge_and_the_last_one_both_edges() -> None:
    bins = histogram([0, 0.5, 1, 1.5, 2, 3], [0, 1, 2, 3])
    assert bins == Histogram((0, 1, 2, 3), (2, 2, 2))


def test_shares_fall_into_tenths() -> None:
    bins = shares_histogram([0.05, 0.1, 0.3, 0.6, 0.7, 0.999, 1.0])
    assert bins.edges[0] == 0
    assert bins.edges[-1] == 1
    assert bins.counts == (1, 1, 0, 1, 0, 0, 1, 1, 0, 2)


@given(st.lists(st.integers(0, 10**7), min_size=1))
def test_lengths_fall_into_few_bins_with_round_edges(lengths: list[int]) -> None:
    bins = lengths_histogram(lengths)
    assert sum(bins.counts) == len(lengths)
    assert 1 <= len(bins.counts) <= 12
    assert bins.edges[0] <= min(lengths)
    assert max(lengths) < bins.edges[-1]
    steps = {b - a for a, b in zip(bins.edges, bins.edges[1:], strict=False)}
    (step,) = steps
    assert f"{step:g}".strip("0").partition("e")[0] in {"1", "2", "5"}
    for low, high, count in zip(bins.edges, bins.edges[1:], bins.counts, strict=False):
        assert count == sum(low <= length < high for length in lengths)


@pytest.mark.parametrize(
    ("longest", "step"),
    [
        (0, 1),
        (11, 1),
        (12, 2),
        (23, 2),
        (24, 5),
        (59, 5),
        (60, 10),
        (119, 10),
        (120, 20),
        (240, 50),
        (1200, 200),
    ],
)
def test_bins_are_as_narrow_as_a_dozen_of_them_allow(longest: int, step: int) -> None:
    bins = lengths_histogram([0, longest])
    assert bins.edges == tuple(range(0, longest + step + 1, step))[: longest // step + 2]


def test_bins_begin_at_the_shortest_length() -> None:
    assert lengths_histogram([1000, 1199, 1200]).edges == (1000, 1200, 1400)


def test_no_lengths_have_no_bins() -> None:
    assert lengths_histogram([]) == Histogram((), ())
    assert lengths_histogram([]).to_dict() == {"edges": [], "counts": []}


@given(st.lists(st.integers(0, 1000), min_size=1))
def test_a_spread_consists_of_lengths_that_occur(lengths: list[int]) -> None:
    lengths_spread = spread(lengths)
    assert lengths_spread is not None
    assert (lengths_spread.least, lengths_spread.greatest) == (min(lengths), max(lengths))
    assert lengths_spread.median in lengths
    assert 2 * sum(length <= lengths_spread.median for length in lengths) >= len(lengths)
    assert 2 * sum(length >= lengths_spread.median for length in lengths) >= len(lengths)


def test_nothing_has_no_spread() -> None:
    assert spread([]) is None
    assert spread([3, 1, 2, 9]) == Spread(1, 2, 9)
