"""Findings that are counted row by row agree with a count over all rows."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.answers.answer import Answer
from portrait.answers.layer_answer import LayerAnswer
from portrait.answers.matches import Approximate, Match
from portrait.errors import SpecError
from portrait.reports.findings import ColumnSpan, ReportRow
from portrait.reports.statistics import Spread
from portrait.reports.tally import Tally, covered_chars
from portrait.spec import Stride, WindowSpec

if TYPE_CHECKING:
    from portrait.answers.verdict import Verdict

SOURCES = [("one", "web"), ("one", "books"), ("two", "web")]
PORTRAITS = [("one", WindowSpec()), ("two", WindowSpec(13, Stride(1), "word"))]


def layer(
    source: tuple[str, str], matches: list[tuple[int, int]], verdict: Verdict, detectable: int | None
) -> LayerAnswer:
    """Return the answer of a layer that holds these spans."""
    number = [name for name, _ in PORTRAITS].index(source[0])
    return LayerAnswer(
        portrait=source[0],
        source=source[1],
        spec=PORTRAITS[number][1],
        verdict="found" if matches else verdict,
        units=100,
        windows=200,
        hits=3 * len(matches),
        fpr=0.01,
        evalue=1e-6 if matches else None,
        detectable_length=detectable,
        expected_by_chance=2e-4,
        matches=tuple(Match(start, end, 4, 1e-6) for start, end in matches),
        number=number,
    )


def row_of(
    number: int, matches: list[list[tuple[int, int]]], verdict: Verdict = "not_found", exact: bool = False
) -> ReportRow:
    """Return a row of 100 characters: a question of 60, a line break, an answer of 39."""
    spans = [span for spans_of_layer in matches for span in spans_of_layer]
    inside = {i for start, end in spans for i in range(start, end)}
    answer = Answer(
        verdict="found" if spans else verdict,
        evalue=1e-6 if spans else None,
        detectable_length=None,
        coverage=len(inside) / 100,
        longest_match=max((end - start for start, end in spans), default=0),
        exact_document=exact,
        layers=tuple(
            layer(source, spans_of_layer, verdict, 124 + 25 * (number % 3) if source[0] == "one" else 13)
            for source, spans_of_layer in zip(SOURCES, matches, strict=True)
        ),
    )
    columns = (ColumnSpan("question", 0, 60), ColumnSpan("answer", 61, 100))
    return ReportRow(number, f"data.jsonl:{number}", None, "x" * 100, columns, answer)


def tally(rows: list[ReportRow], worst: int = 100) -> Tally:
    """Return the tally of these rows."""
    result = Tally(SOURCES, PORTRAITS, ["question", "answer"], worst)
    for row in rows:
        result.add(row)
    return result


NOTHING: list[list[tuple[int, int]]] = [[], [], []]


def test_verdicts_sources_and_columns_are_counted() -> None:
    findings = tally(
        [
            row_of(1, [[(0, 60)], [], []]),
            row_of(2, [[(10, 50)], [], [(55, 100)]]),
            row_of(3, [[], [], [(70, 80)]]),
            row_of(4, NOTHING),
            row_of(5, NOTHING, "inconclusive", exact=True),
        ]
    ).findings()
    totals = findings.totals
    assert (totals.rows, totals.found.count, totals.not_found.count, totals.inconclusive.count) == (
        5,
        3,
        1,
        1,
    )
    assert totals.exact_documents.count == 1
    assert totals.found.total == 5
    assert findings.verdicts == b"fffni"
    assert [(one.portrait, one.source, one.found.count) for one in findings.sources] == [
        ("one", "web", 2),
        ("one", "books", 0),
        ("two", "web", 2),
    ]
    question, answer = findings.columns
    assert (question.column, question.touched.count, question.mostly.count) == ("question", 2, 2)
    assert (answer.column, answer.touched.count, answer.mostly.count) == ("answer", 2, 1)
    assert question.touched.total == 3
    assert findings.coverage.counts == (0, 1, 0, 0, 0, 0, 1, 0, 1, 0)
    one, two = findings.portraits
    assert (one.portrait, two.portrait) == ("one", "two")
    assert [share.count for share in (one.found, one.not_found, one.inconclusive)] == [2, 2, 1]
    assert [share.count for share in (two.found, two.not_found, two.inconclusive)] == [2, 2, 1]
    assert (one.detectable_length, two.detectable_length) == (Spread(124, 149, 174), Spread(13, 13, 13))


@pytest.mark.parametrize(
    ("match", "touched", "mostly"), [((0, 30), 1, 1), ((0, 29), 1, 0), ((59, 60), 1, 0), ((61, 100), 0, 0)]
)
def test_a_column_is_mostly_covered_from_half_of_its_characters_on(
    match: tuple[int, int], touched: int, mostly: int
) -> None:
    question, _ = tally([row_of(1, [[match], [], []])]).findings().columns
    assert (question.touched.count, question.mostly.count) == (touched, mostly)


def test_a_column_of_one_character_can_be_covered_and_an_empty_one_cannot() -> None:
    row = row_of(1, [[(0, 100)], [], []])
    row = replace(row, columns=(ColumnSpan("question", 0, 1), ColumnSpan("answer", 2, 2)))
    question, answer = tally([row]).findings().columns
    assert (question.touched.count, question.mostly.count) == (1, 1)
    assert (answer.touched.count, answer.mostly.count) == (0, 0)


def test_the_first_row_is_counted_like_any_other() -> None:
    findings = tally([row_of(1, [[(0, 60)], [], []])]).findings()
    assert (findings.totals.rows, findings.totals.found.count, findings.totals.found.total) == (1, 1, 1)
    assert findings.totals.expected_by_chance == pytest.approx(6e-4)
    assert findings.verdicts == b"f"
    assert [one.found.count for one in findings.sources] == [1, 0, 0]
    assert sum(findings.coverage.counts) == sum(findings.longest_match.counts) == 1
    assert findings.portraits[0].detectable_length == Spread(149, 149, 149)
    assert [one.found.count for one in findings.portraits] == [1, 0]
    assert [row.number for row in findings.worst] == [1]


def test_edited_copies_are_counted_if_nothing_was_found() -> None:
    edited = Approximate(0, 100, 4, 2, 1e-4)

    def approximately(row: ReportRow) -> ReportRow:
        layers = (replace(row.answer.layers[0], approximate=edited), *row.answer.layers[1:])
        return replace(row, answer=replace(row.answer, layers=layers))

    rows = [row_of(1, NOTHING), row_of(2, [[(0, 60)], [], []]), row_of(3, NOTHING, "inconclusive")]
    assert tally(rows).findings().totals.edited.count == 0
    assert tally([approximately(row) for row in rows]).findings().totals.edited.count == 2


def test_the_rows_that_chance_finds_are_added() -> None:
    row = row_of(1, NOTHING)
    assert row.answer.expected_by_chance == pytest.approx(6e-4)
    assert tally([row] * 50).findings().totals.expected_by_chance == pytest.approx(0.03)


def test_the_worst_rows_are_sorted_by_coverage_then_length_then_number() -> None:
    rows = [
        row_of(1, [[(0, 20)], [], []]),
        row_of(2, [[(0, 10), (30, 40)], [], []]),
        row_of(3, [[(50, 70)], [], []]),
        row_of(4, [[(0, 90)], [], []]),
        row_of(5, NOTHING),
    ]
    assert [row.number for row in tally(rows).findings().worst] == [4, 1, 3, 2]
    assert [row.number for row in tally(rows, worst=2).findings().worst] == [4, 1]
    assert tally(rows, worst=0).findings().worst == ()


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 99)), max_size=60), st.integers(0, 70))
def test_the_worst_are_those_that_sorting_all_rows_gives(spans: list[tuple[int, int]], worst: int) -> None:
    rows = [row_of(i, [[(a, min(100, a + n))], [], []]) for i, (a, n) in enumerate(spans, 1)]
    ordered = sorted(rows, key=lambda row: (-row.answer.coverage, -row.answer.longest_match, row.number))
    shuffled = random.Random(1).sample(rows, len(rows))
    assert list(tally(shuffled, worst).findings().worst) == ordered[:worst]


@given(st.integers(0, 30), st.integers(0, 30), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_covered_characters_are_counted_once(start: int, length: int, spans: list[tuple[int, int]]) -> None:
    sound = sorted((a, a + n) for a, n in spans)
    inside = {i for a, b in sound for i in range(a, b)} & set(range(start, start + length))
    assert covered_chars(ColumnSpan("c", start, start + length), sound) == len(inside)


def test_without_rows_there_are_no_shares() -> None:
    findings = tally([]).findings()
    assert findings.totals.rows == 0
    assert findings.totals.found.share is None
    assert [one.detectable_length for one in findings.portraits] == [None, None]
    assert (findings.worst, findings.verdicts) == ((), b"")


@pytest.mark.parametrize("worst", [-1, 1.5, True, "10"])
def test_an_invalid_number_of_worst_rows_is_refused(worst: object) -> None:
    with pytest.raises(SpecError, match="the number of worst rows must be 0 or more"):
        Tally(SOURCES, PORTRAITS, ["question"], worst)  # type: ignore[arg-type]
