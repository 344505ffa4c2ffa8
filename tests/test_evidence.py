"""The significance of chains: the shortest significant one by its definition, and extreme E-values."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples

from portrait.evidence import (
    conclusive_length,
    evalue,
    significant_chain,
    stretch_evalue,
)
from portrait.spec import UNITS, Minimizer, Stride, WindowSpec


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**7), st.integers(1, 50), st.floats(1e-12, 0.99), st.floats(1e-12, 1e5))
def test_the_significant_chain_is_the_shortest_within_the_threshold(
    n_windows: int, n_layers: int, fpr: float, threshold: float
) -> None:
    least = significant_chain(n_windows, n_layers, fpr, threshold)
    assert least == oracle.significant_chain(n_windows, n_layers, fpr, threshold)
    if n_windows:
        formula = math.log(n_layers * n_windows / threshold) / math.log(1 / fpr)
        assert least is not None
        assert abs(least - max(1, formula)) <= 1 + 1e-9


def test_evidence_at_the_extremes() -> None:
    assert significant_chain(1000, 3, 0.0, 0.01) == 1
    assert significant_chain(1000, 3, 5e-324, 0.01) == 1
    assert significant_chain(1000, 3, 1.0, 0.01) is None
    assert significant_chain(0, 3, 0.5, 0.01) == 1
    assert evalue(1000, 3, 0.0, 1) == 0
    assert evalue(1000, 3, 1.0, 7) == 3000


@pytest.mark.parametrize("fpr", [0.5, 0.1, 1 / 3, 0.01])
@pytest.mark.parametrize("n_windows", [1, 3, 100, 12_345])
def test_a_chain_is_significant_if_its_evalue_is_exactly_the_threshold(n_windows: int, fpr: float) -> None:
    for chain in range(1, 9):
        value = evalue(n_windows, 2, fpr, chain)
        assert significant_chain(n_windows, 2, fpr, value) == chain
        assert significant_chain(n_windows, 2, fpr, math.nextafter(value, 0)) == chain + 1


@pytest.mark.parametrize("short_of_one", [2.0**-53, 1e-13])
def test_a_nearly_full_filter_is_judged_in_finite_time(short_of_one: float) -> None:
    # In a separate process, which times out if the code steps through 10^14 chain lengths one by one.
    call = f"significant_chain(100, 3, 1 - {short_of_one!r}, 0.01)"
    script = f"from portrait.evidence import significant_chain; print({call})"
    result = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, timeout=5, check=True)
    exact = math.log(300 / 0.01) / -math.log1p(-(1 - (1 - short_of_one)))
    assert float(result.stdout) == pytest.approx(exact, rel=1e-9)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 60),
    samples.samplings(60),
    st.sampled_from(UNITS),
    st.integers(0, 3000),
    st.floats(0, 1),
    st.integers(1, 9),
    st.floats(1e-9, 0.9),
    st.floats(1e-9, 10),
)
def test_the_conclusive_length_is_the_least_that_suffices_in_a_text_with_room_for_it(
    width: int,
    sampling: Minimizer | Stride,
    unit: Any,
    n_units: int,
    share: float,
    n_layers: int,
    fpr: float,
    threshold: float,
) -> None:
    spec = WindowSpec(width + samples.least_width(sampling, unit) - 1, sampling, unit)
    n_windows = max(0, n_units - spec.width + 1)
    if sampling.name == "minimizer" and n_units >= spec.guaranteed_length:
        n_windows = max(1, round(share * n_windows))
    length = conclusive_length(spec, n_units, n_windows, n_layers, fpr, threshold)
    plain = samples.plain(spec)
    assert length == oracle.sure_length(plain, n_units, n_windows, n_layers, fpr, threshold)


@pytest.mark.parametrize("sampling", [Stride(25), Minimizer(42)])
def test_no_length_is_conclusive_in_a_filter_that_says_yes_to_everything(
    sampling: Minimizer | Stride,
) -> None:
    assert conclusive_length(WindowSpec(50, sampling), 149, 100, 1, 1.0, 0.01) is None


def test_a_text_of_exactly_the_length_is_judged_by_the_windows_it_has() -> None:
    # It is asked about one window, where a text of 91 characters typically is about two.
    spec = WindowSpec(50, Minimizer(42))
    assert spec.typical_windows(91) == 2
    assert conclusive_length(spec, 91, 1, 1, 0.01, 0.01) == 91
    assert conclusive_length(spec, 91, 2, 1, 0.01, 0.01) == 133


def test_the_evalue_of_a_stretch_is_the_inverse_of_its_gain() -> None:
    # One bet for each of two shares of unedited windows, at each possible first window of each layer.
    assert stretch_evalue(1, 1, 0.0) == 2
    assert stretch_evalue(100, 3, math.log(1e6)) == pytest.approx(2 * 300 / 1e6)
    assert stretch_evalue(0, 3, 5.0) == 0
