"""Well-known evaluation sets: their column names are valid."""

from __future__ import annotations

import pytest

from portrait.corpus.columns import Columns
from portrait.reports.evaluation_sets import BENCHMARKS, USUAL_IDS


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_s_columns_are_valid(name: str) -> None:
    benchmark = BENCHMARKS[name]
    keep = () if benchmark.id_column is None else (benchmark.id_column,)
    assert Columns(benchmark.columns, keep).all == (*benchmark.columns, *keep)


def test_the_usual_ids_include_those_of_the_benchmarks_and_no_column_of_text() -> None:
    own = {one.id_column for one in BENCHMARKS.values()} - {None}
    assert own <= {*USUAL_IDS}
    assert not {*USUAL_IDS} & {name for one in BENCHMARKS.values() for name in one.columns}
