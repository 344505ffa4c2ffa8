"""The columns of well-known evaluation sets, as the documentation lists them."""

from __future__ import annotations

from support.places import DOCS

from portrait.reports.evaluation_sets import BENCHMARKS, USUAL_IDS


def test_the_documentation_lists_every_benchmark() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    for name, benchmark in BENCHMARKS.items():
        columns = ", ".join(f"`{column}`" for column in benchmark.columns)
        id_column = f" `{benchmark.id_column}` " if benchmark.id_column else " "
        assert f"| `{name}` | {columns} |{id_column}|" in text
    assert ", ".join(f"`{name}`" for name in USUAL_IDS) in text
