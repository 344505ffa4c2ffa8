"""Words for numbers on the page."""

from __future__ import annotations

import pytest
from portrait_server.page import words
from portrait_server.page.passages import Holder, Passage

from portrait.answers.wording import certainty


def test_numbers_are_put_in_words() -> None:
    texts = {5e-324: "less than 1e-300", 2.94e-16: "2.9e-16", 1e-05: "1e-05", 0.0001: "0.0001", 0.01: "0.01"}
    assert {value: words.show_evalue(value).removeprefix("E-value ") for value in texts} == texts
    assert [words.how_sure(value) for value in (1e-9, 1.1e-9, 1e-3, 1.1e-3, 5)] == [
        "practically certain",
        "likely",
        "likely",
        "may be chance",
        "may be chance",
    ]
    assert all(words.how_sure(10.0**-n) == certainty(10.0**-n) for n in range(-3, 20))
    assert [words.share(share) for share in (0.001, 0.125, 1)] == [
        "less than 1% of the text",
        "13% of the text",
        "100% of the text",
    ]


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (Passage(1, 0, 1, False, ()), "1 character, 0–1, word for word"),
        (Passage(1, 1000, 30_999, True, ()), "29,999 characters, 1,000–30,999, like an edited copy"),
    ],
)
def test_a_passage_says_where_it_is(passage: Passage, expected: str) -> None:
    assert words.where(passage) == expected


def test_an_excerpt_is_the_beginning_on_one_line() -> None:
    text = "  one\n two " + "x" * 100
    assert words.excerpt(text, Passage(1, 0, 11, False, ())) == "one two"
    excerpt = words.excerpt(text, Passage(1, 0, 111, False, ()))
    assert excerpt == "one two " + "x" * (words.EXCERPT_CHARS - 11) + "…"


def test_a_holder_is_a_source_in_a_portrait() -> None:
    assert words.name(Holder("p", "s", 0, 0, 1e-6)) == "s in p"
    assert words.sentence("choose one") == "Choose one."
