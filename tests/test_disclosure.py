"""Warnings of what a portrait gives away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import portrait
from portrait.disclosure import density_warning, least_gap
from portrait.presets import PRESETS
from portrait.spec import Minimizer, Stride, WindowSpec

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("width", "least"), [(1, 1), (4, 1), (5, 2), (13, 4), (25, 7), (48, 12), (50, 13)])
def test_the_least_stride_is_a_quarter_of_the_width(width: int, least: int) -> None:
    assert least_gap(WindowSpec(width, Stride())) == least


@pytest.mark.parametrize(("width", "least"), [(8, 3), (13, 5), (25, 8), (50, 17), (100, 33), (116, 39)])
def test_the_least_span_has_windows_a_quarter_of_the_width_apart_on_average(width: int, least: int) -> None:
    assert least_gap(WindowSpec(width)) == least
    assert 1 / WindowSpec(width, Minimizer(least)).density >= width / 4
    assert 1 / WindowSpec(width, Minimizer(least - 1)).density < width / 4


@pytest.mark.parametrize("kind", [Stride, Minimizer])
@pytest.mark.parametrize("width", [8, 25, 50, 116, 135])
def test_only_gaps_below_the_least_one_may_warn(kind: type[Stride | Minimizer], width: int) -> None:
    least = least_gap(WindowSpec(width, kind()))
    warned = [gap for gap in range(1, 2 * width) if density_warning(WindowSpec(width, kind(gap)))]
    assert max(warned, default=0) == least - 1


def test_the_warning_names_what_to_do() -> None:
    assert density_warning(WindowSpec(50, Stride(12))) == (
        "at a stride of 12, whoever holds the portrait can rebuild text of the corpus from it, step by step: "
        "choose a stride of 13 or more, or do not hand the portrait out"
    )
    assert density_warning(WindowSpec(50, Minimizer(8))) == (
        "at a span of 8, whoever holds the portrait can rebuild text of the corpus from it, step by step: "
        "choose a span of 17 or more, or do not hand the portrait out"
    )


def test_the_default_does_not_warn() -> None:
    assert density_warning(WindowSpec()) is None


def test_presets_of_every_window_warn() -> None:
    warned = [name for name, chosen in PRESETS.items() if density_warning(chosen.windows)]
    assert warned == ["quip", "gpt3"]


def test_a_build_warns_before_it_reads(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words of a text that is longer than a window or two " * 3)
    with pytest.warns(portrait.DisclosureWarning, match="at a stride of 1, .* choose a stride of 7 or more"):
        portrait.build(tmp_path / "a.txt", tmp_path / "out", preset="quip")
