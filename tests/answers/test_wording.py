"""The sentences of an answer: no stronger than the evidence, with lengths that say what they count."""

from __future__ import annotations

from typing import Any

import pytest

from portrait.answers.layer_answer import PortraitAnswer
from portrait.answers.matches import Approximate
from portrait.answers.wording import by_chance, certainty, meaning, reason, show_evalue
from portrait.spec import Stride, WindowSpec


def of_portrait(verdict: Any, **changes: Any) -> PortraitAnswer:
    """Return a portrait's answer about a text of 50 characters, with these attributes changed."""
    values: dict[str, Any] = {
        "portrait": "p",
        "spec": WindowSpec(normalizer="none"),
        "evalue": None,
        "units": 50,
        "detectable_length": 99,
    }
    return PortraitAnswer(verdict=verdict, **(values | changes))


def sentence(verdict: Any, approximate: Any = (), unrecorded: bool = False, **changes: Any) -> str:
    """Return the reason that one portrait gives for a verdict, with these attributes changed."""
    return reason(
        verdict,
        evalue=None,
        n_matches=0,
        longest_match=0,
        portraits=[of_portrait(verdict, **changes)],
        unrecorded=unrecorded,
        approximate=approximate,
    )


def found(evalue: float, n_matches: int, longest_match: int) -> str:
    """Return the reason for the verdict ``found``."""
    portraits = [of_portrait("found", evalue=evalue)]
    return reason(
        "found",
        evalue=evalue,
        n_matches=n_matches,
        longest_match=longest_match,
        portraits=portraits,
        unrecorded=False,
        approximate=[Approximate(0, 60, 4, 3, 1e-3)],
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.01, "0.01"), (1.26e-9, "1.3e-09"), (100, "1e+02"), (1e-300, "1e-300"), (0.0, "less than 1e-300")],
)
def test_an_evalue_has_two_digits(value: float, shown: str) -> None:
    assert show_evalue(value) == shown


def test_found_counts_the_passages_in_characters_of_the_text() -> None:
    assert found(1e-5, 1, 1) == (
        "1 passage of 1 character of this text matches; "
        "chance alone would show 1e-05 as strong in such a text"
    )
    assert found(1e-5, 1200, 29999) == (
        "1,200 passages match, the longest of 29,999 characters of this text; "
        "chance alone would show 1e-05 as strong as the strongest in such a text"
    )


def test_not_found_states_the_detectable_length_and_what_it_counts() -> None:
    assert (
        sentence("not_found", units=2000, detectable_length=1234)
        == "no passage of 1,234 characters or more appears verbatim in the corpus"
    )
    assert sentence("not_found", detectable_length=1, spec=WindowSpec(1, Stride(1), "word")) == (
        "no passage of 1 word or more appears verbatim in the corpus"
    )
    assert sentence("not_found", detectable_length=124, spec=WindowSpec()) == (
        "no passage of 124 characters or more (runs of white space counted as one) appears verbatim in the "
        "corpus"
    )


def test_inconclusive_gives_the_cause() -> None:
    words = WindowSpec(unit="word")
    assert sentence("inconclusive", units=1, spec=words, detectable_length=1023) == (
        "the text has 1 word; only a copy of 1,023 or more can be told from chance"
    )
    assert sentence("inconclusive", units=1022, spec=WindowSpec(unit="byte"), detectable_length=1023) == (
        "the text has 1,022 bytes (of UTF-8, runs of white space counted as one); only a copy of 1,023 or "
        "more can be told from chance"
    )
    assert "answers yes to nearly everything" in sentence("inconclusive", detectable_length=None)
    assert "repeats itself" in sentence("inconclusive", units=99)


def test_a_text_whose_document_key_is_not_stored_says_so() -> None:
    assert sentence("inconclusive", units=7, detectable_length=74, unrecorded=True) == (
        "the text has 7 characters; only a copy of 74 or more can be told from chance; "
        "no key of documents shorter than a window was stored"
    )


def test_portraits_that_cut_text_alike_share_a_sentence_and_others_have_their_own() -> None:
    words = WindowSpec(13, Stride(1), "word")
    portraits = [
        of_portrait("not_found", portrait="a", units=200),
        of_portrait("inconclusive", portrait="b", units=1, spec=words, detectable_length=14),
        of_portrait("not_found", portrait="c", units=200, detectable_length=124),
    ]
    arguments: Any = {
        "evalue": None,
        "n_matches": 0,
        "longest_match": 0,
        "unrecorded": False,
        "approximate": [],
    }
    alike = "no passage of 124 characters or more appears verbatim in the corpus"
    assert reason("not_found", portraits=portraits[::2], **arguments) == alike
    assert reason("inconclusive", portraits=portraits, **arguments) == (
        f"a, c: {alike}; b: the text has 1 word; only a copy of 14 or more can be told from chance"
    )


def test_the_best_approximate_match_is_added() -> None:
    passages = [Approximate(0, 60, 4, 3, 1e-3), Approximate(1000, 45000, 1500, 1200, 1e-9)]
    expected = (
        "; but 1,200 of 1,500 windows of characters 1,000-45,000 do, as in a copy with edits: "
        "chance alone would show 1e-09 such passages"
    )
    assert sentence("not_found", passages).endswith(expected)
    assert sentence("inconclusive", passages).endswith(expected)
    assert "windows" not in found(0.0, 1, 50)
    assert "1 of 1 window of characters 0-50 does" in sentence("not_found", [Approximate(0, 50, 1, 1, 1e-3)])


@pytest.mark.parametrize(
    ("evalue", "words"),
    [
        (0.0, "practically certain"),
        (1e-9, "practically certain"),
        (1.1e-9, "likely"),
        (1e-3, "likely"),
        (1.1e-3, "may be chance"),
        (0.009, "may be chance"),
        (1e6, "may be chance"),
    ],
)
def test_words_follow_the_evidence(evalue: float, words: str) -> None:
    assert certainty(evalue) == words
    said = meaning("found", evalue, 1)
    assert ("practically certain" in said) == (words == "practically certain")
    assert ("likely" in said) == (words == "likely")
    assert ("may be chance" in said) == (words == "may be chance")


def test_the_meaning_speaks_of_the_strongest_of_several_passages() -> None:
    assert meaning("found", 1e-5, 1).startswith("The corpus is likely to hold it; ")
    assert meaning("found", 1e-5, 2).startswith("The corpus is likely to hold the strongest of them; ")
    assert meaning("found", 1e-10, 2).startswith(
        "It is practically certain that the corpus holds the strongest of them; "
    )


def test_nothing_found_does_not_mean_that_nothing_is_there() -> None:
    assert meaning("not_found", None, 0) == "A shorter passage may be in the corpus, or a reworded one."
    assert meaning("inconclusive", 0.5, 0).startswith("That is neither yes nor no")


def test_many_rows_state_their_threshold_and_what_chance_does_at_it() -> None:
    assert by_chance(1e-5, 0.0123) == (
        "At the threshold of 1e-05 a row (E-value), chance alone would have 0.012 rows found, in expectation."
    )
