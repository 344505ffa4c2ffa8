"""Ratio estimates, against numbers computed by hand."""

from __future__ import annotations

import math
import random

import pytest

from portrait.planning.ratio import Cluster, Estimate, Range, estimate, student, united


def test_a_cluster_s_numbers() -> None:
    cluster = Cluster(200, False, ((10, 30), (40, 70)))
    assert (cluster.read_bytes, cluster.counted, cluster.ratio, cluster.unread) == (50, 100, 2.0, 0.75)
    assert Cluster(200, True, ((10, 30),)).unread == 0
    assert Cluster(20, False, ((30, 30),)).unread == 0
    assert Cluster(0, False, ((0.25, 1),)).unread == 0.75


def test_what_was_read_whole_is_exact() -> None:
    assert estimate([Cluster(9, True, ((9, 4),)), Cluster(0, True, ((0, 3),))]) == Estimate(7, 0.0, 2)
    assert estimate([Cluster(0, True, ((0, 3),))]) == Estimate(3, 0.0, 1)
    assert Estimate(7, 0.0, 2).range() == Range(7, 7)
    assert Estimate(0, 4.0, 2).range() == Range(0, 0)


def test_a_shard_read_at_two_places() -> None:
    # The ratio is 40 / 20 = 2, the residues are ±4: 32 / (10 · 2)² = 0.08, of one degree of freedom.
    got = estimate([Cluster(100, False, ((10, 24), (10, 16)))])
    assert (got.total, got.n_places) == (200, 2)
    assert got.variance == pytest.approx((100 * 2) ** 2 * 0.08 * 0.8 / 2)


def test_places_of_all_shards_tell_how_much_places_differ() -> None:
    # As above, 0.08 of one degree of freedom, and (2² + 0² + 2²) / (10 · 1)² = 0.08 of two.
    two = Cluster(100, False, ((10, 24), (10, 16)))
    three = Cluster(300, False, ((10, 12), (10, 10), (10, 8)))
    one = Cluster(50, False, ((5, 20),))
    nothing = Cluster(100, False, ((10, 0), (10, 0)))
    squared_cv = (0.08 + 8 / 100) / 3
    expected = 200**2 * 0.8 / 2 + 300**2 * 0.9 / 3 + 200**2 * 0.9
    for clusters in ([two, three, one], [nothing, one, two, three]):
        got = estimate(clusters)
        assert got.total == 200 + 300 + 200
        assert got.variance == pytest.approx(expected * squared_cv)
        assert got.n_places == 6 + 2 * (nothing in clusters)


def test_a_byte_that_was_read_is_a_sample() -> None:
    assert estimate([Cluster(10, False, ((1, 3),))]).total == 30
    assert estimate([Cluster(10, False, ((0.5, 3),))]).total == 60


def test_places_that_agree_may_differ_from_others_by_a_tenth() -> None:
    got = estimate([Cluster(100, False, ((10, 20), (10, 20)))])
    assert got.variance == pytest.approx(200**2 * 0.1**2 * 0.8 / 2)


def test_one_place_may_differ_from_others_by_three_tenths() -> None:
    got = estimate([Cluster(100, False, ((20, 40),))])
    assert (got.total, got.n_places) == (200, 1)
    assert got.variance == pytest.approx(200**2 * 0.3**2 * 0.8)


def test_shards_that_were_not_read_are_like_the_others_on_average() -> None:
    # Ratios 2 and 1; the mean is (100 · 2 + 300 · 1) / 400 = 1.25.
    read = [Cluster(100, True, ((100, 200),)), Cluster(300, True, ((300, 300),))]
    got = estimate([*read, Cluster(40, False, ()), Cluster(60, False, ())])
    assert got.total == 200 + 300 + 1.25 * 100
    between = 0.75**2 + 0.25**2
    m_effective = 400**2 / (100**2 + 300**2)
    assert got.variance == pytest.approx(between * (100**2 / m_effective + 40**2 + 60**2))


def test_of_one_shard_others_may_differ_by_half() -> None:
    got = estimate([Cluster(100, True, ((100, 300),)), Cluster(50, False, ())])
    assert got.total == 300 + 150
    assert got.variance == pytest.approx((0.5 * 3) ** 2 * (50**2 + 50**2))


def test_shards_that_agree_may_differ_from_others_by_a_tenth() -> None:
    read = [Cluster(100, True, ((100, 200),)), Cluster(100, True, ((100, 200),))]
    got = estimate([*read, Cluster(50, False, ())])
    assert got.variance == pytest.approx((0.1 * 2) ** 2 * (50**2 / 2 + 50**2))


def test_the_variance_of_places_grows_with_what_was_not_read() -> None:
    partly = Cluster(100, False, ((20, 40),))
    got = estimate([partly, Cluster(50, False, ())])
    within = 1.5**2 * 200**2 * 0.3**2 * 0.8
    assert got.variance == pytest.approx(within + (0.5 * 2) ** 2 * (50**2 + 50**2))


def test_independent_estimates_add_up() -> None:
    assert united([Estimate(1, 2, 3), Estimate(10, 20, 30)]) == Estimate(11, 22, 33)
    assert united([]) == Estimate(0, 0, 0)


@pytest.mark.parametrize(
    ("n", "quantile"), [(3, 3.182), (4, 2.776), (10, 2.228), (30, 2.042), (10**6, 1.960)]
)
def test_student_s_quantiles(n: int, quantile: float) -> None:
    assert student(n) == pytest.approx(quantile, rel=0.04 if n < 5 else 0.002)


def test_few_degrees_of_freedom_count_as_two() -> None:
    z = 1.959964
    two = z + (z**3 + z) / 8 + (5 * z**5 + 16 * z**3 + 3 * z) / 384
    assert student(2) == student(1) == student(0) == pytest.approx(two)


def test_an_interval_is_a_factor() -> None:
    factor = math.exp(student(9) * 0.1)
    assert Estimate(1000, 100**2, 10).range() == Range(round(1000 / factor), round(1000 * factor))
    low, high = Estimate(1000, 10_000**2, 2).range()
    assert 0 <= low < 1000 < high


def test_an_interval_has_a_width_however_small_the_variance() -> None:
    factor = math.exp(student(29) * math.sqrt(0.5) / 4)
    assert Estimate(4, 0.5, 30).range() == Range(round(4 / factor), round(4 * factor)) == Range(3, 6)
    assert Estimate(0.6, 0.5, 3).range().high > 1


def test_intervals_hold_in_nineteen_of_twenty_cases() -> None:
    dice = random.Random(1)
    held = 0
    for _ in range(400):
        ratios = [max(0.1, dice.gauss(3, 0.8)) for _ in range(30)]
        sizes = [1000 * dice.paretovariate(1.5) for _ in ratios]
        truth = sum(map(math.prod, zip(ratios, sizes, strict=True)))
        clusters = []
        for i, (ratio, size) in enumerate(zip(ratios, sizes, strict=True)):
            places = tuple(
                (100.0, 100 * ratio * max(0.0, dice.gauss(1, 0.2))) for _ in range(2 if i < 12 else 0)
            )
            clusters.append(Cluster(size, False, places))
        low, high = estimate(clusters).range()
        held += low <= truth <= high
    assert held >= 370
