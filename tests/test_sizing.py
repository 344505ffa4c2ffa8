"""The sizes of filters: rates compared with an exact definition, simulations and real filters."""

from __future__ import annotations

import math
import random
import statistics
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle

import portrait
from portrait.filters.bloom import Bloom, BloomBuilder
from portrait.sizing import (
    BLOCK_BITS,
    BLOCK_BYTES,
    LANE_BITS,
    LANES,
    SKETCH_KEYS,
    bloom_blocks,
    bloom_fpr,
    distinct_keys,
    keys_to_hold,
    pybloom_slices,
    ribbon_bytes,
    ribbon_partition_bytes,
)

#: Number of random keys that measure a rate of 1 % with a relative error of a few per cent.
PROBES = 400_000


def random_keys(seed: str, n: int) -> bytes:
    """Return ``n`` random keys of 8 bytes, the same for the same seed."""
    return random.Random(seed).randbytes(8 * n)


def random_bloom(n_keys: int, n_blocks: int, seed: str = "inserted") -> Bloom:
    """Return a filter of ``n_keys`` random keys."""
    builder = BloomBuilder(n_blocks)
    builder.insert(random_keys(seed, n_keys))
    return builder.finish()


def observed_rate(bloom: Bloom, n: int = PROBES, seed: str = "probes") -> float:
    """Return the share of ``n`` random keys, none of them inserted, that the filter claims to hold."""
    return bloom.contains(random_keys(seed, n)).count(1) / n


def assert_observed_rate(bloom: Bloom, expected: float) -> None:
    """Check that the observed_rate rate is within five standard deviations of the expected one."""
    deviation = math.sqrt(expected * (1 - expected) / PROBES)
    assert observed_rate(bloom) == pytest.approx(expected, abs=5 * deviation + 2 / PROBES)


def binomial_fpr(n_keys: int, n_blocks: int) -> Fraction:
    """Return the false-positive rate by its definition, a sum of exact fractions over a block's loads."""
    inside = Fraction(1, n_blocks)
    return sum(
        (
            math.comb(n_keys, load)
            * inside**load
            * (1 - inside) ** (n_keys - load)
            * (1 - Fraction(31, 32) ** load) ** 8
            for load in range(n_keys + 1)
        ),
        Fraction(0),
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 90), st.integers(1, 50))
def test_the_rate_is_the_mean_over_all_loads_of_a_block(n_keys: int, n_blocks: int) -> None:
    assert bloom_fpr(n_keys, n_blocks) == pytest.approx(float(binomial_fpr(n_keys, n_blocks)), rel=1e-11)


@pytest.mark.parametrize(("n_keys", "n_blocks"), [(10**3, 7), (10**5, 4113), (10**6, 400), (10**6, 10**7)])
def test_the_rate_of_many_keys_is_the_sum_over_all_loads(n_keys: int, n_blocks: int) -> None:
    def log_weight(load: int) -> float:
        choose = math.lgamma(n_keys + 1) - math.lgamma(load + 1) - math.lgamma(n_keys - load + 1)
        return choose - load * math.log(n_blocks) + (n_keys - load) * math.log1p(-1 / n_blocks)

    loads = range(min(n_keys, 20_000) + 1)
    total = math.fsum(math.exp(log_weight(load)) * (1 - (31 / 32) ** load) ** 8 for load in loads)
    assert bloom_fpr(n_keys, n_blocks) == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("load", [0.5, 8, 24.3, 120, 700])
def test_with_many_blocks_the_rate_depends_on_the_mean_load_alone(load: float) -> None:
    rates = [bloom_fpr(int(load * n_blocks), n_blocks) for n_blocks in (10**6, 10**9, 10**12)]
    assert rates == pytest.approx([rates[0]] * 3, rel=1e-4)
    assert 0 < rates[0] <= 1


@pytest.mark.parametrize(("n_keys", "n_blocks"), [(30, 1), (300, 7), (700, 32), (900, 41)])
def test_the_rate_agrees_with_a_simulation(n_keys: int, n_blocks: int) -> None:
    rng = random.Random(n_keys)
    rates = []
    for _ in range(150):
        bloom = oracle.Bloom(n_blocks)
        for _ in range(n_keys):
            bloom.insert(rng.getrandbits(64))
        rates.append(bloom.rate())
    error = statistics.stdev(rates) / math.sqrt(len(rates))
    assert statistics.mean(rates) == pytest.approx(bloom_fpr(n_keys, n_blocks), abs=4 * error)


def test_an_empty_filter_has_no_false_positives() -> None:
    assert bloom_fpr(0, 1) == bloom_fpr(0, 1000) == 0
    assert bloom_blocks(0, 0.5) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.integers(0, 300), st.integers(0, 10**6), st.integers(10**9, 10**12)),
    st.floats(1e-12, 0.9999, exclude_max=True),
)
def test_no_other_number_of_blocks_is_nearer_to_the_rate(n_keys: int, fpr: float) -> None:
    n_blocks = bloom_blocks(n_keys, fpr)
    rate = bloom_fpr(n_keys, n_blocks)
    if rate > fpr:
        more = bloom_fpr(n_keys, n_blocks + 1)
        assert more <= fpr
        assert rate - fpr < min(0.05 * fpr * (1 + 1e-9), fpr - more)
    elif n_blocks > 1:
        fewer = bloom_fpr(n_keys, n_blocks - 1)
        assert fewer > fpr
        assert fewer - fpr >= min(0.05 * fpr * (1 - 1e-9), fpr - rate)


@pytest.mark.parametrize(("fpr", "bits"), [(0.01, 10.53), (0.001, 16.89)])
def test_a_key_takes_as_many_bits_as_the_exact_rate_requires(fpr: float, bits: float) -> None:
    n_keys = 10**7
    assert bloom_blocks(n_keys, fpr) * 256 / n_keys == pytest.approx(bits, abs=0.005)


@pytest.mark.parametrize("fpr", [0.1, 0.01, 0.001])
def test_filters_of_a_thousand_keys_have_the_requested_rate(fpr: float) -> None:
    n_keys, n_filters = 1000, 1000
    n_blocks = bloom_blocks(n_keys, fpr)
    blooms = [random_bloom(n_keys, n_blocks, f"filter {i}") for i in range(n_filters)]
    rate = statistics.mean(bloom.rate() for bloom in blooms)
    assert rate == pytest.approx(bloom_fpr(n_keys, n_blocks), rel=0.01)
    assert rate == pytest.approx(fpr, rel=0.1)
    probed = statistics.mean(observed_rate(bloom, 4000, f"probes {i}") for i, bloom in enumerate(blooms))
    assert probed == pytest.approx(fpr, rel=0.12)


@pytest.mark.parametrize("n_keys", [10**5, 10**6])
@pytest.mark.parametrize("fpr", [0.1, 0.01, 0.001])
def test_filters_of_many_keys_have_the_requested_rate(n_keys: int, fpr: float) -> None:
    builder = BloomBuilder.for_keys(n_keys, fpr)
    assert builder.n_blocks == bloom_blocks(n_keys, fpr)
    keys = random_keys("inserted", n_keys)
    builder.insert(keys)
    bloom = builder.finish()
    assert bloom.contains(keys) == b"\x01" * n_keys
    assert bloom.rate() == pytest.approx(fpr, rel=0.03)
    assert observed_rate(bloom, 1_000_000) == pytest.approx(fpr, rel=0.1)


@pytest.mark.parametrize("n_blocks", [1, 2, 3, 31, 64, 97, 1000, 1023, 1024, 1025, 65_537, (1 << 17) + 1])
def test_filters_of_any_number_of_blocks_have_the_computed_rate(n_blocks: int) -> None:
    n_keys = 24 * n_blocks
    bloom = random_bloom(n_keys, n_blocks)
    assert bloom.contains(random_keys("inserted", n_keys)) == b"\x01" * n_keys
    assert_observed_rate(bloom, bloom.rate())
    # The more blocks a filter has, the closer its rate is to the mean of all filters.
    assert bloom.rate() == pytest.approx(bloom_fpr(n_keys, n_blocks), rel=0.02 + 3 / math.sqrt(n_blocks))


@pytest.mark.parametrize("fpr", [0, 1, -0.1, 1.5, math.nan, math.inf])
def test_impossible_rates_are_refused(fpr: Any) -> None:
    with pytest.raises(portrait.SpecError, match="false-positive rate must lie between 0 and 1"):
        bloom_blocks(100, fpr)


def test_a_rate_that_some_number_of_blocks_has_exactly_takes_so_many() -> None:
    for n_blocks in (1, 2, 3, 7, 40):
        assert bloom_blocks(1000, bloom_fpr(1000, n_blocks)) == n_blocks


def test_a_block_is_256_bits_in_eight_lanes() -> None:
    assert (BLOCK_BITS, BLOCK_BYTES, LANES, LANE_BITS) == (256, 32, 8, 32)


def test_the_numbers_of_a_count_of_distinct_keys() -> None:
    k = 1 << 18
    assert k == SKETCH_KEYS
    assert distinct_keys([]) == 0
    assert distinct_keys(range(5)) == 5
    assert distinct_keys(range(k - 1)) == k - 1
    # The k-th smallest key lies at an eighth of the key space.
    spaced = [*range(k - 1), 1 << 61]
    assert distinct_keys(spaced) == (k - 1) * 8
    assert distinct_keys([*range(k - 1), 3 << 60]) == ((k - 1) << 64) // (3 << 60)
    assert distinct_keys([*range(k - 1), (1 << 64) - 1]) == k
    assert distinct_keys([0] * k) == (k - 1) << 64


def test_an_estimate_is_held_with_three_standard_errors() -> None:
    k = 1 << 18
    assert [keys_to_hold(n) for n in (0, 1, k - 1)] == [0, 1, k - 1]
    assert keys_to_hold(k) == math.ceil(k * (1 + 3 / math.sqrt(k - 2)))
    assert keys_to_hold(10**9) == math.ceil(10**9 * (1 + 3 / math.sqrt(262142)))


def test_the_numbers_of_small_filters() -> None:
    assert [bloom_blocks(n, 0.01) for n in (0, 1, 10, 24, 25, 100, 1000)] == [1, 1, 1, 1, 1, 5, 41]
    assert pybloom_slices(1000, 0.01) == (7, math.ceil(1000 * math.log(100) / (7 * math.log(2) ** 2)))
    assert pybloom_slices(1, 0.5) == (1, 2)
    assert pybloom_slices(100, 1 / 128) == (7, 145)


@pytest.mark.parametrize(
    ("n_keys", "n_partitions", "n_columns", "n_blocks"),
    [
        # Three blocks at least.
        (0, 1, 8, 3),
        (153, 1, 8, 3),
        (154, 1, 8, 4),
        # 1000 + 38, and 1.35 * 1000 / 107 * ln(1 + 1100 / 107^2) = 1.16.
        (1000, 1, 7, 17),
        # 32,768 + 38, and 1.35 * 32768 / 107 * ln(1 + 36044.8 / 107^2) = 588.2.
        (1 << 15, 1, 7, math.ceil(33_394.2 / 64)),
        (1 << 25, 1 << 10, 7, math.ceil(33_394.2 / 64)),
        # With 32 columns 82 keys may wait, hence 998.1.
        (1 << 15, 1, 32, math.ceil(33_804.1 / 64)),
    ],
)
def test_the_numbers_of_ribbon_filters(n_keys: int, n_partitions: int, n_columns: int, n_blocks: int) -> None:
    n_bytes = n_partitions * (8 + ribbon_partition_bytes(n_blocks, n_columns))
    assert ribbon_bytes(n_keys, n_partitions, n_columns) == n_bytes


def test_a_partition_of_a_ribbon_filter_is_whole_cache_lines() -> None:
    assert [ribbon_partition_bytes(*sizes) for sizes in ((3, 1), (3, 7), (3, 8), (8, 1), (9, 1))] == [
        *(64, 192, 192, 64, 128)
    ]
