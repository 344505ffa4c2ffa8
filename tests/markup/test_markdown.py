"""Text from people in Markdown: shown as it is, checked with a parser of CommonMark and GitHub's tables."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from portrait.markup.markdown import code_block, plain

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})

HOSTILE = [
    "<script>alert(1)</script>",
    "<!-- portrait:end -->",
    "![x](https://evil.example/x.png)",
    "[click](javascript:alert(1))",
    "**bold** _it_ `code` ~~gone~~",
    "a|b | c",
    "&lt;b&gt; &#60;",
    "\\| \\",
    "$x^2$ :smile:",
    "# not a title",
    "trailing \\",
]


def rendered(source: str) -> str:
    """Return the text of the one paragraph that a source renders to; nothing else may be in it."""
    page = MARKDOWN.render(source)
    match = re.fullmatch(r"<p>([^<]*)</p>\n", page)
    assert match, page
    return html.unescape(match[1])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_is(text: str) -> None:
    assert rendered(f"Licence: {plain(text)}.") == f"Licence: {text}."


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_any_line_is_shown_as_it_is(text: str) -> None:
    assert rendered(f"x{plain(text)}x") == f"x{text}x"
    table = MARKDOWN.render(f"| a | b |\n|---|---|\n| x{plain(text)}x | y |\n")
    cells = re.findall(r"<td>([^<]*)</td>", table)
    assert [html.unescape(cell) for cell in cells] == [f"x{text}x", "y"]


@pytest.mark.parametrize("text", ["CC0-1.0", "org/model-7B", "a harbour, with lights", "日本 web"])
def test_plain_words_stay_readable(text: str) -> None:
    assert plain(text) == text


def test_addresses_are_no_links() -> None:
    assert plain("https://www.evil.example") == "https\\://www\\.evil.example"


@pytest.mark.parametrize("code", ["ls", "echo `date`", "```\n</code>", "a ````` b"])
def test_nothing_in_a_block_of_code_ends_it(code: str) -> None:
    page = MARKDOWN.render(code_block(code))
    match = re.fullmatch(r"<pre><code>([^<]*)</code></pre>\n", page)
    assert match, page
    assert html.unescape(match[1]) == f"{code}\n"
