"""Sentences of a report: digits are grouped, and verbs agree with their numbers."""

from __future__ import annotations

import pytest
from support.evidence import ask, evidence

from portrait.reports.findings import PortraitFindings, ReportRow
from portrait.reports.statistics import Share, Spread
from portrait.reports.wording import edited, headline, rate, row_name, sure_lengths
from portrait.spec import Stride, WindowSpec


def test_a_rate_has_its_interval() -> None:
    assert rate(Share(1, 4)).startswith("25% (95% interval ")
    assert rate(Share(0, 0)) == "no rows"


@pytest.mark.parametrize(
    ("found", "prefix"),
    [
        (Share(0, 0), "There are no rows, so there is nothing to say."),
        (Share(1, 1), "1 of 1 row matches a passage of the corpus: 100% "),
        (Share(1, 12_345), "1 of 12,345 rows matches a passage of the corpus: "),
        (Share(0, 5), "0 of 5 rows match a passage of the corpus: "),
        (Share(2, 5), "2 of 5 rows match a passage of the corpus: "),
        (Share(2_000, 12_345), "2,000 of 12,345 rows match a passage of the corpus: "),
    ],
)
def test_the_headline_counts_what_was_found(found: Share, prefix: str) -> None:
    assert headline(found).startswith(prefix)


@pytest.mark.parametrize(("identifier", "name"), [(None, "row 1,234"), ("q/7", "q/7"), ("", "")])
def test_a_row_is_named_by_its_id_or_its_number(identifier: str | None, name: str) -> None:
    row = ReportRow(1234, "data.jsonl:1234", identifier, "x" * 109, (), ask(evidence()))
    assert row_name(row) == name


@pytest.mark.parametrize(
    ("n", "sentence"),
    [
        (0, "Of the rows not found, none could be recognised as a copy with edits; "),
        (1, "Of the rows not found, one looks like a copy with edits; "),
        (2, "Of the rows not found, 2 look like copies with edits; "),
        (1_234, "Of the rows not found, 1,234 look like copies with edits; "),
    ],
)
def test_edited_copies_are_counted(n: int, sentence: str) -> None:
    phrase = edited(Share(n, 5_000), [WindowSpec()])
    assert phrase.startswith(sentence)
    assert phrase.endswith(
        "copies changed in every 50 characters (runs of white space counted as one) are invisible."
    )


def test_a_copy_is_invisible_if_no_portrait_has_a_window_of_it() -> None:
    specs = [WindowSpec(50), WindowSpec(25, Stride(12)), WindowSpec(13, Stride(1), "word", "loose")]
    assert edited(Share(0, 1), specs).endswith(
        "copies changed in every 13 words (separated by punctuation or white space) and every 25 characters "
        "(runs of white space counted as one) are invisible."
    )


@pytest.mark.parametrize(
    ("spread", "lengths"),
    [
        (None, "none"),
        (Spread(99, 99, 99), "99 words or more"),
        (Spread(99, 124, 1249), "99 to 1,249 words or more, depending on the row's length (median 124)"),
    ],
)
def test_lengths_say_what_they_count(spread: Spread | None, lengths: str) -> None:
    none = Share(0, 1)
    assert sure_lengths(PortraitFindings("p", WindowSpec(unit="word"), none, none, none, spread)) == lengths
