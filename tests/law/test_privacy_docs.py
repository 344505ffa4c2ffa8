"""docs/privacy.md has the tables that its script prints, and the script shows what the page says."""

from __future__ import annotations

from support.benchmark_scripts import run_script
from support.places import DOCS

from portrait.disclosure import least_gap
from portrait.spec import Stride, WindowSpec

PAGE = (DOCS / "privacy.md").read_text(encoding="utf-8")


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of all rows of a text's tables."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]


def test_the_script_prints_the_tables_of_the_page() -> None:
    rows, documented = rows_of(run_script("privacy.py", "--small")), rows_of(PAGE)
    # The page has the same tables, with the numbers of the full run.
    assert [row[0] for row in rows] == [row[0] for row in documented]
    assert [len(row) for row in rows] == [len(row) for row in documented]
    dense = WindowSpec(50, Stride()), WindowSpec(50)
    sparse = [f"{spec.sampling.gap_name} {least_gap(spec)}" for spec in dense]
    for table in (rows, documented):
        rebuilt = {row[0]: row[1:] for row in table[:14]}
        # Every window is stored either way.
        assert all(int(rebuilt[name][2]) > 100 for name in ("stride 1", "span 1"))
        assert all(int(rebuilt[name][2]) < 20 for name in (*sparse, "stride 25", "span 42"))
        guessed = {row[0]: row[1:] for row in table[14:]}
        assert guessed["as a rule"] == ["0.0%", "0.0%"]
        assert guessed["with short documents recorded"][0] == "100.0%"
