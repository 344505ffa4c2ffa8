"""Estimates for people: digits that the standard error bears, and intervals that cover no less."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.markup.estimates import count_interval, estimated_count, estimated_share, share_interval
from portrait.operations.estimates import OverlapEstimate


def exact(value: float) -> OverlapEstimate:
    return OverlapEstimate(value, 0.0, value, value)


UNKNOWN = OverlapEstimate(None, None, 0.0, 0.4)

SHARES = [
    (OverlapEstimate(0.62117, 0.00383, 0.61341, 0.62892), "62.1% ± 0.4%", "61.3% to 62.9%"),
    (OverlapEstimate(0.5, 0.06, 0.38, 0.62), "50% ± 6%", "38% to 62%"),
    (OverlapEstimate(0.00031, 0.00014, 0.00012, 0.00078), "0.03% ± 0.01%", "0.01% to 0.08%"),
    (OverlapEstimate(0.0, 0.0, 0.0, 0.00023), "none seen", "at most 0.023%"),
    (OverlapEstimate(1.0, 0.0, 0.99977, 1.0), "all seen", "at least 99.977%"),
    (UNKNOWN, "unknown", "at most 40%"),
    (OverlapEstimate(None, None, 0.0, 1.0), "unknown", "0% to 100%"),
    (exact(0.25), "25%", "exact"),
    (exact(0.0), "0%", "exact"),
    (exact(1.0), "100%", "exact"),
]


@pytest.mark.parametrize(("estimate", "value", "interval"), SHARES)
def test_shares_are_shown_with_the_digits_that_they_bear(
    estimate: OverlapEstimate, value: str, interval: str
) -> None:
    assert estimated_share(estimate) == value
    assert share_interval(estimate) == interval


COUNTS = [
    (OverlapEstimate(123_456.7, 893.0, 121_710.4, 125_203.2), "123,500 ± 900", "121,700 to 125,300"),
    (OverlapEstimate(12.4, 3.2, 7.0, 19.5), "12 ± 3", "7 to 20"),
    (OverlapEstimate(0.0, 0.0, 0.0, 11.2), "none seen", "at most 12"),
    (OverlapEstimate(364.0, 0.0, 352.6, 364.0), "about 364", "352 to 364"),
    (UNKNOWN, "unknown", "at most 1"),
    (exact(1234.0), "1,234", "exact"),
]


@pytest.mark.parametrize(("estimate", "value", "interval"), COUNTS)
def test_counts_are_shown_with_the_digits_that_they_bear(
    estimate: OverlapEstimate, value: str, interval: str
) -> None:
    assert estimated_count(estimate) == value
    assert count_interval(estimate) == interval


@given(st.floats(1e-6, 1 - 1e-6), st.floats(1e-5, 0.2))
def test_a_shown_share_and_its_interval_are_those_of_the_estimate(value: float, error: float) -> None:
    low, high = max(0.0, value - 2 * error), min(1.0, value + 2 * error)
    estimate = OverlapEstimate(value, error, low, high)
    shown, shown_error = (float(part) / 100 for part in re.findall(r"[\d.]+", estimated_share(estimate)))
    assert abs(shown - value) <= error
    assert shown_error == pytest.approx(error, rel=0.51)
    ends = [float(part) / 100 for part in re.findall(r"[\d.]+", share_interval(estimate))]
    text = share_interval(estimate)
    first, last = {"at least": (*ends, 1.0), "at most": (0.0, *ends)}.get(" ".join(text.split()[:2]), ends)
    assert first <= low + 1e-9
    assert high <= last + 1e-9
    assert last - first <= (high - low) * 2
