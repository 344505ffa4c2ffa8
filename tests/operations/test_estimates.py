"""Estimated overlaps: exact where all keys are known, otherwise as far off as their standard errors say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.operations.estimates import KeyOverlap, OverlapEstimate, SetSize, estimate_overlap

if TYPE_CHECKING:
    from collections.abc import Iterable

FIELDS = ("jaccard", "a_in_b", "b_in_a", "shared", "only_a", "only_b")


class Sets(NamedTuple):
    """How many keys are in both of two sets, in A only, in B only."""

    both: int
    only_a: int
    only_b: int

    @property
    def truth(self) -> dict[str, float]:
        """What there is to estimate, by its name."""
        both, only_a, only_b = self
        return {
            "jaccard": both / (both + only_a + only_b),
            "a_in_b": both / (both + only_a),
            "b_in_a": both / (both + only_b),
            "shared": both,
            "only_a": only_a,
            "only_b": only_b,
        }

    @property
    def sizes(self) -> tuple[SetSize, SetSize]:
        """The sizes of A and B, if both are one layer and counted."""
        n_a, n_b = self.both + self.only_a, self.both + self.only_b
        return SetSize(n_a, 0.0, n_a, n_a), SetSize(n_b, 0.0, n_b, n_b)


def sampled(sets: Sets, share: float, seed: int) -> KeyOverlap:
    """OverlapEstimate the overlap of sets of random keys from those below a threshold."""
    n_both, n_a, n_b = np.random.default_rng(seed).binomial(sets, share).tolist()
    return estimate_overlap({(1, 1): n_both, (1, 0): n_a, (0, 1): n_b}, share, *sets.sizes)


def covers(estimate: OverlapEstimate, truth: float) -> bool:
    return estimate.low <= truth * (1 + 1e-12) and truth <= estimate.high * (1 + 1e-12)


COUNTS = st.integers(0, 10**6)


@given(COUNTS, COUNTS, COUNTS)
def test_all_keys_give_the_exact_numbers(both: int, only_a: int, only_b: int) -> None:
    sets = Sets(both, only_a, only_b)
    found = estimate_overlap({(1, 1): both, (1, 0): only_a, (0, 1): only_b}, 1.0, *sets.sizes)
    assert (found.exact, found.sampled_a, found.sampled_b) == (True, both + only_a, both + only_b)
    for name, n in (("shared", both), ("only_a", only_a), ("only_b", only_b)):
        assert getattr(found, name) == OverlapEstimate(n, 0.0, n, n)
    for name, total in (("a_in_b", both + only_a), ("b_in_a", both + only_b), ("jaccard", sum(sets))):
        estimate: OverlapEstimate = getattr(found, name)
        if total:
            share = both / total
            assert estimate == OverlapEstimate(share, 0.0, share, share)
        else:
            assert (estimate.value, estimate.low, estimate.high) == (None, 0.0, 1.0)


#: Sets of about the same size and of different sizes, much and little overlap; and how many keys are sampled.
CASES = {
    "half": (Sets(1000, 1000, 1000), 0.1),
    "most keys sampled": (Sets(150, 250, 150), 0.7),
    "a small part of a large set": (Sets(600, 300, 9000), 0.05),
    "a subset with some keys of its own": (Sets(900, 100, 2100), 0.08),
}


@pytest.mark.parametrize("case", CASES)
def test_errors_are_distributed_as_the_standard_errors_say(case: str) -> None:
    sets, share = CASES[case]
    n_runs = 250
    scaled: dict[str, list[float]] = {name: [] for name in FIELDS}
    n_covered = dict.fromkeys(FIELDS, 0)
    for seed in range(n_runs):
        found = sampled(sets, share, seed)
        for name, truth in sets.truth.items():
            estimate: OverlapEstimate = getattr(found, name)
            assert estimate.value is not None
            assert estimate.standard_error
            assert estimate.low <= estimate.value <= estimate.high
            scaled[name].append((estimate.value - truth) / estimate.standard_error)
            n_covered[name] += covers(estimate, truth)
    for name, errors in scaled.items():
        # Of 250 runs, the mean has a standard error of 0.063, the root mean square one of 0.045.
        assert abs(sum(errors) / n_runs) < 0.3, name
        assert 0.8 < math.sqrt(sum(error**2 for error in errors) / n_runs) < 1.25, name
        # 95 % of them, less four standard errors.
        assert n_covered[name] / n_runs > 0.95 - 4 * math.sqrt(0.95 * 0.05 / n_runs), name


RARE = {
    "disjoint": Sets(0, 3000, 3000),
    "equal": Sets(3000, 0, 0),
    "a subset": Sets(1000, 0, 3000),
    "nearly disjoint": Sets(15, 3000, 3000),
    "nearly equal": Sets(3000, 15, 15),
    "few keys in many": Sets(20, 40, 9000),
}


@pytest.mark.parametrize("case", RARE)
def test_intervals_hold_near_no_overlap_and_near_all(case: str) -> None:
    sets = RARE[case]
    n_runs = 200
    n_covered = dict.fromkeys(FIELDS, 0)
    for seed in range(n_runs):
        found = sampled(sets, 0.08, seed)
        for name, truth in sets.truth.items():
            estimate: OverlapEstimate = getattr(found, name)
            n_covered[name] += covers(estimate, truth)
    assert {name: n for name, n in n_covered.items() if n < 0.9 * n_runs} == {}


def test_what_the_sample_lacks_is_not_said_to_be_impossible() -> None:
    found = sampled(RARE["equal"], 0.1, 0)
    assert (found.a_in_b.value, found.only_a.value) == (1.0, 0.0)
    assert 0.98 < found.a_in_b.low < 0.995
    assert found.a_in_b.high == 1.0
    assert 10 < found.only_a.high < 60
    found = sampled(RARE["disjoint"], 0.1, 0)
    assert (found.jaccard.value, found.jaccard.low, found.shared.value) == (0.0, 0.0, 0.0)
    assert 0 < found.jaccard.high < 0.01
    assert 10 < found.shared.high < 60


def test_sets_that_are_counted_add_up() -> None:
    for seed in range(20):
        sets = CASES["half"][0]
        found = sampled(sets, 0.1, seed)
        values = [one.value for one in (found.shared, found.only_a, found.only_b)]
        shared, only_a, only_b = (value for value in values if value is not None)
        assert shared + only_a == pytest.approx(sets.both + sets.only_a)
        assert shared + only_b == pytest.approx(sets.both + sets.only_b)


def test_of_a_set_without_sampled_keys_only_its_size_limits_the_overlap() -> None:
    a, b = SetSize(50, 0.0, 50, 50), SetSize(10**6, 0.0, 10**6, 10**6)
    found = estimate_overlap({(0, 1): 16000}, 0.016, a, b)
    assert (found.sampled_a, found.sampled_b, found.exact) == (0, 16000, False)
    assert found.a_in_b == OverlapEstimate(None, None, 0.0, 1.0)
    assert found.b_in_a == OverlapEstimate(0.0, 0.0, 0.0, 5e-5)
    assert found.jaccard == OverlapEstimate(None, None, 0.0, 5e-5)
    assert found.shared == OverlapEstimate(None, None, 0.0, 50.0)
    assert found.only_a == OverlapEstimate(None, None, 0.0, 50.0)
    assert (found.only_b.low, found.only_b.high) == (10**6 - 50, 10**6)


def test_keys_of_several_layers_count_once() -> None:
    # Each of A's 1,000 keys is in both of its layers, and half of them are in B's one.
    a, b = SetSize(2000, 0.0, 1000, 2000), SetSize(1000, 0.0, 1000, 1000)
    found = estimate_overlap({(2, 1): 50, (2, 0): 50, (0, 1): 50}, 0.1, a, b)
    assert found.a_in_b.value == found.b_in_a.value == 0.5
    assert found.jaccard.value == pytest.approx(1 / 3)
    assert found.shared.value == pytest.approx(500)
    assert found.only_a.value == pytest.approx(500)


def test_an_estimated_size_makes_numbers_less_certain_and_shares_not() -> None:
    holders = {(1, 1): 100}
    counted = estimate_overlap(holders, 0.1, *[SetSize(1000, 0.0, 1000, 1000)] * 2)
    estimated = estimate_overlap(holders, 0.1, *[SetSize(1000, 30.0, 880, 1120)] * 2)
    assert estimated.a_in_b == counted.a_in_b
    assert counted.shared.standard_error == 0
    assert estimated.shared.standard_error == pytest.approx(30)
    assert estimated.shared.high > 1050


def flattened(found: KeyOverlap) -> Iterable[float | None]:
    for name in FIELDS:
        estimate: OverlapEstimate = getattr(found, name)
        yield from (estimate.value, estimate.standard_error, estimate.low, estimate.high)


@given(*[st.integers(0, 40)] * 3, *[st.integers(0, 10**9)] * 3, st.floats(1e-6, 1))
def test_any_sample_gives_finite_numbers_within_their_limits(
    both: int, only_a: int, only_b: int, more_both: int, more_a: int, more_b: int, share: float
) -> None:
    sets = Sets(both + more_both, only_a + more_a, only_b + more_b)
    found = estimate_overlap({(1, 1): both, (1, 0): only_a, (0, 1): only_b}, share, *sets.sizes)
    assert all(number is None or (math.isfinite(number) and number >= 0) for number in flattened(found))
    for name in FIELDS:
        estimate: OverlapEstimate = getattr(found, name)
        assert estimate.low <= estimate.high
        assert estimate.value is None or estimate.low <= estimate.value <= estimate.high
        if name in ("jaccard", "a_in_b", "b_in_a"):
            assert estimate.high <= 1
