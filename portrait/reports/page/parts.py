"""The parts that the page's sections are made of: foreign names, cells and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.markup.elements import Markup, element
from portrait.markup.highlight import letter, style, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portrait.reports.findings import SourceFindings


def plain(text: str) -> str:
    """Return a name for a place that allows no element: unprintable characters are spelled out."""
    return "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in text)


def name(text: str) -> Markup:
    """Return a name from the data, isolated so that its direction does not affect its neighbours."""
    return element("bdi", visible(text))


def code(text: str) -> Markup:
    """Return text from the data in a fixed-width font."""
    return element("code", visible(text))


def source_name(source: SourceFindings, i: int, *, qualified: bool) -> list[str]:
    """Return the name of the ``i``-th source in legends and tables: its letter in its style, then its name.

    A ``qualified`` name includes the portrait's.
    """
    sign = element("mark", element("sup", letter(i)), "text", class_=style(i), aria_hidden="true")
    parts = [sign, " ", f"{letter(i)}: ", name(source.source)]
    if qualified:
        parts.append(element("span", " in ", name(source.portrait), class_="soft"))
    return parts


def cell(column: str, value: str) -> Markup:
    """Return the cell of a number, which shows its column's name where the table is stacked."""
    return element(
        "td",
        # Screen readers read the column's name from the table's head.
        element("span", column, class_="name", aria_hidden="true"),
        element("span", value, class_="value"),
        class_="number",
    )


def row(heading: Iterable[str], *cells: Markup) -> Markup:
    """Return a row of a table: its heading, then its cells."""
    return element("tr", element("th", *heading, scope="row"), *cells)


def table(caption: str, columns: Sequence[str], rows: Iterable[Markup]) -> Markup:
    """Return a table that is stacked on narrow screens; the first of the ``columns`` heads the rows."""
    first, *others = columns
    heads = [element("th", column, scope="col", class_="number") for column in others]
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", element("th", first, scope="col"), *heads)),
        element("tbody", *rows),
        class_="stack",
    )
