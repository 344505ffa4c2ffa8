"""Numbers as people read them."""

from __future__ import annotations

import pytest

from portrait.markup.numbers import count, counted, expected, percent


def test_thousands_are_separated() -> None:
    assert [count(n) for n in (0, 999, 1000, 29_999, 1_000_000)] == [
        "0",
        "999",
        "1,000",
        "29,999",
        "1,000,000",
    ]


@pytest.mark.parametrize(("n", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1000, "1,000 rows")])
def test_a_count_of_one_is_singular(n: int, text: str) -> None:
    assert counted(n, "row") == text


def test_percentages_and_expected_numbers_have_few_digits() -> None:
    assert [percent(share) for share in (0, 0.5, 1 / 3, 1)] == ["0%", "50%", "33.3%", "100%"]
    assert [expected(n) for n in (0, 0.000123, 0.5)] == ["0", "0.00012", "0.5"]
