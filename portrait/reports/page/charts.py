"""Charts as SVG, each with its numbers in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.markup.elements import Markup, element
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.reports.statistics import Histogram

_WIDTH, _HEIGHT = 360, 170
_TOP, _BOTTOM, _LEFT, _RIGHT = 18, 34, 6, 6


def histogram_chart(
    name: str, title: str, axis: str, histogram: Histogram, label: Callable[[float], str]
) -> Markup:
    """Return a histogram as a figure; ``name`` is unique in the page, ``label`` formats an edge."""
    if not sum(histogram.counts):
        return element("figure", element("figcaption", title), element("p", "No rows."))
    drawing = element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", _summary(histogram, label), id=f"{name}-desc"),
        *_bars(histogram),
        *_axis(histogram, label),
        element("text", axis, x=_WIDTH / 2, y=_HEIGHT - 3, text_anchor="middle", class_="axis"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )
    numbers = element("details", element("summary", "The numbers"), _table(title, axis, histogram, label))
    return element("figure", element("figcaption", title), drawing, numbers)


def _bars(histogram: Histogram) -> list[Markup]:
    most = max(histogram.counts)
    step = (_WIDTH - _LEFT - _RIGHT) / len(histogram.counts)
    room = _HEIGHT - _TOP - _BOTTOM
    drawn = []
    for i, n in enumerate(histogram.counts):
        height = room * n / most
        x, y = _LEFT + i * step, _TOP + room - height
        if n:
            drawn.append(
                element(
                    "rect",
                    x=_number(x + 1),
                    y=_number(y),
                    width=_number(step - 2),
                    # One row among thousands stays visible.
                    height=_number(max(height, 1)),
                    class_="bar",
                )
            )
            drawn.append(
                element("text", _short(n), x=_number(x + step / 2), y=_number(y - 4), text_anchor="middle")
            )
    base = _TOP + room
    drawn.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=base, y2=base, class_="base"))
    return drawn


def _axis(histogram: Histogram, label: Callable[[float], str]) -> list[Markup]:
    step = (_WIDTH - _LEFT - _RIGHT) / len(histogram.counts)
    every = 1 if len(histogram.edges) <= 7 else 2
    marks = []
    for i, edge in enumerate(histogram.edges):
        if i % every == 0:
            # The outermost labels must stay within the drawing.
            anchor = "start" if i == 0 else "end" if i == len(histogram.edges) - 1 else "middle"
            x = _LEFT + i * step
            y = _HEIGHT - _BOTTOM + 14
            marks.append(element("text", label(edge), x=_number(x), y=y, text_anchor=anchor))
    return marks


def _ranges(histogram: Histogram, label: Callable[[float], str]) -> list[tuple[str, int]]:
    edges = [label(edge) for edge in histogram.edges]
    return [(f"{low} to {high}", n) for low, high, n in zip(edges, edges[1:], histogram.counts, strict=False)]


def _summary(histogram: Histogram, label: Callable[[float], str]) -> str:
    """Return the chart in words."""
    return "; ".join(f"{where}: {count(n)}" for where, n in _ranges(histogram, label) if n)


def _table(title: str, axis: str, histogram: Histogram, label: Callable[[float], str]) -> Markup:
    rows = [
        element("tr", element("th", where, scope="row"), element("td", count(n), class_="number"))
        for where, n in _ranges(histogram, label)
    ]
    head = element(
        "tr", element("th", axis, scope="col"), element("th", "Rows", scope="col", class_="number")
    )
    return element("table", element("caption", title), element("thead", head), element("tbody", *rows))


def proportions(parts: Sequence[tuple[str, int]]) -> Markup:
    """Return a bar that is divided in proportion to ``parts``: a class and a number each."""
    total = sum(n for _, n in parts)
    drawn, x = [], 0.0
    for name, n in parts:
        if n:
            width = 1000 * n / total
            drawn.append(
                element("rect", x=_number(x), y=0, width=_number(width), height=20, class_=f"part-{name}")
            )
            x += width
    # The numbers stand beside the bar, so screen readers skip it.
    return element(
        "svg",
        *drawn,
        viewBox="0 0 1000 20",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="proportions",
    )


def _short(n: int) -> str:
    """Return a number that is no wider than a bar; the table has all its digits."""
    for power, sign in ((9, "G"), (6, "M"), (3, "k")):
        if n >= 10**power:
            return f"{n / 10**power:.0f}{sign}" if n >= 10 * 10**power else f"{n / 10**power:.1f}{sign}"
    return str(n)


def _number(value: float) -> str:
    """Return a coordinate to a tenth of a unit: finer differences are invisible."""
    return f"{value:.1f}".removesuffix(".0")
