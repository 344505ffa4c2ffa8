"""Marked passages: every match is marked, and no text becomes markup."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from support.html_page import Page

from portrait.markup.elements import Markup
from portrait.markup.highlight import CONTEXT, STYLES, Span, highlighted, letter, segments, style, visible


def test_joiners_of_scripts_and_emoji_are_kept() -> None:
    text = "👩🏽\u200d💻 می\u200cخواهم naïve\ttab\nline"
    assert visible(text) == text


@given(st.text(max_size=40))
def test_visible_text_is_the_text_escaped(text: str) -> None:
    shown = visible(text)
    assert isinstance(shown, Markup)
    page = Page(shown)
    assert {tag for tag, _ in page.elements} <= {"span"}
    unchanged = "".join(c for c in text if visible(c) == c or c in "&<>\"'")
    assert all(c in page.text for c in unchanged)


SPANS = st.lists(
    st.builds(lambda a, n, s: Span(a, a + n, s), st.integers(0, 50), st.integers(1, 30), st.integers(0, 3))
)


@given(SPANS, st.integers(0, 40), st.integers(0, 40))
def test_segments_have_the_sources_of_every_character(spans: list[Span], start: int, length: int) -> None:
    end = start + length
    parts = list(segments(start, end, spans))
    assert [i for one in parts for i in range(one.start, one.end)] == list(range(start, end))
    for one in parts:
        for i in range(one.start, one.end):
            assert one.sources == tuple(sorted({s.source for s in spans if s.start <= i < s.end}))
    assert all(one.sources != other.sources for one, other in pairwise(parts))


def test_a_passage_of_two_sources_names_both() -> None:
    shown = highlighted("0123456789", 0, 10, [Span(0, 6, 0), Span(4, 10, 1)])
    assert re.findall("<sup>(.*?)</sup>([0-9]+)", shown) == [("A", "0123"), ("A+B", "45"), ("B", "6789")]


def test_text_far_from_a_passage_is_folded() -> None:
    text = "x" * 1000 + "MATCH" + "y" * 1000 + "MATCH" + "z" * 1000
    shown = Page(highlighted(text, 0, len(text), [Span(1000, 1005, 0), Span(2005, 2010, 0)])).text
    assert shown.count("x") == shown.count("z") == CONTEXT
    assert shown.count("y") == 2 * CONTEXT
    assert shown.count(" [… 840 characters …] ") == 2
    assert " [… 680 characters …] " in shown


def test_a_long_passage_is_folded_in_the_middle() -> None:
    shown = Page(highlighted("x" * 10_000, 0, 10_000, [Span(0, 10_000, 0)])).text
    assert shown.count("x") == 1600
    assert " [… 8,400 characters …] " in shown


def test_sources_have_letters() -> None:
    assert [letter(i) for i in (0, 1, 25, 26, 27, 51, 52, 701, 702)] == [
        "A", "B", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


def test_styles_repeat_after_the_last_one() -> None:
    assert [style(i) for i in (0, 1, STYLES, STYLES + 1)] == ["s0", "s1", "s0", "s1"]
