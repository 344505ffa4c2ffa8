"""The verdict, E-value and detectable length that ``judge`` derives from the evidence of all layers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples
from support.evidence import FPR, SPEC, STRIDE, WIDTH, ask, chain, evidence, without_words

import portrait
from portrait.answers.judge import DEFAULT_EVALUE, DEFAULT_ROW_EVALUE, require_evalue


def assert_close(actual: dict[str, Any] | None, expected: dict[str, Any] | None, threshold: float) -> None:
    """Check that two approximate matches are the same, with E-values that agree up to rounding.

    Rounding decides whether a stretch right at the threshold is reported at all, and which of two stretches
    that have different numbers of hits and misses, but nearly the same score.
    """
    if actual is None or expected is None:
        approximate = actual or expected
        assert approximate is None or approximate["evalue"] == pytest.approx(threshold, rel=1e-9)
    else:
        value, theirs = actual.pop("evalue"), expected.pop("evalue")
        assert value == pytest.approx(theirs, rel=1e-9)
        assert actual == expected or value != theirs


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.lists(samples.texts(3), min_size=1, max_size=3), min_size=1
    ),
    st.lists(samples.texts(2), min_size=1, max_size=4),
    samples.specs(max_width=6, max_gap=6),
    st.sampled_from([0.001, 0.05, 0.5]),
    st.sampled_from([1e-9, 0.01, 0.3, 5.0, 1000.0]),
    st.data(),
)
def test_an_answer_follows_the_definitions(
    sources: dict[str, list[str]],
    pieces: list[str],
    spec: portrait.WindowSpec,
    fpr: float,
    threshold: float,
    data: st.DataObject,
) -> None:
    sources = {name: [*documents, "the text of a source"] for name, documents in sources.items()}
    known = st.sampled_from([document for documents in sources.values() for document in documents])
    opened, plain, layers = samples.build(sources, spec, fpr)
    text = "".join(piece + data.draw(known) for piece in pieces)
    for question in (text, pieces[0], data.draw(known)):
        answer = opened.query(question, evalue=threshold)
        expected, actual = oracle.judge(question, plain, layers, threshold), without_words(answer)
        for ours, theirs in zip(actual["layers"], expected["layers"], strict=True):
            assert_close(ours.pop("approximate"), theirs.pop("approximate"), threshold)
        assert actual == expected
        assert [layer.source for layer in answer.layers] == sorted(sources)
    assert opened.query([text, ""]) == [opened.query(text), opened.query("")]


@pytest.mark.parametrize("windows", [1, 2, 4])
def test_a_match_counts_if_its_evalue_is_at_or_below_the_threshold(windows: int) -> None:
    value = oracle.evalue(100, 1, FPR, windows)
    at = ask(evidence(chain(0, windows)), threshold=value)
    above = ask(evidence(chain(0, windows)), threshold=math.nextafter(value, 0))
    assert (at.verdict, at.evalue) == ("found", value)
    assert (above.verdict, above.evalue) == ("not_found", value)
    assert at.detectable_length is not None
    assert above.detectable_length == at.detectable_length + STRIDE


@pytest.mark.parametrize("units", [0, 9, 10, 27, 28, 29, 30, 100])
def test_only_a_text_as_long_as_its_detectable_length_is_judged_absent(units: int) -> None:
    answer = ask(evidence(units=units))
    length = answer.detectable_length
    assert length is not None
    assert answer.verdict == ("not_found" if units >= length else "inconclusive")
    assert answer.layers[0].verdict == answer.verdict


def test_the_length_that_a_short_text_must_have_does_not_depend_on_the_text() -> None:
    verdicts = {units: ask(evidence(units=units)) for units in range(100)}
    inconclusive = {one.detectable_length for one in verdicts.values() if one.verdict == "inconclusive"}
    (needed,) = inconclusive
    assert needed == min(units for units, one in verdicts.items() if one.verdict == "not_found")


def test_a_text_shorter_than_a_window_has_no_evidence_and_still_says_what_length_would_do() -> None:
    answer = ask(evidence(units=WIDTH - 1))
    assert (answer.verdict, answer.evalue, answer.layers[0].windows) == ("inconclusive", None, 0)
    assert (answer.layers[0].hit_rate, answer.expected_by_chance) == (0.0, 0.0)
    assert answer.detectable_length == ask(evidence(units=WIDTH)).detectable_length


def test_chance_is_expected_to_find_the_shortest_significant_chains() -> None:
    # 200 windows in each of three layers at 1 %: 3·200·ε³ = 6e-4 is within 0.01, 3·200·ε² is not. Each
    # layer then shows 200·ε³ = 2e-4 such chains by chance.
    answer = ask(*(evidence(fpr=0.01, units=209, source=name) for name in "abc"))
    assert answer.expected_by_chance == pytest.approx(6e-4)
    assert ask(evidence(fpr=0.5, units=20), threshold=1000).expected_by_chance == 1.0


def test_portraits_that_cut_text_differently_answer_each_for_itself() -> None:
    words = portrait.WindowSpec(3, portrait.Stride(2), "word")
    chars = evidence(chain(0, 4), source="a")
    # The same text is 20 words for another portrait.
    other = replace(
        evidence(units=109, source="b"), portrait="other", spec=words, units=20, windows=18, number=1
    )
    alone, together = ask(chars), ask(chars, other)
    assert together.layers[0] == alone.layers[0]
    assert replace(together.layers[1], number=0) == ask(replace(other, number=0)).layers[0]
    assert [(one.portrait, one.units, one.counting) for one in together.portraits] == [
        ("pile", 109, "characters, runs of white space counted as one"),
        ("other", 20, "words"),
    ]
    assert together.portraits[0].detectable_length == alone.detectable_length
    assert together.verdict == "found"
    # No single number could count both characters and words.
    assert together.detectable_length is None


def test_widths_that_count_alike_have_one_detectable_length() -> None:
    wide = portrait.WindowSpec(20, portrait.Stride(10))
    other = replace(evidence(source="b"), portrait="other", spec=wide, windows=90, number=1)
    answer = ask(evidence(), other)
    lengths = [one.detectable_length for one in answer.portraits]
    assert lengths[0] != lengths[1]
    assert answer.detectable_length == max(length or 0 for length in lengths)


def test_nothing_is_excluded_unless_every_portrait_excludes_it() -> None:
    words = portrait.WindowSpec(3, portrait.Stride(2), "word")
    short = replace(evidence(source="b"), portrait="other", spec=words, units=2, windows=0, number=1)
    answer = ask(evidence(), short)
    assert [one.verdict for one in answer.portraits] == ["not_found", "inconclusive"]
    assert answer.verdict == "inconclusive"
    assert answer.reason == (
        "pile: no passage of 29 characters or more (runs of white space counted as one) appears verbatim in "
        "the corpus; other: the text has 2 words; only a copy of 8 or more can be told from chance"
    )
    full = replace(short, units=20, windows=18)
    assert ask(evidence(), full).verdict == "not_found"


def test_the_shortest_conclusive_text_is_exactly_as_long_as_its_detectable_length() -> None:
    verdicts = {units: ask(evidence(units=units)) for units in range(100)}
    first = next(units for units, answer in verdicts.items() if answer.verdict == "not_found")
    assert verdicts[first].detectable_length == first
    assert all(verdicts[units].verdict == "inconclusive" for units in range(first))


def test_evalues_are_multiplied_by_the_number_of_layers() -> None:
    one = ask(evidence(chain(0, 4), source="a"))
    three = ask(evidence(chain(0, 4), source="a"), evidence(source="b"), evidence(source="c"))
    assert one.layers[0].evalue == oracle.evalue(100, 1, FPR, 4)
    assert three.layers[0].evalue == oracle.evalue(100, 3, FPR, 4)
    assert (one.verdict, three.verdict) == ("found", "not_found")
    assert [layer.evalue for layer in three.layers[1:]] == [None, None]


def test_a_text_is_found_if_any_layer_holds_it_and_absent_only_if_all_agree() -> None:
    sure, unsure = evidence(fpr=1e-9, units=30, source="sure"), evidence(fpr=0.5, units=30, source="unsure")
    holding = evidence(chain(0, 3), fpr=1e-9, units=30, source="holding")
    assert ask(sure, sure).verdict == "not_found"
    mixed = ask(sure, unsure)
    assert [layer.verdict for layer in mixed.layers] == ["not_found", "inconclusive"]
    assert mixed.verdict == "inconclusive"
    assert mixed.detectable_length == max(ask(one, one).detectable_length or 0 for one in (sure, unsure))
    combined = ask(unsure, holding)
    assert [layer.verdict for layer in combined.layers] == ["inconclusive", "found"]
    assert combined.verdict == "found"
    assert combined.evalue == combined.layers[1].evalue


def test_one_hit_is_proof_if_the_filter_never_errs() -> None:
    answer = ask(evidence(chain(7, 1), fpr=0.0))
    assert (answer.verdict, answer.evalue) == ("found", 0.0)
    assert answer.detectable_length == WIDTH + STRIDE - 1
    assert ask(evidence(fpr=0.0, units=WIDTH + STRIDE - 1)).verdict == "not_found"
    assert ask(evidence(fpr=0.0, units=WIDTH + STRIDE - 2)).verdict == "inconclusive"


def test_a_filter_that_says_yes_to_everything_proves_nothing() -> None:
    full = evidence(chain(0, 19), fpr=1.0, source="full")
    answer = ask(full)
    assert (answer.verdict, answer.detectable_length) == ("inconclusive", None)
    assert answer.layers[0].matches == ()
    assert (answer.evalue, answer.expected_by_chance) == (100, 0.0)
    # Another layer can still confirm what it holds, but no answer can exclude a copy.
    with_another = ask(full, evidence(chain(0, 19), fpr=0.01, source="good"))
    assert (with_another.verdict, with_another.detectable_length) == ("found", None)
    assert ask(full, evidence(fpr=0.01, source="good")).verdict == "inconclusive"


def test_coverage_counts_characters_once_over_all_layers() -> None:
    answer = ask(
        evidence(chain(0, 4), chain(50, 4), fpr=0.01, source="a"),
        evidence(chain(10, 5), fpr=0.01, source="b"),
    )
    assert answer.coverage == (40 + 25) / 109
    assert answer.longest_match == 30
    assert [(layer.source, match.start) for layer, match in answer.matches] == [
        ("a", 0),
        ("b", 10),
        ("a", 50),
    ]


def test_a_match_within_another_covers_nothing_more() -> None:
    answer = ask(
        evidence(chain(0, 18), fpr=0.01, source="a"),
        evidence(chain(10, 5), chain(60, 4), fpr=0.01, source="b"),
    )
    assert answer.coverage == 95 / 109
    assert answer.longest_match == 95


def test_nothing_is_covered_where_nothing_matches() -> None:
    answer = ask(evidence())
    assert (answer.coverage, answer.longest_match) == (0.0, 0)


def test_an_exact_document_in_any_layer_is_reported() -> None:
    assert not ask(evidence(source="a"), evidence(source="b")).exact_document
    assert ask(evidence(source="a"), evidence(source="b", document=True)).exact_document


def test_whether_a_document_is_there_is_unknown_if_some_layer_cannot_tell() -> None:
    unknown = evidence(source="a", units=7, document=None)
    assert ask(unknown).exact_document is None
    assert ask(unknown, evidence(source="b", units=7)).exact_document is None
    assert ask(unknown, evidence(source="b", units=7, document=True)).exact_document is True
    assert "no key of documents shorter than a window was stored" in ask(unknown).reason
    assert "no key of" not in ask(evidence(document=None)).reason
    assert "no key of" not in ask(evidence(units=7)).reason


def test_a_repeated_window_counts_only_once_as_evidence() -> None:
    answer = ask(evidence(chain(0, 19, distinct=2)))
    assert answer.verdict == "inconclusive"
    assert answer.matches == ()
    assert "repeats itself" in answer.reason
    assert answer.evalue == pytest.approx(100 * FPR**2)
    among_others = ask(evidence(chain(0, 19, distinct=2), chain(50, 9, distinct=5)))
    assert among_others.verdict == "found"
    assert [match.windows for _, match in among_others.matches] == [5]


def test_the_length_of_a_chain_decides_between_inconclusive_and_absent() -> None:
    # With 100 windows, four in a row are significant: repeated ones may be a copy, three are nothing.
    shortest = oracle.significant_chain(100, 1, FPR, 0.01)
    assert shortest == 4
    assert ask(evidence(chain(0, 4))).verdict == "found"
    for distinct in (1, 2, 3):
        assert ask(evidence(chain(0, 4, distinct=distinct))).verdict == "inconclusive"
        assert ask(evidence(chain(0, 3, distinct=distinct))).verdict == "not_found"
    assert ask(evidence(chain(0, 3), chain(50, 4, distinct=1))).verdict == "inconclusive"


def test_a_repetitive_text_from_the_corpus_is_never_called_absent() -> None:
    row = "=" * 400
    opened = samples.build({"main": [row, "prose of another kind, and of no great length"]}, SPEC).portrait
    answer = opened.query(f"a line {row} of signs")
    assert answer.verdict == "inconclusive"
    assert answer.layers[0].hits > 300


def test_an_invalid_threshold_names_the_parameter() -> None:
    assert (require_evalue(DEFAULT_EVALUE), require_evalue(DEFAULT_ROW_EVALUE)) == (0.01, 1e-5)
    assert require_evalue(1e6) == 1e6
    assert require_evalue(5e-324) == 5e-324
    for value in (1e6 + 0.5, 0, -0.5, math.nan, True, "1", None):
        with pytest.raises(portrait.SpecError):
            require_evalue(value)  # type: ignore[arg-type]
    with pytest.raises(portrait.SpecError, match="E-value threshold must be a positive number") as caught:
        require_evalue(1e7)
    assert caught.value.parameter == "evalue"
