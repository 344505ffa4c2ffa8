"""The combined verdict of several layers."""

from __future__ import annotations

import pytest

from portrait.answers.verdict import VERDICTS, Verdict, strongest


def test_there_are_three_verdicts() -> None:
    assert VERDICTS == ("found", "not_found", "inconclusive")


@pytest.mark.parametrize(
    ("verdicts", "combined"),
    [
        ({"found", "not_found", "inconclusive"}, "found"),
        ({"found", "not_found"}, "found"),
        ({"not_found", "inconclusive"}, "inconclusive"),
        ({"inconclusive"}, "inconclusive"),
        ({"not_found"}, "not_found"),
    ],
)
def test_one_layer_suffices_to_find_but_all_must_exclude(verdicts: set[Verdict], combined: Verdict) -> None:
    assert strongest(verdicts) == combined
