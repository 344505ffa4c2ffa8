"""Which column names rows, chunk by chunk."""

from __future__ import annotations

from typing import Any

import pytest

from portrait.corpus.rows import Row
from portrait.reports.row_ids import MAX_ID_CHARS, RowIds


def rows(*values: dict[str, Any]) -> list[Row]:
    return [Row(f"data:{i}", i, "text", value) for i, value in enumerate(values)]


def test_the_first_usual_column_that_the_first_rows_share_is_chosen() -> None:
    ids = RowIds(None, None)
    assert ids.of(rows({"task_id": 1, "id": "a"}, {"id": "b"})) == ["a", "b"]
    assert ids.of(rows({"task_id": 3, "id": "c"})) == ["c"]
    assert ids.complete


def test_the_column_of_a_benchmark_comes_first() -> None:
    assert RowIds(None, "hellaswag").of(rows({"id": 1, "ind": 2})) == ["2"]
    assert RowIds(None, None).candidates[0] == "task_id"


def test_a_later_row_without_the_column_leaves_all_rows_unnamed() -> None:
    ids = RowIds(None, None)
    assert ids.of(rows({"id": "a"})) == ["a"]
    assert ids.of(rows({"id": "b"}, {})) == [None, None]
    assert not ids.complete
    assert ids.of(rows({"id": "c"})) == [None]


def test_no_rows_choose_no_column() -> None:
    ids = RowIds(None, None)
    assert ids.of([]) == []
    assert ids.of(rows({"idx": 0})) == ["0"]


@pytest.mark.parametrize(("column", "required", "expected"), [("n", ("n",), "1"), ("", (), None)])
def test_the_caller_s_choice_is_final(column: str, required: tuple[str, ...], expected: str | None) -> None:
    ids = RowIds(column, "arc")
    assert (ids.required, ids.candidates) == (required, ())
    assert ids.of(rows({"n": 1, "id": "a"})) == [expected]


def test_nulls_name_nothing_and_long_ids_are_cut() -> None:
    assert RowIds(None, None).of(rows({"id": None}, {"id": "x" * 999})) == [None, "x" * MAX_ID_CHARS]
