"""The HTML snippet of an answer, which notebooks show."""

from __future__ import annotations

from typing import Any

import html5lib
import pytest
from support import samples

import portrait
from portrait.answers.wording import show_evalue

STORY = (
    "The ferry to Norham left without its bell that winter, and the passengers learned to listen for it. " * 2
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x00\x1b[31m\u202e&amp; "


@pytest.fixture(scope="module")
def opened() -> portrait.Portrait:
    """A portrait of two sources that share a text, one with a name that looks like markup."""
    return samples.build(
        {"<b>tales</b>": [STORY], "echo": [STORY[:150]]}, portrait.WindowSpec(20, portrait.Stride(10))
    ).portrait


def parse(answer: portrait.Answer) -> Any:
    """Parse the snippet strictly, and return its one element."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    (root,) = parser.parseFragment(answer.to_html())
    assert parser.errors == []
    assert (root.tag, root.get("class")) == ("div", "portrait-answer")
    return root


def test_matches_are_marked_in_the_text(opened: portrait.Portrait) -> None:
    answer = opened.query(f"Before. {STORY} After.")
    root = parse(answer)
    excerpt = root.find("p[@class='text']")
    marks = ["".join(mark.itertext()) for mark in excerpt.iter("mark")]
    # Each passage begins with the letters of the sources that hold it.
    assert marks[0].startswith("A+B")
    assert STORY[:100] in "".join(marks).replace("A+B", "").replace("A", "")
    assert "".join(excerpt.itertext()).startswith("Before. ")
    rows = ["".join(row.itertext()) for row in root.iter("tr")]
    assert len(rows) == 1 + len(answer.matches)
    layer, match = answer.matches[0]
    place = f"{match.start}–{match.end}{match.end - match.start}"
    assert rows[1] == f"{place}A {layer.source} in sample{show_evalue(match.evalue)}"
    assert any("<b>tales</b> in sample" in row for row in rows)
    assert answer._repr_html_() == answer.to_html()


@pytest.mark.parametrize("text", ["", "short", STORY[::-1], HOSTILE * 9])
def test_an_answer_without_matches_is_one_sentence(text: str, opened: portrait.Portrait) -> None:
    answer = opened.query(text)
    root = parse(answer)
    assert [child.tag for child in root] == ["style", "p"]
    assert answer.reason.split(";")[0] in "".join(root.itertext())


def test_a_text_cannot_become_markup(opened: portrait.Portrait) -> None:
    root = parse(opened.query(f"{HOSTILE}{STORY}{HOSTILE}"))
    tags = {element.tag for element in root.iter()}
    assert tags <= {
        "div",
        "style",
        "p",
        "strong",
        "mark",
        "sup",
        "span",
        "bdi",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    text = "".join(root.itertext())
    assert "<script>alert(1)</script>" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_an_answer_without_its_text_has_no_excerpt(opened: portrait.Portrait) -> None:
    answer = opened.query(STORY)
    assert answer.text == STORY
    assert STORY[:40] not in repr(answer)
    assert "text" not in answer.to_dict()
