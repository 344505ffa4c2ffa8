"""Overlaps from sketches, compared with the sets of keys that they are of."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.operations.estimates import KeyOverlap, OverlapEstimate
from portrait.operations.overlap import SketchedLayer, layer_overlap, layer_overlaps, overlap


def sketched(keys: set[int], k: int) -> SketchedLayer:
    return SketchedLayer(sorted(keys)[:k], len(keys))


def random_keys(n: int, seed: object) -> set[int]:
    dice = random.Random(str(seed))
    return {dice.getrandbits(64) for _ in range(n)}


def exact(a: set[int], b: set[int]) -> dict[str, float]:
    """Return what there is to estimate of two sets."""
    return {
        "jaccard": len(a & b) / len(a | b),
        "a_in_b": len(a & b) / len(a),
        "b_in_a": len(a & b) / len(b),
        "shared": len(a & b),
        "only_a": len(a - b),
        "only_b": len(b - a),
    }


#: Sets of a few keys, so that different ones share some.
SMALL = st.sets(st.integers(0, 40), min_size=1)


@given(st.lists(SMALL, min_size=1, max_size=4), st.lists(SMALL, min_size=1, max_size=4))
def test_sketches_of_all_keys_give_the_exact_overlap(a: list[set[int]], b: list[set[int]]) -> None:
    layers_a, layers_b = ([sketched(keys, 100) for keys in some] for some in (a, b))
    found = overlap(layers_a, layers_b)
    assert found.exact
    for name, value in exact(set().union(*a), set().union(*b)).items():
        assert getattr(found, name) == OverlapEstimate(value, 0.0, value, value)
    pairs = {(i, j): pair for i, j, pair in layer_overlaps(layers_a, layers_b)}
    assert {*pairs} == {(i, j) for i, x in enumerate(a) for j, y in enumerate(b) if x & y}
    for (i, j), pair in pairs.items():
        assert pair == overlap([layers_a[i]], [layers_b[j]])


@given(st.lists(SMALL, min_size=1, max_size=3), st.lists(SMALL, min_size=1, max_size=3), st.integers(1, 9))
def test_only_keys_that_all_sketches_would_hold_are_compared(
    a: list[set[int]], b: list[set[int]], k: int
) -> None:
    layers_a, layers_b = ([sketched(keys, k) for keys in some] for some in (a, b))
    found = overlap(layers_a, layers_b)
    full = [sorted(keys)[k - 1] for keys in (*a, *b) if len(keys) > k]
    below = range(min(full, default=41))
    in_a, in_b = (set().union(*some) & {*below} for some in (a, b))
    assert found.exact == (not full)
    assert (found.sampled_a, found.sampled_b) == (len(in_a), len(in_b))
    if in_a:
        assert found.a_in_b.value == len(in_a & in_b) / len(in_a)
    for i, j, pair in layer_overlaps(layers_a, layers_b):
        assert pair == overlap([layers_a[i]], [layers_b[j]])


def errors(a: list[set[int]], b: list[set[int]], found: KeyOverlap) -> dict[str, float]:
    """Return by how many standard errors each estimate is off; an error of 0 is none."""
    off = {}
    for name, truth in exact(set().union(*a), set().union(*b)).items():
        estimate: OverlapEstimate = getattr(found, name)
        assert estimate.value is not None
        assert estimate.standard_error is not None
        difference = estimate.value - truth
        off[name] = difference / estimate.standard_error if estimate.standard_error else difference
    return off


def test_the_errors_of_full_sketches_are_those_that_are_stated() -> None:
    squares: dict[str, float] = {}
    n_runs = 60
    for seed in range(n_runs):
        both, only_a, only_b, second = (
            random_keys(n, (name, seed)) for name, n in (("both", 700), ("a", 500), ("b", 900), ("2", 300))
        )
        # A has two layers, which share keys with each other, and of different sizes.
        a, b = [both | only_a, second | {*sorted(both)[::2]}], [both | only_b]
        found = overlap([sketched(keys, 200) for keys in a], [sketched(keys, 200) for keys in b])
        assert not found.exact
        for name, off in errors(a, b, found).items():
            assert abs(off) < 5, name
            squares[name] = squares.get(name, 0.0) + off**2
    for name, total in squares.items():
        # The root mean square of 60 runs has a standard error of 0.09.
        assert 0.65 < math.sqrt(total / n_runs) < 1.35, name


def test_equal_sets_and_disjoint_ones_are_seen_as_such() -> None:
    keys, others = random_keys(5000, "keys"), random_keys(3000, "others")
    a, b = sketched(keys, 500), sketched(others, 500)
    same = layer_overlap(a, a, a.keys)
    assert (same.a_in_b.value, same.jaccard.value, same.sampled_a) == (1.0, 1.0, 499)
    assert same.shared.value == pytest.approx(5000)
    assert same.jaccard.low < 1.0 == same.jaccard.high
    apart = layer_overlap(a, b)
    assert (apart.a_in_b.value, apart.shared.value) == (0.0, 0.0)
    assert (apart.only_a.value, apart.only_b.value) == (5000, 3000)
    assert list(layer_overlaps([a], [b])) == []


def test_a_layer_whose_sketch_is_as_long_as_the_layer_is_complete() -> None:
    keys = random_keys(500, "keys")
    found = overlap([sketched(keys, 500)], [sketched(keys, 600)])
    assert (found.exact, found.shared.value) == (True, 500)
    assert not overlap([sketched(keys, 499)], [sketched(keys, 600)]).exact


def test_empty_layers_overlap_with_nothing() -> None:
    empty, keys = SketchedLayer([], 0), random_keys(500, "keys")
    for other in (sketched(keys, 100), sketched(keys, 600), empty):
        found = overlap([empty], [other])
        assert found.a_in_b.value is None
        assert (found.shared.value, found.shared.high) == (0.0, 0.0)
    assert overlap([empty], [empty]).jaccard == OverlapEstimate(None, None, 0.0, 1.0)


def test_a_small_layer_beside_a_large_one_is_hardly_sampled() -> None:
    large = SketchedLayer(sorted(random_keys(16384, "large")), 1 << 40, (1 << 40) / 512)
    # The sketch of 2^40 keys reaches to about 2^38; no key of the small layer is there.
    large = SketchedLayer([key >> 26 for key in large.keys], large.n_keys, large.standard_error)
    found = overlap([sketched(random_keys(50, "small"), 100)], [large])
    assert (found.exact, found.sampled_a) == (False, 0)
    assert (found.a_in_b.value, found.shared.value, found.shared.high) == (None, None, 50)
    assert found.b_in_a.high < 1e-10
