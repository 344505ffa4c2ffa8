"""The normalisers of the kernel: text and origins, against the oracle and against short definitions."""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import oracle, samples

from portrait import _native
from portrait.spec import NORMALIZERS

#: Normalisers that leave their own output unchanged.
IDEMPOTENT = ["none", "spaces", "loose"]


def normalize(text: str, normalizer: str = "spaces") -> tuple[str, list[tuple[int, int]]]:
    """Return the kernel's normalised text and the origin [start, end) of each of its characters."""
    return _native.Windows(normalizer, "char", 1, "stride", 1).normalize(text)


def definition(text: str) -> str:
    """Return the text normalised by `spaces`, without origins."""
    white = "".join(oracle.WHITE_SPACE)
    return re.sub(f"[{white}]+", " ", unicodedata.normalize("NFC", text)).strip(" ")


def loose(text: str) -> str:
    """Return the text normalised by `loose`, without origins."""
    not_ignorable = re.sub(f"[{''.join(oracle.IGNORABLE)}]", "", text)
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", not_ignorable).casefold())
    # One letter for each character, so that a pattern can match categories.
    kinds = "".join(unicodedata.category(char)[0] for char in text)
    return " ".join(text[word.start() : word.end()] for word in re.finditer("[LN][LNM]*", kinds))


def original(text: str) -> str:
    """Return the text normalised by `data-portraits`, as in the original library."""
    text = re.sub(r"[\r\n]+", "\n", text)
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r"\n\s", "\n", text).strip()


@settings(max_examples=300, deadline=None)
@given(samples.texts())
def test_the_oracle_follows_the_definition(text: str) -> None:
    assert oracle.normalise(text)[0] == definition(text)
    assert oracle.normalise(text, "data-portraits")[0] == original(text)
    assert oracle.normalise(text, "loose")[0] == loose(text)
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
@example(text="\ufb01\u0301\u00ad\u0323.\u0301a\u0345\u0301 \u1fb4\u0316\u3164")
@example(text="\u00df\u0307\u1161 \u00ad\u1161\u00bd\u0301\u3231\u0301\ufdfa\u0301")
def test_kernel_and_oracle_agree_on_text_and_origins(normalizer: str, text: str) -> None:
    assert normalize(text, normalizer) == oracle.normalise(text, normalizer)


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 17), samples.texts(3), st.integers(0, 17), samples.texts(3))
def test_the_position_of_a_change_within_a_machine_word_makes_no_difference(
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
        assert normalize(text, "loose")[0] == loose(text)


def test_every_character_that_spaces_can_change_has_the_right_origin() -> None:
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


def test_every_assigned_character_has_the_right_origin_in_loose() -> None:
    for char in map(chr, range(sys.maxunicode + 1)):
        # Skip the hundred thousand ideographs and syllables of scripts without case, which do not change.
        if unicodedata.category(char) in ("Cs", "Cn", "Co") or (
            unicodedata.category(char) == "Lo" and not unicodedata.decomposition(char)
        ):
            continue
        for text in (char, f"a{char}b", f"e{char}\u0323{char} "):
            assert normalize(text, "loose") == oracle.normalise(text, "loose"), text


def test_all_white_space_is_folded_and_nothing_else() -> None:
    for space in oracle.WHITE_SPACE:
        assert normalize(f"a{space}b") == ("a b", [(0, 1), (1, 2), (2, 3)])
    for char in samples.NOT_QUITE_SPACES:
        assert normalize(f"{char}a{char}{char}b{char}")[0] == f"{char}a{char}{char}b{char}"


def test_a_run_of_white_space_becomes_one_space_whose_origin_is_the_whole_run() -> None:
    text = " \t a\r\n\r\n\u3000b\u2009\u00a0c "
    assert normalize(text) == ("a b c", [(3, 4), (4, 9), (9, 10), (10, 12), (12, 13)])


def test_data_portraits_and_python_agree_on_what_is_white_space() -> None:
    chars = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    for text in ("x".join(chars), "\n".join(chars), " ".join(chars), "".join(chars)):
        assert normalize(text, "data-portraits")[0] == original(text)


def test_data_portraits_keeps_lines_apart_and_drops_indentation() -> None:
    text = " \n a \t\r\n\r\n  b\u3000\n\x1f\nc\n "
    origins = [(3, 4), (4, 6), (6, 12), (12, 13), (13, 14), (14, 16), (16, 17), (17, 18)]
    assert normalize(text, "data-portraits") == ("a \nb \n\nc", origins)


def test_the_origin_of_a_composed_character_covers_its_parts() -> None:
    assert normalize("xe\u0301y") == ("x\u00e9y", [(0, 1), (1, 3), (3, 4)])
    assert normalize("\u1112\u1161\u11ab.") == ("\ud55c.", [(0, 3), (3, 4)])


def test_origins_never_run_backwards_when_marks_are_reordered() -> None:
    # The acute comes first in the text and second in the result: its origin begins where the dot begins.
    assert normalize("a\u0301\u0323z") == ("\u1ea1\u0301z", [(0, 3), (1, 3), (3, 4)])


def test_every_part_of_a_decomposed_character_has_its_origin() -> None:
    assert normalize("\u0958x") == ("\u0915\u093cx", [(0, 1), (0, 1), (1, 2)])


@pytest.mark.parametrize("char", ["\U0001d160", "\ufb2c", "\u0390", "\u1f82", "\u0344"])
def test_text_that_grows_is_normalised_completely(char: str) -> None:
    text = char * 5000
    normalized, origins = normalize(text)
    assert normalized == definition(text)
    assert origins[0][0] == 0
    assert origins[-1][1] == len(text)


def test_long_runs_of_marks_are_ordered() -> None:
    text = "a" + "\u0301\u0323\u0327\u0316" * 60 + "b"
    assert normalize(text) == oracle.normalise(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u201cIt\u2019s\u201d \u2014 DONE\u2026\r\n", "it s done"),
        ("it\u00b4s", "it s"),
        ("Stra\u00dfe STRASSE STRA\u1e9eE", "strasse strasse strasse"),
        ("\u0130 \u0049\u0307 \u0131", "i\u0307 i\u0307 \u0131"),
        (
            "\u039f\u0394\u039f\u03a3 \u03bf\u03b4\u03bf\u03c2",
            "\u03bf\u03b4\u03bf\u03c3 \u03bf\u03b4\u03bf\u03c3",
        ),
        ("\u1fb4 \u03b1\u0345\u0301 \u0386\u0399", "\u03ac\u03b9 \u03ac\u03b9 \u03ac\u03b9"),
        ("\u0390 \u1fd3 \u03aa\u0301", "\u0390 \u0390 \u0390"),
        ("\ufb03 \u338f \u2163 \u00bd \u24d0\uff21 \uff8a\uff9e", "ffi kg iv 1 2 aa \u30d0"),
        (
            "\ufdfa",
            "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647 \u0648\u0633\u0644\u0645",
        ),
        ("co\u00adoperate \ufeffa\u200db", "cooperate ab"),
        ("I \u2764\ufe0f\u200d\U0001f525 NY 1\ufe0f\u20e3", "i ny 1\u20e3"),
        ("=\u0338 \u2260 ~\u0301x", "x"),
        ("\u0301a", "a"),
        ("$3.50 + 10% #tag a_b", "3 50 10 tag a b"),
        ("\0\x07 \ue000", ""),
        ("\u0664\u06f4\u0be7\u2168", "\u0664\u06f4\u0be7ix"),
    ],
)
def test_loose_by_example(text: str, expected: str) -> None:
    assert normalize(text, "loose")[0] == oracle.normalise(text, "loose")[0] == expected


def test_every_part_of_an_expanded_character_has_its_origin() -> None:
    assert normalize("x\ufb01\u0130y", "loose") == (
        "xfii\u0307y",
        [(0, 1), (1, 2), (1, 2), (2, 3), (2, 3), (3, 4)],
    )
    # The ligature's last letter composes with the mark behind it; their origin includes the soft hyphen.
    assert normalize("\ufb01\u00ad\u0301.", "loose") == ("f\u00ed", [(0, 1), (0, 3)])
    assert normalize("a(\u3231)b", "loose") == ("a 株 b", [(0, 1), (1, 3), (2, 3), (2, 4), (4, 5)])


@settings(max_examples=300, deadline=None)
@given(samples.texts())
def test_loose_ignores_case_and_canonical_and_compatibility_variants(text: str) -> None:
    expected, _ = normalize(text, "loose")
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalize(unicodedata.normalize(form, text), "loose")[0] == expected
    assert normalize("\u00ad".join(text), "loose")[0] == expected
    # Python changes the case of each character in place, also of U+0345, a mark that becomes a letter, so
    # the marks must be in canonical order first. The dotless i is replaced: its capital is that of the i.
    not_ignorable = "".join(char for char in text if char not in oracle.IGNORABLE)
    ordered = unicodedata.normalize("NFKD", not_ignorable).replace("\u0131", "i")
    expected, _ = normalize(ordered, "loose")
    for change in (str.casefold, str.lower, str.upper, str.swapcase, str.title):
        assert normalize(change(ordered), "loose")[0] == expected


@pytest.mark.parametrize("normalizer", IDEMPOTENT)
@settings(max_examples=200, deadline=None)
@given(text=samples.texts())
def test_normalising_twice_changes_nothing(normalizer: str, text: str) -> None:
    once, _ = normalize(text, normalizer)
    assert normalize(once, normalizer) == (once, [(i, i + 1) for i in range(len(once))])


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@settings(max_examples=200, deadline=None)
@given(text=samples.texts())
def test_origins_lie_in_the_text_and_never_run_backwards(normalizer: str, text: str) -> None:
    _, origins = normalize(text, normalizer)
    assert all(0 <= start < end <= len(text) for start, end in origins)
    for (start, end), (next_start, next_end) in itertools.pairwise(origins):
        assert start <= next_start <= end <= next_end


@pytest.mark.parametrize("normalizer", ["spaces", "loose"])
@settings(max_examples=200, deadline=None)
@given(text=samples.texts())
def test_the_span_of_all_origins_omits_only_text_that_becomes_nothing(normalizer: str, text: str) -> None:
    normalized, origins = normalize(text, normalizer)
    start, end = (origins[0][0], origins[-1][1]) if origins else (0, 0)
    assert normalize(text[:start], normalizer)[0] == normalize(text[end:], normalizer)[0] == ""
    assert normalize(text[start:end], normalizer)[0] == normalized


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("char", ["\u0301", "\u00ad", "\u0345", "\0", "A", "\u00df", "\ufdfa", " ", "\u1161"])
def test_a_long_run_of_one_character_is_normalised_like_a_short_one(normalizer: str, char: str) -> None:
    n = 200_000
    normalized, origins = normalize("a" + char * n, normalizer)
    short, _ = normalize("a" + char * 100, normalizer)
    assert normalized[:50] == short[:50]
    assert all(0 <= start < end <= n + 1 for start, end in origins)


@pytest.mark.parametrize("normalizer", NORMALIZERS)
def test_a_lone_surrogate_is_refused(normalizer: str) -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        normalize("añ\ud800b", normalizer)
    assert caught.value.start == 2
