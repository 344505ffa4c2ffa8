"""Matches and approximate matches: how chains and stretches become passages with E-values."""

from __future__ import annotations

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples
from support.evidence import FPR, SPEC, STRIDE, WIDTH, ask, chain, evidence

import portrait
from portrait.answers.matches import Approximate, Match, approximate, unite
from portrait.answers.scan import Chain, Stretch


@st.composite
def chains_within(draw: st.DrawFn, units: int) -> list[Chain]:
    """Draw up to eight chains that fit into a text of ``units`` characters."""
    windows = units - WIDTH + 1
    starts = sorted(draw(st.sets(st.integers(0, windows - 1), max_size=8)))
    longest = [(windows - 1 - start) // STRIDE + 1 for start in starts]
    return [chain(s, draw(st.integers(1, n))) for s, n in zip(starts, longest, strict=True)]


@settings(max_examples=200, deadline=None)
@given(chains_within(109), st.sampled_from([1e-6, 0.01, 1.0, 100.0]))
def test_matches_are_the_unions_of_overlapping_significant_chains(
    chains: list[Chain], threshold: float
) -> None:
    plain = samples.plain(SPEC)
    answer = ask(evidence(*chains), threshold=threshold)
    least = oracle.significant_chain(100, 1, FPR, threshold)
    assert least is not None
    groups = oracle.matches([oracle.Chain(*one) for one in chains if one.windows >= least], plain)
    actual = [(match.start, match.end, match.windows, match.evalue) for match in answer.layers[0].matches]
    assert actual == [
        (
            min(one.start for one in group),
            max(one.end for one in group),
            best := max(one.windows for one in group),
            oracle.evalue(100, 1, FPR, best),
        )
        for group in groups
    ]


def test_chains_that_only_touch_are_two_matches() -> None:
    touching = ask(evidence(chain(0, 4), chain(25, 4)))
    assert [(match.start, match.end) for match in touching.layers[0].matches] == [(0, 25), (25, 50)]
    overlapping = ask(evidence(chain(0, 4), chain(24, 5)))
    (match,) = overlapping.layers[0].matches
    assert (match.start, match.end, match.windows) == (0, 54, 5)


def test_an_insignificant_chain_neither_joins_matches_nor_adds_one() -> None:
    answer = ask(evidence(chain(0, 4), chain(21, 2), chain(33, 4)))
    assert [(match.start, match.end) for match in answer.layers[0].matches] == [(0, 25), (33, 58)]


def test_a_long_chain_joins_the_chains_it_overlaps() -> None:
    answer = ask(evidence(chain(0, 9), chain(3, 4), chain(41, 4)))
    assert [(match.start, match.end) for match in answer.layers[0].matches] == [(0, 66)]


def test_an_edited_copy_is_reported_but_not_called_found() -> None:
    stretch = Stretch(10, 65, 12, 8, 30.0, 10, 75)
    answer = ask(evidence(chain(10, 2), stretch=stretch, source="a"), evidence(source="b"))
    assert answer.verdict == "not_found"
    assert answer.layers[0].approximate == portrait.Approximate(10, 75, 12, 8, 2 * 2 * 100 * math.exp(-30))
    assert answer.layers[1].approximate is None
    assert "8 of 12 windows of characters 10-75" in answer.reason
    weak = ask(evidence(chain(10, 2), stretch=stretch._replace(score=9.0)))
    assert weak.layers[0].approximate is None
    assert "windows of characters" not in weak.reason


def edit(text: str, share: float, rng: random.Random) -> str:
    """Replace this share of the characters of ``text``."""
    return "".join(rng.choice("xyz") if rng.random() < share else char for char in text)


def test_an_edited_copy_is_noticed_although_its_chains_are_broken() -> None:
    rng = random.Random(5)
    words = ["ferry", "harbour", "lantern", "quay", "herring", "ledger", "winter", "pilot", "rope", "tide"]
    document = " ".join(rng.choice(words) + str(rng.randrange(100)) for _ in range(2000))
    opened = samples.build({"main": [document]}, portrait.WindowSpec(50, portrait.Stride(25))).portrait
    copies = [edit(document[i : i + 1500], 0.03, rng) for i in range(0, 9000, 300)]
    answers = [opened.query(copy) for copy in copies]
    noticed = sum(answer.layers[0].approximate is not None for answer in answers)
    assert noticed >= 0.9 * len(copies)
    assert noticed > sum(answer.verdict == "found" for answer in answers)
    others = [edit(document[i : i + 1500][::-1], 0.03, rng) for i in range(0, 9000, 300)]
    assert all(opened.query(other).layers[0].approximate is None for other in others)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["abab", "xyz", "q", "cdcdcd", "xyzabab"]), min_size=1, max_size=40).map(
        "".join
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([0.003, 0.04, 0.3]),
)
def test_the_best_stretch_is_the_documented_one_where_windows_repeat(
    text: str, width: int, stride: int, fpr: float
) -> None:
    spec = portrait.WindowSpec(width, portrait.Stride(stride))
    opened, plain, ((contains, rate),) = samples.build({"main": ["abab cdcd"]}, spec, fpr)
    stretch = opened.evidence(text)[0].scan.stretch
    expected = oracle.stretch(text, plain, contains, rate)
    if stretch is None or expected is None:
        assert (stretch, expected) == (None, None)
        return
    assert abs(stretch.score - expected.score) <= 1e-9 * expected.score
    # Rounding may choose between stretches with other numbers of hits and misses and nearly the same score.
    assert tuple(stretch) == tuple(expected) or stretch.score != expected.score


def test_of_equal_stretches_the_one_that_ends_first_is_given() -> None:
    # Two copies of one passage, far apart: the same hits, and so the same score.
    opened = samples.build(
        {"main": ["the ferry to Norham"]}, portrait.WindowSpec(10, portrait.Stride(1))
    ).portrait
    text = f"the ferry to Norham{'.' * 400}the ferry to Norham"
    (layer,) = opened.query(text).layers
    assert layer.approximate is not None
    assert (layer.approximate.start, layer.approximate.end) == (0, 19)
    first, second = layer.matches
    assert first.evalue == second.evalue


def test_chains_shorter_than_the_minimum_are_left_out() -> None:
    layer = evidence(chain(0, 2), chain(50, 3))
    assert [(match.start, match.windows) for match in unite(layer, 1, 3)] == [(50, 3)]
    assert len(unite(layer, 1, 2)) == 2
    assert unite(layer, 1, 4) == ()


def test_matches_and_approximate_matches_become_json_objects() -> None:
    assert Match(1, 2, 3, 0.5).to_dict() == {"start": 1, "end": 2, "windows": 3, "evalue": 0.5}
    assert Approximate(1, 2, 5, 4, 0.5).to_dict() == {
        "start": 1,
        "end": 2,
        "windows": 5,
        "hits": 4,
        "evalue": 0.5,
    }


def test_a_stretch_counts_if_its_evalue_is_at_or_below_the_threshold() -> None:
    assert approximate(evidence(), 1, 0.01) is None
    layer = evidence(stretch=Stretch(10, 65, 12, 8, 20.0, 10, 75))
    value = 2 * 3 * 100 * math.exp(-20)
    assert approximate(layer, 3, value) == Approximate(10, 75, 12, 8, value)
    assert approximate(layer, 3, math.nextafter(value, 0)) is None
