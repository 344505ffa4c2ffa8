"""The sentences of a report, for one and for many."""

from __future__ import annotations

import pytest

from portrait.reports.statistics import Share
from portrait.reports.wording import edited, headline, rate


@pytest.mark.parametrize(
    ("found", "begins"),
    [
        (Share(0, 0), "There are no rows"),
        (Share(1, 1), "1 of 1 row shares a passage with the corpus: 100% (95% interval "),
        (Share(1, 2), "1 of 2 rows shares a passage"),
        (Share(12_345, 29_999), "12,345 of 29,999 rows share a passage with the corpus: 41.2% "),
    ],
)
def test_the_headline_counts_the_rows_found(found: Share, begins: str) -> None:
    assert headline(found).startswith(begins)


@pytest.mark.parametrize(
    ("n", "says"),
    [(0, "none looks like a copy"), (1, "one looks like a copy"), (1234, "1,234 look like copies")],
)
def test_copies_with_edits_are_counted(n: int, says: str) -> None:
    assert says in edited(Share(n, 5000))


def test_a_rate_of_no_rows_is_none() -> None:
    assert rate(Share(0, 0)) == "no rows"
