from __future__ import annotations

import re
import sys
import unicodedata

import oracle
import pytest
import samples
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portrait import _native

NORMALIZERS = ["none", "spaces", "data-portraits"]


def normalize(text: str, normalizer: str = "spaces") -> tuple[str, list[tuple[int, int]]]:
    return _native.Windows(normalizer, "char", 1, 1).normalize(text)


def definition(text: str) -> str:
    """The normaliser `spaces` in one line, without the way back."""
    white = "".join(oracle.WHITE_SPACE)
    return re.sub(f"[{white}]+", " ", unicodedata.normalize("NFC", text)).strip(" ")


def original(text: str) -> str:
    """The normaliser `data-portraits` as the original library has it."""
    text = re.sub(r"[\r\n]+", "\n", text)
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r"\n\s", "\n", text).strip()


@settings(max_examples=300, deadline=None)
@given(samples.texts())
def test_the_oracle_follows_the_definition(text: str) -> None:
    assert oracle.normalise(text)[0] == definition(text)
    assert oracle.normalise(text, "data-portraits")[0] == original(text)
    assert oracle.normalise(text, "none") == (text, [(i, i + 1) for i in range(len(text))])


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@settings(max_examples=600, deadline=None)
@given(text=samples.texts())
@example(text="")
@example(text=" \t\n")
@example(text="\u0301")
@example(text=" \u0301 \u0323\u0301")
@example(text="a\u0301\u0323\u0316\u0301z")
@example(text="\u1100\u1161\u11a8\u11a8\u1161")
@example(text="\uac00\u0301\u11a8")
def test_kernel_and_oracle_agree_on_text_and_origins(normalizer: str, text: str) -> None:
    assert normalize(text, normalizer) == oracle.normalise(text, normalizer)


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 17), samples.texts(3), st.integers(0, 17), samples.texts(3))
def test_where_a_change_stands_in_a_machine_word_makes_no_difference(
    normalizer: str, n_before: int, text: str, n_between: int, other: str
) -> None:
    whole = "x" * n_before + text + "y z" * n_between + other
    assert normalize(whole, normalizer) == oracle.normalise(whole, normalizer)


def test_every_assigned_character_is_normalised_as_python_does() -> None:
    assigned = [
        char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) not in ("Cs", "Cn")
    ]
    for text in ("x".join(assigned), "\u0301".join(assigned), "".join(assigned)):
        assert normalize(text)[0] == definition(text)


def test_every_character_that_can_change_has_the_right_origin() -> None:
    composing = {second for _, second in oracle.compositions()}
    changing = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if unicodedata.decomposition(char)[:1] not in ("", "<")
        or unicodedata.combining(char)
        or char in composing
        or char in oracle.WHITE_SPACE
    ]
    assert len(changing) > 2500
    for char in changing:
        for text in (char, f"a{char}b", f"e{char}\u0323{char} "):
            assert normalize(text) == oracle.normalise(text), text


def test_all_white_space_is_folded_and_nothing_else() -> None:
    for space in oracle.WHITE_SPACE:
        assert normalize(f"a{space}b") == ("a b", [(0, 1), (1, 2), (2, 3)])
    for char in samples.NOT_QUITE_SPACES:
        assert normalize(f"{char}a{char}{char}b{char}")[0] == f"{char}a{char}{char}b{char}"


def test_a_run_of_white_space_becomes_one_space_that_stands_for_all_of_it() -> None:
    text = " \t a\r\n\r\n\u3000b\u2009\u00a0c "
    assert normalize(text) == ("a b c", [(3, 4), (4, 9), (9, 10), (10, 12), (12, 13)])


def test_every_character_is_white_space_to_data_portraits_as_it_is_to_python() -> None:
    chars = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    for text in ("x".join(chars), "\n".join(chars), " ".join(chars), "".join(chars)):
        assert normalize(text, "data-portraits")[0] == original(text)


def test_lines_stay_apart_and_lose_their_indentation() -> None:
    text = " \n a \t\r\n\r\n  b\u3000\n\x1f\nc\n "
    origins = [(3, 4), (4, 6), (6, 12), (12, 13), (13, 14), (14, 16), (16, 17), (17, 18)]
    assert normalize(text, "data-portraits") == ("a \nb \n\nc", origins)


def test_a_composed_character_stands_for_its_parts() -> None:
    assert normalize("xe\u0301y") == ("x\u00e9y", [(0, 1), (1, 3), (3, 4)])
    assert normalize("\u1112\u1161\u11ab.") == ("\ud55c.", [(0, 3), (3, 4)])


def test_origins_never_run_backwards_where_marks_change_places() -> None:
    # The acute stands first and comes out second: its origin begins where the dot's text does.
    assert normalize("a\u0301\u0323z") == ("\u1ea1\u0301z", [(0, 3), (1, 3), (3, 4)])


def test_a_character_that_comes_apart_gives_its_origin_to_every_part() -> None:
    assert normalize("\u0958x") == ("\u0915\u093cx", [(0, 1), (0, 1), (1, 2)])


@pytest.mark.parametrize("char", ["\U0001d160", "\ufb2c", "\u0390", "\u1f82", "\u0344"])
def test_text_that_grows_is_whole(char: str) -> None:
    text = char * 5000
    normalized, origins = normalize(text)
    assert normalized == definition(text)
    assert origins[0][0] == 0
    assert origins[-1][1] == len(text)


def test_long_runs_of_marks_are_ordered() -> None:
    text = "a" + "\u0301\u0323\u0327\u0316" * 60 + "b"
    assert normalize(text) == oracle.normalise(text)


@settings(max_examples=200, deadline=None)
@given(samples.texts())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once, _ = normalize(text)
    assert normalize(once) == (once, [(i, i + 1) for i in range(len(once))])


@settings(max_examples=200, deadline=None)
@given(samples.texts())
def test_the_span_of_the_whole_holds_all_but_the_outer_white_space(text: str) -> None:
    normalized, origins = normalize(text)
    if not normalized:
        assert set(text) <= oracle.WHITE_SPACE
        return
    start, end = origins[0][0], origins[-1][1]
    assert set(text[:start] + text[end:]) <= oracle.WHITE_SPACE
    assert normalize(text[start:end])[0] == normalized


@pytest.mark.parametrize("normalizer", NORMALIZERS)
def test_a_lone_surrogate_is_no_text(normalizer: str) -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        normalize("añ\ud800b", normalizer)
    assert caught.value.start == 2
