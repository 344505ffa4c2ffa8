"""Drawings: answers in the form that the template needs."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import pytest
from portrait_server.page.drawing import N_COLOURS, N_LINES, draw
from support.live import BREAD, FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def opened(tmp_path: Path) -> portrait.Portrait:
    """A portrait of one text."""
    return portrait.open(build(tmp_path / "ferry.portrait", FERRY))


def test_a_copy_is_marked_in_the_text(opened: portrait.Portrait) -> None:
    text = f"{BREAD} {FERRY}"
    answer = opened.query(text)
    drawing = draw(answer, text)
    assert (drawing.verdict, drawing.heading, drawing.near) == ("found", "Found", False)
    assert "".join(piece.text for piece in drawing.pieces) == text
    (first,) = [piece for piece in drawing.pieces if any(mark.first for mark in piece.marks)]
    ((_, match),) = answer.matches
    assert first.text == text[match.start : match.end]
    assert [mark.classes for mark in first.marks] == ["c0 d0 l0"]
    (passage,) = drawing.passages
    assert (passage.number, passage.holders[0].name) == (1, "main in ferry")
    assert drawing.legend[0].name == "main in ferry"
    assert dict(drawing.facts)["Longest passage"] == f"{match.end - match.start} characters of this text"


def test_a_text_that_is_not_found_has_no_marks(opened: portrait.Portrait) -> None:
    drawing = draw(opened.query(BREAD), BREAD)
    assert (drawing.heading, drawing.legend, drawing.passages) == ("Not found", (), ())
    assert [(piece.text, piece.marks) for piece in drawing.pieces] == [(BREAD, ())]


def test_styles_repeat_only_after_all_pairs_of_colour_and_line() -> None:
    assert gcd(N_COLOURS, N_LINES) == 1
    assert len({(style % N_COLOURS, style % N_LINES) for style in range(20)}) == 20
