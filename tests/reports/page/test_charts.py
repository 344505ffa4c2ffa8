"""Charts: every drawing has a text, and a table of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.evaluation import COLUMNS, ROWS, built, write_jsonl
from support.html_page import Page, check

import portrait
from portrait.reports.page.charts import histogram_chart, proportions
from portrait.reports.statistics import Histogram

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("known"))


@pytest.fixture(scope="module")
def page(known: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    data = write_jsonl(tmp_path_factory.mktemp("data") / "data.jsonl", ROWS)
    return portrait.report(
        known, data, columns=COLUMNS, date="2024-02-29", command="portrait report x"
    ).to_html()


def test_every_drawing_has_its_text_or_is_left_to_the_figures_beside_it(page: str) -> None:
    found = check(page)
    ids = {attributes.get("id") for _, attributes in found.elements}
    drawings = found.all("svg")
    assert len(drawings) == 3
    for one in drawings:
        if one.get("aria-hidden") == "true":
            continue
        assert one["role"] == "img"
        assert set((one["aria-labelledby"] or "").split()) <= ids
    assert len(found.all("details")) == 2


def test_the_numbers_of_a_chart_stand_in_its_table() -> None:
    histogram = Histogram((0, 10, 20), (12_345, 1))
    chart = histogram_chart("name", "A title", "Lengths", histogram, lambda edge: f"{edge:g}")
    text = Page(chart).text
    assert "0 to 10: 12,345; 10 to 20: 1" in text
    assert "12k" in text


def test_a_chart_of_nothing_is_a_sentence() -> None:
    assert "No rows." in Page(histogram_chart("name", "A title", "Lengths", Histogram((), ()), str)).text


def test_proportions_fill_the_bar() -> None:
    widths = [
        float(str(one["width"])) for one in Page(proportions([("a", 1), ("b", 3), ("c", 0)])).all("rect")
    ]
    assert widths == [250, 750]
    assert Page(proportions([("a", 0)])).all("rect") == []
