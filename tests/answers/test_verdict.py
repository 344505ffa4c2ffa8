"""The verdict of several layers together."""

from __future__ import annotations

import pytest

from portrait.answers.verdict import VERDICTS, Verdict, strongest


def test_there_are_three_verdicts() -> None:
    assert VERDICTS == ("found", "not_found", "inconclusive")


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ({"found", "not_found", "inconclusive"}, "found"),
        ({"found", "not_found"}, "found"),
        ({"not_found", "inconclusive"}, "inconclusive"),
        ({"inconclusive"}, "inconclusive"),
        ({"not_found"}, "not_found"),
    ],
)
def test_one_layer_finds_and_only_all_exclude(verdicts: set[Verdict], together: Verdict) -> None:
    assert strongest(verdicts) == together
