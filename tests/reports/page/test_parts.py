"""The page's parts: foreign names are isolated and visible, and tables say what heads what."""

from __future__ import annotations

from support.html_page import Page

from portrait.reports.findings import SourceFindings
from portrait.reports.page.parts import cell, code, name, plain, row, source_name, table
from portrait.reports.statistics import Share


def test_names_are_isolated_and_their_hidden_characters_shown() -> None:
    assert name("a\u202eb<") == '<bdi>a<span class="sign">U+202E</span>b&lt;</bdi>'
    assert code("<") == "<code>&lt;</code>"
    assert plain("a\u202eb") == "a[U+202E]b"


def test_a_table_s_rows_and_columns_have_headings() -> None:
    shown = Page(table("Caption", ["Row", "Number"], [row(["one"], cell("Number", "1"))]))
    assert [one["scope"] for one in shown.all("th")] == ["col", "col", "row"]
    assert shown.text == "CaptionRowNumberoneNumber1"


def test_a_source_is_named_by_its_letter_and_name() -> None:
    source = SourceFindings("p", "web", Share(1, 1))
    assert Page("".join(source_name(source, 1, qualified=False))).text == "Btext B: web"
    assert Page("".join(source_name(source, 1, qualified=True))).text == "Btext B: web in p"
