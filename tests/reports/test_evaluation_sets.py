"""Well-known evaluation sets: their column names are valid, and the documentation lists them."""

from __future__ import annotations

import pytest
from support.places import DOCS

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


def test_the_documentation_lists_every_benchmark() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    for name, benchmark in BENCHMARKS.items():
        columns = ", ".join(f"`{column}`" for column in benchmark.columns)
        id_column = f" `{benchmark.id_column}` " if benchmark.id_column else " "
        assert f"| `{name}` | {columns} |{id_column}|" in text
    assert ", ".join(f"`{name}`" for name in USUAL_IDS) in text
