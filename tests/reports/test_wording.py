"""Sentences of a report: digits are grouped, and verbs agree with their numbers."""

from __future__ import annotations

import pytest

from portrait.reports.statistics import Share
from portrait.reports.wording import edited, headline, rate


def test_a_rate_has_its_interval() -> None:
    assert rate(Share(1, 4)).startswith("25% (95% interval ")
    assert rate(Share(0, 0)) == "no rows"


@pytest.mark.parametrize(
    ("found", "prefix"),
    [
        (Share(0, 0), "There are no rows, so there is nothing to say."),
        (Share(1, 1), "1 of 1 row shares a passage with the corpus: 100% "),
        (Share(1, 12_345), "1 of 12,345 rows shares a passage with the corpus: "),
        (Share(2_000, 12_345), "2,000 of 12,345 rows share a passage with the corpus: "),
    ],
)
def test_the_headline_counts_what_was_found(found: Share, prefix: str) -> None:
    assert headline(found).startswith(prefix)


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (0, "Of the rows not found, none looks like a copy with edits."),
        (1, "Of the rows not found, one looks like a copy with edits."),
        (1_234, "Of the rows not found, 1,234 look like copies with edits."),
    ],
)
def test_edited_copies_are_counted(n: int, sentence: str) -> None:
    assert edited(Share(n, 5_000)) == sentence
