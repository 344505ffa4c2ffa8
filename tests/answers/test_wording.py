"""The sentences of an answer, and the numbers in them."""

from __future__ import annotations

from typing import Any

import pytest

from portrait.answers.matches import Approximate
from portrait.answers.wording import reason, show_evalue


def sentence(verdict: Any, **changes: Any) -> str:
    """Return the reason for a verdict, with these arguments in place of the defaults."""
    values: dict[str, Any] = {
        "evalue": None,
        "n_matches": 0,
        "longest_match": 0,
        "detectable_length": 99,
        "units": 50,
        "unit": "characters",
        "unrecorded": False,
        "approximate": [],
    }
    return reason(verdict, **(values | changes))


@pytest.mark.parametrize(
    ("value", "shown"), [(0.01, "0.01"), (1.26e-9, "1.3e-09"), (100, "1e+02"), (0.0, "less than 1e-300")]
)
def test_an_evalue_has_two_digits(value: float, shown: str) -> None:
    assert show_evalue(value) == shown


def test_found_counts_the_passages() -> None:
    assert sentence("found", evalue=1e-5, n_matches=1, longest_match=1) == (
        "1 matching passage, the longest of 1 character; "
        "chance alone would show 1e-05 as strong in such a text"
    )
    assert sentence("found", evalue=1e-5, n_matches=1200, longest_match=29999).startswith(
        "1,200 matching passages, the longest of 29,999 characters; "
    )


def test_not_found_states_the_detectable_length() -> None:
    assert (
        sentence("not_found", units=2000, detectable_length=1234)
        == "no passage of 1,234 characters or more appears verbatim in the corpus"
    )
    assert sentence("not_found", detectable_length=1, unit="words").startswith("no passage of 1 word or more")


def test_inconclusive_gives_the_cause() -> None:
    assert sentence("inconclusive", units=1, unit="words", detectable_length=1023) == (
        "the text has 1 word; in one this short only a copy of 1,023 or more could be told from chance"
    )
    assert sentence("inconclusive", units=1022, unit="bytes", detectable_length=1023).startswith(
        "the text has 1,022 bytes; "
    )
    assert "answers yes to nearly everything" in sentence("inconclusive", detectable_length=None)
    assert "repeats itself" in sentence("inconclusive", units=99)
    assert sentence("inconclusive", units=7, detectable_length=74, unrecorded=True) == (
        "the text has 7 characters; in one this short only a copy of 74 or more could be told from chance; "
        "no key of documents shorter than a window was stored"
    )


def test_the_best_approximate_match_is_added() -> None:
    passages = [Approximate(0, 60, 4, 3, 1e-3), Approximate(1000, 45000, 1500, 1200, 1e-9)]
    expected = (
        "; but 1,200 of 1,500 windows of characters 1,000-45,000 do, as in a copy with edits: "
        "chance alone would show 1e-09 such passages"
    )
    assert sentence("not_found", approximate=passages).endswith(expected)
    assert sentence("inconclusive", approximate=passages).endswith(expected)
    assert "windows" not in sentence("found", evalue=0.0, n_matches=1, longest_match=50, approximate=passages)
    assert "1 of 1 window of" in sentence("not_found", approximate=[Approximate(0, 50, 1, 1, 1e-3)])
