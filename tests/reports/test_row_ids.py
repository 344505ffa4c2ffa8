"""Ids of rows: the column that the caller names, or the first usual one that every row has."""

from __future__ import annotations

import pytest

from portrait.corpus.rows import Row
from portrait.reports.evaluation_sets import USUAL_IDS
from portrait.reports.row_ids import RowIds


def rows(*values: dict[str, object]) -> list[Row]:
    """Return rows that keep these values."""
    return [Row(f"data:{i + 1}", i, "text", one) for i, one in enumerate(values)]


def test_the_caller_s_column_is_required_and_used() -> None:
    ids = RowIds("name", None)
    assert (ids.required, ids.candidates) == (("name",), ())
    assert ids.of(rows({"name": "a", "id": 1}, {"name": None, "id": 2})) == ["a", None]
    assert ids.complete


def test_an_empty_name_means_no_ids() -> None:
    ids = RowIds("", None)
    assert (ids.required, ids.candidates) == ((), ())
    assert ids.of(rows({"id": 1})) == [None]
    assert not ids.complete


def test_the_first_usual_column_that_all_rows_have_is_used() -> None:
    ids = RowIds(None, None)
    assert (ids.required, ids.candidates) == ((), USUAL_IDS)
    assert ids.of([]) == []
    assert ids.of(rows({"id": 1, "idx": 7}, {"idx": 8, "ind": 9})) == ["7", "8"]
    assert ids.of(rows({"id": 2, "idx": 0})) == ["0"]
    assert ids.complete


def test_a_benchmark_s_own_column_comes_first() -> None:
    ids = RowIds(None, "hellaswag")
    assert ids.candidates[0] == "ind"
    assert ids.of(rows({"id": 1, "ind": 2})) == ["2"]


def test_a_later_row_without_the_column_drops_it_for_all() -> None:
    ids = RowIds(None, None)
    assert ids.of(rows({"id": 1})) == ["1"]
    assert ids.of(rows({"idx": 2})) == [None]
    assert ids.of(rows({"id": 3})) == [None]
    assert not ids.complete


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), ("x" * 500, "x" * 200), ("y" * 200, "y" * 200), (1.5, "1.5")]
)
def test_an_id_is_a_short_text(value: object, shown: str) -> None:
    assert RowIds("id", None).of(rows({"id": value})) == [shown]
