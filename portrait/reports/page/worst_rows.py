"""The page's section about the worst rows: a table, and their texts with the matches marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.answers.wording import show_evalue
from portrait.markup.elements import Markup, element
from portrait.markup.highlight import Span, highlighted, letter
from portrait.markup.numbers import count, counted, percent
from portrait.reports.page.parts import cell, name, row, source_name, table
from portrait.reports.wording import row_name

if TYPE_CHECKING:
    from portrait.reports.findings import Findings, ReportRow

_COLUMNS = ("Row", "Coverage", "Longest match", "E-value", "Sources")


def worst_rows(findings: Findings, *, qualified: bool) -> list[Markup]:
    """Return the section; ``qualified`` names of sources include their portraits'."""
    heading = element("h2", "The worst rows")
    rows, n_found = findings.worst, findings.totals.found.count
    if not rows:
        return [heading, element("p", "No row to show.")]
    of = "" if len(rows) == n_found else f" of {count(n_found)}"
    legend = [
        element("li", *source_name(one, i, qualified=qualified))
        for i, one in enumerate(findings.sources)
        if one.found.count
    ]
    caption = "Longest matches are in characters of the row as given; sources by their letters."
    return [
        heading,
        element(
            "p",
            f"{counted(len(rows), 'row')}{of} found, by coverage, then by longest match. Marked passages "
            "match the corpus; the sign before each, its tint and its line name the source:",
        ),
        element("ul", *legend, class_="legend"),
        table(caption, _COLUMNS, map(_line, rows)),
        element("ol", *map(_text, rows), class_="rows"),
    ]


def _line(one: ReportRow) -> Markup:
    answer = one.answer
    values = (percent(answer.coverage), count(answer.longest_match), _evalue(one), _letters(one))
    link = element("a", name(row_name(one)), href=f"#row-{one.number}")
    return row([link], *map(cell, _COLUMNS[1:], values))


def _letters(one: ReportRow) -> str:
    return ", ".join(letter(i) for i, layer in enumerate(one.answer.layers) if layer.matches)


def _evalue(one: ReportRow) -> str:
    assert one.answer.evalue is not None  # The row was found.
    return show_evalue(one.answer.evalue)


def _text(one: ReportRow) -> Markup:
    answer = one.answer
    spans = [
        Span(match.start, match.end, i) for i, layer in enumerate(answer.layers) for match in layer.matches
    ]
    facts = (
        f"{percent(answer.coverage)} covered, longest match {counted(answer.longest_match, 'character')}, "
        f"E-value {_evalue(one)}, sources {_letters(one)}"
        f"{', the very text seems to be a document of the corpus' if answer.exact_document else ''}; "
    )
    texts: list[Markup] = []
    for column in one.columns:
        if len(one.columns) > 1:
            texts.append(element("h4", name(column.column), class_="column"))
        shown = highlighted(one.text, column.start, column.end, spans)
        texts.append(element("div", shown, class_="text", dir="auto"))
    return element(
        "li",
        element("h3", name(row_name(one))),
        element("p", facts, name(one.place), class_="facts"),
        *texts,
        id=f"row-{one.number}",
    )
