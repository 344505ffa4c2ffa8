"""Passages of an answer, and the pieces into which they divide its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portrait_server.page.passages import passages, pieces

import portrait


@dataclass(frozen=True, slots=True)
class AnswerOfLayers:
    """The part of an answer that passages are made of."""

    layers: tuple[portrait.LayerAnswer, ...]


def layer(source: str, *spans: tuple[int, int], near: tuple[int, int] | None = None) -> portrait.LayerAnswer:
    """Return the answer of a layer with these matches and this approximate match."""
    matches = tuple(portrait.Match(start, end, 3, 1e-6) for start, end in spans)
    approximate = None if near is None else portrait.Approximate(*near, 9, 5, 1e-3)
    spec = portrait.WindowSpec()
    return portrait.LayerAnswer(
        "p", source, spec, "found", 149, 100, 9, 0.01, 1e-6, 124, 1e-4, matches, approximate
    )


def answer_of(*layers: portrait.LayerAnswer) -> Any:
    """Return an answer with these layers."""
    return AnswerOfLayers(layers)


def test_overlapping_passages_have_pieces_and_lanes() -> None:
    layers = (
        layer("a", (2, 8), near=(2, 8)),
        layer("silent"),
        layer("b", (5, 12), (14, 16)),
        layer("c", (2, 8), (6, 7), near=(0, 20)),
        layer("d", (6, 9)),
    )
    all_passages = passages(answer_of(*layers))
    assert [
        (one.start, one.end, one.near, [(holder.source, holder.style, holder.lane) for holder in one.holders])
        for one in all_passages
    ] == [
        (0, 20, True, [("c", 2, 0)]),
        (2, 8, False, [("a", 0, 0), ("c", 2, 1)]),
        (5, 12, False, [("b", 1, 2)]),
        # There are more passages than lanes, so the last lane is shared.
        (6, 9, False, [("d", 3, 2)]),
        (6, 7, False, [("c", 2, 2)]),
        (14, 16, False, [("b", 1, 0)]),
    ]
    text = "0123456789abcdefghijklmn"
    text_pieces = list(pieces(text, all_passages))
    assert "".join(piece.text for piece in text_pieces) == text
    for piece in text_pieces:
        middle = piece.start + len(piece.text) / 2
        assert set(piece.passages) == {one for one in all_passages if one.start < middle < one.end}


def test_an_empty_text_has_no_pieces() -> None:
    assert list(pieces("", ())) == []
