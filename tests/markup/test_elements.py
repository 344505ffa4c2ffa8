"""Escaped HTML: only values of the class Markup are taken for markup."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.html_page import Page

from portrait.markup.elements import Markup, element, join


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")))
def test_text_and_attributes_are_escaped_and_markup_is_not(text: str) -> None:
    shown = element("p", text, Markup("<b>x</b>"), title=text, data_x=None)
    page = Page(shown)
    assert [tag for tag, _ in page.elements] == ["p", "b"]
    assert page.text == f"{text}x"
    assert page.elements[0][1] == {"title": text}


def test_void_elements_have_no_end_tag() -> None:
    assert element("br") == "<br>"
    assert element("p") == "<p></p>"


def test_joined_text_is_escaped_and_markup_is_not() -> None:
    assert join(["<", Markup("<b>"), "&"], " > ") == "&lt; &gt; <b> &gt; &amp;"
