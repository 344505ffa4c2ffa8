from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle, samples

import portrait
from portrait.answers.judge import LayerEvidence, judge
from portrait.answers.scan import Chain, LayerScan, Stretch

if TYPE_CHECKING:
    from portrait.answers.answer import Answer

WIDTH, STRIDE = 10, 5
#: Of the 100 windows of a text of 109 characters, four in a row are needed at the default threshold.
FPR = 0.09
SPEC = portrait.WindowSpec(WIDTH, STRIDE)


def chain(window: int, windows: int, distinct: int | None = None) -> Chain:
    """A chain in a text that normalising left as it was."""
    end = window + (windows - 1) * STRIDE + WIDTH
    return Chain(window, windows, windows if distinct is None else distinct, window, end)


def evidence(
    *chains: Chain,
    fpr: float = FPR,
    units: int = 109,
    source: str = "main",
    document: bool = False,
    stretch: Stretch | None = None,
) -> LayerEvidence:
    windows = max(0, units - WIDTH + 1)
    scan = LayerScan(
        sum(one.windows for one in chains),
        document,
        max((one.windows for one in chains), default=0),
        max((one.distinct for one in chains), default=0),
        stretch,
        lambda n_distinct: [one for one in chains if one.distinct >= n_distinct],
    )
    return LayerEvidence("pile", source, SPEC, fpr, units, windows, scan)


def ask(*layers: LayerEvidence, threshold: float = 0.01) -> Answer:
    return judge("x" * layers[0].units, layers, threshold)


def without_words(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object, as the oracle gives it."""
    result = answer.to_dict()
    del result["reason"]
    for layer in result["layers"]:
        del layer["portrait"], layer["source"]
    return result


def assert_alike(found: dict[str, Any] | None, expected: dict[str, Any] | None, threshold: float) -> None:
    """Where several stretches are equally good, and where one is just good enough, roundings decide."""
    if found is None or expected is None:
        one = found or expected
        assert one is None or one["evalue"] == pytest.approx(threshold, rel=1e-9)
    else:
        assert found["evalue"] == pytest.approx(expected["evalue"], rel=1e-9)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.lists(samples.texts(3), min_size=1, max_size=3), min_size=1
    ),
    st.lists(samples.texts(2), min_size=1, max_size=4),
    samples.specs(max_width=6, max_stride=6),
    st.sampled_from([0.001, 0.05, 0.5]),
    st.sampled_from([1e-9, 0.01, 0.3, 5.0, 1000.0]),
    st.data(),
)
def test_the_answer_is_that_of_the_definitions(
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
    for asked in (text, pieces[0], data.draw(known)):
        answer = opened.query(asked, evalue=threshold)
        expected, found = oracle.judge(asked, plain, layers, threshold), without_words(answer)
        for ours, theirs in zip(found["layers"], expected["layers"], strict=True):
            assert_alike(ours.pop("approximate"), theirs.pop("approximate"), threshold)
        assert found == expected
        assert [layer.source for layer in answer.layers] == sorted(sources)
    assert opened.query([text, ""]) == [opened.query(text), opened.query("")]


@st.composite
def found_chains(draw: st.DrawFn, units: int) -> list[Chain]:
    windows = units - WIDTH + 1
    starts = sorted(draw(st.sets(st.integers(0, windows - 1), max_size=8)))
    longest = [(windows - 1 - start) // STRIDE + 1 for start in starts]
    return [chain(s, draw(st.integers(1, n))) for s, n in zip(starts, longest, strict=True)]


@settings(max_examples=200, deadline=None)
@given(found_chains(109), st.sampled_from([1e-6, 0.01, 1.0, 100.0]))
def test_matches_are_the_unions_of_overlapping_significant_chains(
    chains: list[Chain], threshold: float
) -> None:
    plain = samples.plain(SPEC)
    answer = ask(evidence(*chains), threshold=threshold)
    least = oracle.significant_chain(100, 1, FPR, threshold)
    assert least is not None
    groups = oracle.matches([oracle.Chain(*one) for one in chains if one.windows >= least], plain)
    found = [(match.start, match.end, match.windows, match.evalue) for match in answer.layers[0].matches]
    assert found == [
        (
            min(one.start for one in group),
            max(one.end for one in group),
            best := max(one.windows for one in group),
            oracle.evalue(100, 1, FPR, best),
        )
        for group in groups
    ]


def test_chains_that_only_touch_are_two_matches() -> None:
    touching = ask(evidence(chain(0, 4), chain(25, 4)))
    assert [(match.start, match.end) for match in touching.layers[0].matches] == [(0, 25), (25, 50)]
    overlapping = ask(evidence(chain(0, 4), chain(24, 5)))
    (match,) = overlapping.layers[0].matches
    assert (match.start, match.end, match.windows) == (0, 54, 5)


def test_an_insignificant_chain_is_no_bridge_and_adds_nothing() -> None:
    answer = ask(evidence(chain(0, 4), chain(21, 2), chain(33, 4)))
    assert [(match.start, match.end) for match in answer.layers[0].matches] == [(0, 25), (33, 58)]


def test_a_long_chain_bridges_those_it_overlaps() -> None:
    answer = ask(evidence(chain(0, 9), chain(3, 4), chain(41, 4)))
    assert [(match.start, match.end) for match in answer.layers[0].matches] == [(0, 66)]


@pytest.mark.parametrize("windows", [1, 2, 4])
def test_an_evalue_at_the_threshold_is_found_and_one_above_is_not(windows: int) -> None:
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


def test_the_text_is_found_where_any_layer_holds_it_and_absent_only_where_all_agree() -> None:
    sure, unsure = evidence(fpr=1e-9, units=30, source="sure"), evidence(fpr=0.5, units=30, source="unsure")
    holding = evidence(chain(0, 3), fpr=1e-9, units=30, source="holding")
    assert ask(sure, sure).verdict == "not_found"
    mixed = ask(sure, unsure)
    assert [layer.verdict for layer in mixed.layers] == ["not_found", "inconclusive"]
    assert mixed.verdict == "inconclusive"
    assert mixed.detectable_length == max(ask(one, one).detectable_length or 0 for one in (sure, unsure))
    found = ask(unsure, holding)
    assert [layer.verdict for layer in found.layers] == ["inconclusive", "found"]
    assert found.verdict == "found"
    assert found.evalue == found.layers[1].evalue


def test_one_hit_proves_all_where_the_filter_never_errs() -> None:
    answer = ask(evidence(chain(7, 1), fpr=0.0))
    assert (answer.verdict, answer.evalue) == ("found", 0.0)
    assert answer.detectable_length == WIDTH + STRIDE - 1
    assert ask(evidence(fpr=0.0, units=WIDTH + STRIDE - 1)).verdict == "not_found"
    assert ask(evidence(fpr=0.0, units=WIDTH + STRIDE - 2)).verdict == "inconclusive"


def test_nothing_is_proven_where_the_filter_says_yes_to_everything() -> None:
    full = evidence(chain(0, 19), fpr=1.0, source="full")
    answer = ask(full)
    assert (answer.verdict, answer.detectable_length) == ("inconclusive", None)
    assert answer.layers[0].matches == ()
    assert answer.evalue == 100
    # Another layer still can be sure of what it holds, but absence is beyond all of them.
    beside = ask(full, evidence(chain(0, 19), fpr=0.01, source="good"))
    assert (beside.verdict, beside.detectable_length) == ("found", None)
    assert ask(full, evidence(fpr=0.01, source="good")).verdict == "inconclusive"


@pytest.mark.parametrize("short_of_one", [2.0**-53, 1e-13])
def test_a_filter_that_is_all_but_full_is_judged_in_finite_time(short_of_one: float) -> None:
    # In a process of its own, so that stepping through 10^14 chains one by one can be cut short.
    call = f"significant_chain(100, 1, 1 - {short_of_one!r}, 0.01)"
    script = f"from portrait.evidence import significant_chain; print({call})"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, timeout=5, check=True)
    exact = math.log(100 / 0.01) / -math.log1p(-(1 - (1 - short_of_one)))
    assert float(done.stdout) == pytest.approx(exact, rel=1e-9)


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


def test_an_exact_document_of_any_layer_is_one_of_the_answer() -> None:
    assert not ask(evidence(source="a"), evidence(source="b")).exact_document
    assert ask(evidence(source="a"), evidence(source="b", document=True)).exact_document


def test_hit_rate_is_hits_per_window_tested() -> None:
    assert ask(evidence(chain(0, 4), chain(50, 1))).layers[0].hit_rate == 5 / 100
    assert ask(evidence(units=3)).layers[0].hit_rate == 0.0


def test_an_answer_has_the_same_members_everywhere() -> None:
    opened = samples.build({"a": ["it was the best of times"], "b": ["天地玄黃"]}, portrait.WindowSpec(8, 4))
    answer = opened.portrait.query("why,  it was the best of times!")
    result = answer.to_dict()
    assert list(result) == [
        "verdict",
        "reason",
        "evalue",
        "detectable_length",
        "coverage",
        "longest_match",
        "exact_document",
        "layers",
    ]
    for layer in result["layers"]:
        assert list(layer) == [
            "portrait",
            "source",
            "verdict",
            "windows",
            "hits",
            "hit_rate",
            "fpr",
            "evalue",
            "matches",
            "approximate",
        ]
    assert [layer["source"] for layer in result["layers"]] == ["a", "b"]
    assert {layer["portrait"] for layer in result["layers"]} == {"sample"}
    (match,) = result["layers"][0]["matches"]
    assert list(match) == ["start", "end", "windows", "evalue"]
    assert (match["start"], match["end"], match["windows"]) == (6, 30, 5)
    assert result["reason"]
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_several_portraits_give_one_answer_that_counts_all_their_layers() -> None:
    one = samples.build({"a": ["it was the best of times"]}, portrait.WindowSpec(8, 4))
    other = samples.build({"b": ["天地玄黃"], "c": ["宇宙洪荒"]}, portrait.WindowSpec(8, 4))
    text = "it was the best of times"
    answer = portrait.query([one.portrait, other.portrait], text)
    assert [layer.source for layer in answer.layers] == ["a", "b", "c"]
    assert without_words(answer) == oracle.judge(text, one.spec, one.layers + other.layers, 0.01)


def test_no_portraits_at_all_is_a_named_error() -> None:
    with pytest.raises(portrait.PortraitError):
        portrait.query([], "a text")


@pytest.mark.parametrize("value", [0, 0.0, -1.0, math.nan, math.inf, -math.inf, True, "0.01", None])
def test_the_threshold_is_a_positive_number(value: Any) -> None:
    opened = samples.build({"main": ["text"]}, portrait.WindowSpec()).portrait
    with pytest.raises(portrait.SpecError, match="E-value threshold must be a positive number"):
        opened.query("text", evalue=value)


@pytest.mark.parametrize("value", [5e-324, 1, 1e6])
def test_thresholds_of_all_sizes_up_to_a_million_are_taken(value: float) -> None:
    opened = samples.build({"main": ["some text"]}, portrait.WindowSpec(4, 2)).portrait
    assert opened.query("some text", evalue=value).detectable_length


@pytest.mark.parametrize("text", [None, 1, b"bytes"])
def test_a_text_is_a_string(text: Any) -> None:
    opened = samples.build({"main": ["text"]}, portrait.WindowSpec()).portrait
    with pytest.raises(TypeError, match="a text is a str"):
        opened.query([text])


def test_a_window_that_repeats_is_no_more_evidence_than_one() -> None:
    answer = ask(evidence(chain(0, 19, distinct=2)))
    assert answer.verdict == "inconclusive"
    assert answer.matches == ()
    assert "repeats itself" in answer.reason
    assert answer.evalue == pytest.approx(100 * FPR**2)
    among_others = ask(evidence(chain(0, 19, distinct=2), chain(50, 9, distinct=5)))
    assert among_others.verdict == "found"
    assert [match.windows for _, match in among_others.matches] == [5]


def test_repetition_in_the_corpus_is_never_denied() -> None:
    row = "=" * 400
    opened = samples.build({"main": [row, "prose of another kind, and of no great length"]}, SPEC).portrait
    answer = opened.query(f"a line {row} of signs")
    assert answer.verdict == "inconclusive"
    assert answer.layers[0].hits > 300


def test_an_edited_copy_is_told_but_not_called_found() -> None:
    stretch = Stretch(10, 12, 8, 30.0, 10, 75)
    answer = ask(evidence(chain(10, 2), stretch=stretch, source="a"), evidence(source="b"))
    assert answer.verdict == "not_found"
    assert answer.layers[0].approximate == portrait.Approximate(10, 75, 12, 8, 2 * 2 * 100 * math.exp(-30))
    assert answer.layers[1].approximate is None
    assert "8 of 12 windows of characters 10-75" in answer.reason
    weak = ask(evidence(chain(10, 2), stretch=stretch._replace(score=9.0)))
    assert weak.layers[0].approximate is None
    assert "windows of characters" not in weak.reason


def edited(text: str, share: float, rng: random.Random) -> str:
    """``text`` with this share of its characters replaced by others."""
    return "".join(rng.choice("xyz") if rng.random() < share else char for char in text)


def test_a_copy_with_edits_is_noticed_where_chains_break() -> None:
    rng = random.Random(5)
    words = ["ferry", "harbour", "lantern", "quay", "herring", "ledger", "winter", "pilot", "rope", "tide"]
    document = " ".join(rng.choice(words) + str(rng.randrange(100)) for _ in range(2000))
    opened = samples.build({"main": [document]}, portrait.WindowSpec(50, 25)).portrait
    copies = [edited(document[i : i + 1500], 0.03, rng) for i in range(0, 9000, 300)]
    answers = [opened.query(copy) for copy in copies]
    noticed = sum(answer.layers[0].approximate is not None for answer in answers)
    assert noticed >= 0.9 * len(copies)
    assert noticed > sum(answer.verdict == "found" for answer in answers)
    others = [edited(document[i : i + 1500][::-1], 0.03, rng) for i in range(0, 9000, 300)]
    assert all(opened.query(other).layers[0].approximate is None for other in others)
