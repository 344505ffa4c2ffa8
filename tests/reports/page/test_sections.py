"""Sections of the page, made from plain values."""

from __future__ import annotations

from support.html_page import Page

from portrait.markup.elements import join
from portrait.reports.findings import ColumnFindings, SourceFindings, Totals
from portrait.reports.page.sections import columns, result, sources
from portrait.reports.statistics import Share


def test_the_result_counts_every_verdict() -> None:
    found, missed, short, exact, edited = (Share(n, 20_001) for n in (15_000, 5000, 1, 1, 0))
    text = Page(join(result(Totals(20_001, found, missed, short, exact, edited, 0.25)))).text
    assert "15,000" in text
    assert "0.25 of 20,001 rows found" in text
    assert "The very text of 1 row is a document" in text


def test_sources_are_named_with_their_portraits_where_there_are_several() -> None:
    findings = [SourceFindings("one", "web", Share(3, 4))]
    assert " in one" in Page(join(sources(findings, qualified=True))).text
    assert " in one" not in Page(join(sources(findings, qualified=False))).text


def test_columns_state_their_shares_where_there_are_any() -> None:
    findings = [ColumnFindings("q", Share(1, 2), Share(0, 2)), ColumnFindings("a", Share(0, 0), Share(0, 0))]
    text = Page(join(columns(findings))).text
    assert "1 (50%)" in text
    assert "0 (0%)" in text
