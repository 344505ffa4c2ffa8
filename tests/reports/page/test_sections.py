"""Sections of the page, made from plain values."""

from __future__ import annotations

from support.html_page import Page

from portrait.markup.elements import join
from portrait.reports.findings import ColumnFindings, Findings, PortraitFindings, SourceFindings, Totals
from portrait.reports.page.sections import columns, result, sources
from portrait.reports.statistics import Histogram, Share
from portrait.spec import WindowSpec


def text_of_result(n_exact: int) -> str:
    """Return the text of the result of 20,001 rows, of which so many are documents of the corpus."""
    found, missed, short, exact, edited = (Share(n, 20_001) for n in (15_000, 5000, 1, n_exact, 0))
    nothing = Histogram((), ())
    findings = Findings(
        totals=Totals(20_001, found, missed, short, exact, edited, 0.25),
        portraits=(PortraitFindings("p", WindowSpec(), found, missed, short, None),),
        sources=(),
        columns=(),
        coverage=nothing,
        longest_match=nothing,
        worst=(),
        verdicts=b"",
    )
    return Page(join(result(findings, 1e-5))).text


def test_the_result_counts_every_verdict() -> None:
    text = text_of_result(1)
    assert "15,000" in text
    assert "At the threshold of 1e-05 a row (E-value), chance alone would have 0.25 rows found" in text
    assert "The very text of 1 row seems to be a document" in text
    assert "copies changed in every 50 characters (runs of white space counted as one) are invisible" in text


def test_the_result_says_of_how_many_rows_the_very_text_is_a_document() -> None:
    assert "The very text of no row seems to be a document" in text_of_result(0)
    assert "The very text of 1,234 rows seems to be a document" in text_of_result(1234)


def test_sources_are_named_with_their_portraits_where_there_are_several() -> None:
    findings = [SourceFindings("one", "web", Share(3, 4))]
    assert " in one" in Page(join(sources(findings, qualified=True))).text
    assert " in one" not in Page(join(sources(findings, qualified=False))).text


def test_sources_state_their_shares_where_there_are_any() -> None:
    for share, shown in ((Share(3, 4), "Share75%"), (Share(0, 0), "Share–")):
        text = Page(join(sources([SourceFindings("one", "web", share)], qualified=False))).text
        assert shown in text


def test_columns_state_their_shares_where_there_are_any() -> None:
    findings = [ColumnFindings("q", Share(1, 2), Share(0, 2)), ColumnFindings("a", Share(0, 0), Share(0, 0))]
    text = Page(join(columns(findings))).text
    assert "1 (50%)" in text
    assert "0 (0%)" in text
    assert text.endswith("A match touches it0Half of it or more matches0")
