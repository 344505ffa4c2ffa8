"""Sections of the page, made from plain values."""

from __future__ import annotations

from support.html_page import Page

from portrait.markup.elements import join
from portrait.reports.findings import ColumnFindings, Findings, PortraitFindings, SourceFindings, Totals
from portrait.reports.page.sections import columns, result, sources
from portrait.reports.statistics import Histogram, Share
from portrait.spec import WindowSpec


def test_the_result_counts_every_verdict() -> None:
    found, missed, short, exact, edited = (Share(n, 20_001) for n in (15_000, 5000, 1, 1, 0))
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
    text = Page(join(result(findings, 1e-5))).text
    assert "15,000" in text
    assert "At the threshold of 1e-05 a row (E-value), chance alone would have 0.25 rows found" in text
    assert "The very text of 1 row seems to be a document" in text
    assert "copies changed in every 50 characters (runs of white space counted as one) are invisible" in text


def test_sources_are_named_with_their_portraits_where_there_are_several() -> None:
    findings = [SourceFindings("one", "web", Share(3, 4))]
    assert " in one" in Page(join(sources(findings, qualified=True))).text
    assert " in one" not in Page(join(sources(findings, qualified=False))).text


def test_columns_state_their_shares_where_there_are_any() -> None:
    findings = [ColumnFindings("q", Share(1, 2), Share(0, 2)), ColumnFindings("a", Share(0, 0), Share(0, 0))]
    text = Page(join(columns(findings))).text
    assert "1 (50%)" in text
    assert "0 (0%)" in text
