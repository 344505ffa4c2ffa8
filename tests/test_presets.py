"""Presets: one name for several options."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import portrait
from portrait import FilterSpec, Minimizer, SpecError, Stride, WindowSpec

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

TEXT = "Every quay has a ledger, and every ledger has a page that nobody has turned for years. " * 3


@pytest.mark.parametrize(
    ("name", "windows", "fpr"),
    [
        ("default", WindowSpec(50, Minimizer(42), "char", "spaces"), 0.01),
        ("paper", WindowSpec(50, Stride(50), "char", "data-portraits"), 0.001),
        ("quip", WindowSpec(25, Stride(1), "char", "data-portraits"), 0.001),
        ("gpt3", WindowSpec(13, Stride(1), "word", "loose"), 0.01),
    ],
)
def test_a_preset_sets_several_options(
    tmp_path: Path, cli: Cli, name: str, windows: WindowSpec, fpr: float
) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    built = portrait.build(tmp_path / "a.txt", tmp_path / "one", preset=name)
    cli("build", "a.txt", "-o", "two", "--preset", name)
    for opened in (built, portrait.open(tmp_path / "two")):
        assert opened.spec == windows
        assert opened.manifest.layers[0].fpr_target == fpr
    assert portrait.PRESETS[name].windows == windows


def test_explicit_options_override_the_preset(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    cli(*["build", "a.txt", "-o", "out", "--preset", "gpt3", "--width", "8", "--filter", "ribbon"])
    opened = portrait.open(tmp_path / "out")
    assert opened.spec == WindowSpec(8, Stride(1), "word", "loose")
    assert opened.manifest.layers[0].filter["kind"] == "ribbon"
    built = portrait.build(
        tmp_path / "a.txt", tmp_path / "other", preset="paper", filter=FilterSpec(fpr=0.05)
    )
    assert built.spec == portrait.PRESETS["paper"].windows
    assert built.manifest.layers[0].fpr_target == 0.05


def test_thirteen_words_are_found_whatever_their_case(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": TEXT}) + "\n")
    opened = portrait.build(tmp_path / "rows.jsonl", tmp_path / "out", preset="gpt3")
    question = "He said: \u201cEVERY QUAY has a ledger; and every ledger has a page that nobody has turned "
    answer = opened.query(question + "for years, every quay has.\u201d And so on.")
    assert answer.verdict == "found"


def test_an_unknown_preset_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(SpecError, match="unknown preset 'gpt9': choose one of default, paper"):
        portrait.build(tmp_path / "a.txt", tmp_path / "out", preset="gpt9")
