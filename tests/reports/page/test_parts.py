"""Parts of the page: names from outside are isolated and visible, and table headings have a scope."""

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
    parsed_table = Page(table("Caption", ["Row", "Number"], [row(["one"], cell("Number", "1"))]))
    assert [one["scope"] for one in parsed_table.all("th")] == ["col", "col", "row"]
    assert parsed_table.text == "CaptionRowNumberoneNumber1"


def test_a_source_is_named_by_its_letter_and_name() -> None:
    source = SourceFindings("p", "web", Share(1, 1))
    assert Page("".join(source_name(source, 1, qualified=False))).text == "Btext B: web"
    assert Page("".join(source_name(source, 1, qualified=True))).text == "Btext B: web in p"
