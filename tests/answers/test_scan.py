"""The evidence about one layer and one text."""

from __future__ import annotations

from support.evidence import SPEC

from portrait.answers.scan import LayerEvidence, LayerScan


def test_a_layer_is_of_the_first_portrait_unless_it_says_otherwise() -> None:
    nothing = LayerScan(0, False, 0, 0, None, ())
    assert LayerEvidence("pile", "main", SPEC, 0.01, 50, 41, nothing).number == 0
