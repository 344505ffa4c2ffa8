"""Charts: every drawing has a text alternative and a table of its numbers."""

from __future__ import annotations

import pytest
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


def drawing(*counts: int) -> Page:
    """Return the chart of bins of ten units that have these counts."""
    edges = tuple(10.0 * i for i in range(len(counts) + 1))
    return Page(histogram_chart("name", "A title", "Lengths", Histogram(edges, counts), lambda x: f"{x:g}"))


def numbers(element: dict[str, str | None], *names: str) -> tuple[float, ...]:
    """Return some attributes of an element as numbers."""
    return tuple(float(element[name] or "") for name in names)


def test_a_drawing_is_divided_among_its_bins() -> None:
    chart = drawing(4, 0, 1)
    (svg,) = chart.all("svg")
    assert svg["viewbox"] == "0 0 360 170"
    # Between margins of 6 on either side, a bin is 116 wide, and the highest bar 118 high, from 18 to 136.
    bars = [numbers(bar, "x", "y", "width", "height") for bar in chart.all("rect")]
    assert bars == [(7, 18, 114, 118), (239, 106.5, 114, 29.5)]
    (base,) = chart.all("line")
    assert numbers(base, "x1", "x2", "y1", "y2") == (6, 354, 136, 136)
    texts = [(numbers(text, "x", "y"), text["text-anchor"]) for text in chart.all("text")]
    # Each number is above the middle of its bar, and each edge and the axis's name below the bars.
    assert texts[:2] == [((64, 14), "middle"), ((296, 102.5), "middle")]
    assert texts[2:] == [
        ((6, 150), "start"),
        ((122, 150), "middle"),
        ((238, 150), "middle"),
        ((354, 150), "end"),
        ((180, 167), "middle"),
    ]


def test_one_row_among_many_thousands_is_visible() -> None:
    _, least = drawing(10**6, 1).all("rect")
    assert numbers(least, "height") == (1,)


@pytest.mark.parametrize(
    ("n_bins", "labels"),
    [
        (6, [0, 10, 20, 30, 40, 50, 60]),
        (7, [0, 20, 40, 60]),
        (8, [0, 20, 40, 60, 80]),
        (12, [0, 20, 40, 60, 80, 100, 120]),
    ],
)
def test_edges_are_labelled_as_closely_as_there_is_room(n_bins: int, labels: list[int]) -> None:
    chart = drawing(*[1] * n_bins)
    shown = chart.texts[chart.texts.index("A title", 1) + 2 + n_bins :][: len(labels)]
    assert shown == [str(label) for label in labels]
    anchors = [text["text-anchor"] for text in chart.all("text")][n_bins:-1]
    assert len(anchors) == len(labels)
    assert anchors[0] == "start"
    assert anchors[-1] == ("end" if n_bins % 2 == 0 else "middle")
    assert set(anchors[1:-1]) == {"middle"}


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (1, "1"),
        (800, "800"),
        (999, "999"),
        (1000, "1.0k"),
        (1500, "1.5k"),
        (8000, "8.0k"),
        (9500, "9.5k"),
        (10_000, "10k"),
        (10_500, "10k"),
        (12_000, "12k"),
        (200_000, "200k"),
        (1_000_000, "1.0M"),
        (123_456_789, "123M"),
        (1_000_000_000, "1.0G"),
        (25_000_000_000, "25G"),
    ],
)
def test_the_number_above_a_bar_is_short(n: int, shown: str) -> None:
    chart = drawing(n)
    assert chart.texts[chart.texts.index("A title", 1) + 2] == shown


def test_parts_stand_side_by_side() -> None:
    bar = Page(proportions([("a", 1), ("b", 0), ("c", 3), ("d", 4)]))
    assert [numbers(rect, "x", "y", "width", "height") for rect in bar.all("rect")] == [
        (0, 0, 125, 20),
        (125, 0, 375, 20),
        (500, 0, 500, 20),
    ]
    assert [rect["class"] for rect in bar.all("rect")] == ["part-a", "part-c", "part-d"]


def test_proportions_fill_the_bar() -> None:
    widths = [
        float(str(rect["width"])) for rect in Page(proportions([("a", 1), ("b", 3), ("c", 0)])).all("rect")
    ]
    assert widths == [250, 750]
    assert Page(proportions([("a", 0)])).all("rect") == []
