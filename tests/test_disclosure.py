"""Warnings of what a portrait gives away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import portrait
from portrait.disclosure import least_stride, stride_warning
from portrait.presets import PRESETS
from portrait.spec import Stride, WindowSpec

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("width", "least"), [(1, 1), (4, 1), (5, 2), (13, 4), (25, 7), (48, 12), (50, 13)])
def test_the_least_stride_is_a_quarter_of_the_width(width: int, least: int) -> None:
    assert least_stride(width) == least
    assert stride_warning(WindowSpec(width, Stride(least))) is None
    assert (stride_warning(WindowSpec(width, least - 1)) is not None) if least > 1 else True


def test_the_warning_names_what_to_do() -> None:
    assert stride_warning(WindowSpec(50, Stride(12))) == (
        "at a stride of 12, whoever holds the portrait can rebuild text of the corpus from it, step by step: "
        "choose a stride of 13 or more, or do not hand the portrait out"
    )


def test_sampled_windows_need_no_warning_at_the_default() -> None:
    assert stride_warning(WindowSpec()) is None


def test_presets_of_every_window_warn() -> None:
    warned = [name for name, chosen in PRESETS.items() if stride_warning(chosen.windows)]
    assert warned == ["quip", "gpt3"]


def test_a_build_warns_before_it_reads(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words of a text that is longer than a window or two " * 3)
    with pytest.warns(portrait.DisclosureWarning, match="at a stride of 1, .* choose a stride of 7 or more"):
        portrait.build(tmp_path / "a.txt", tmp_path / "out", preset="quip")
