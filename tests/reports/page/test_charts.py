"""Charts: every drawing has a text alternative and a table of its numbers."""

from __future__ import annotations

from support.html_page import Page, check

from portrait.reports.page.charts import histogram_chart, proportions
from portrait.reports.statistics import Histogram


def test_every_drawing_has_a_text_alternative_or_is_hidden_from_screen_readers(page: str) -> None:
    parsed_page = check(page)
    ids = {attributes.get("id") for _, attributes in parsed_page.elements}
    drawings = parsed_page.all("svg")
    assert len(drawings) == 3
    for drawing in drawings:
        if drawing.get("aria-hidden") == "true":
            continue
        assert drawing["role"] == "img"
        assert set((drawing["aria-labelledby"] or "").split()) <= ids
    assert len(parsed_page.all("details")) == 2


def test_a_chart_has_a_table_of_its_numbers() -> None:
    histogram = Histogram((0, 10, 20), (12_345, 1))
    chart = histogram_chart("name", "A title", "Lengths", histogram, lambda edge: f"{edge:g}")
    text = Page(chart).text
    assert "0 to 10: 12,345; 10 to 20: 1" in text
    assert "12k" in text


def test_an_empty_chart_is_a_sentence() -> None:
    assert "No rows." in Page(histogram_chart("name", "A title", "Lengths", Histogram((), ()), str)).text


def test_proportions_fill_the_bar() -> None:
    widths = [
        float(str(rect["width"])) for rect in Page(proportions([("a", 1), ("b", 3), ("c", 0)])).all("rect")
    ]
    assert widths == [250, 750]
    assert Page(proportions([("a", 0)])).all("rect") == []
