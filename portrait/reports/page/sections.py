"""The page's sections about all rows: the result, the sources, the columns and the distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.answers.wording import by_chance
from portrait.markup.elements import Markup, element
from portrait.markup.numbers import count, counted, percent
from portrait.reports.page.charts import histogram_chart, proportions
from portrait.reports.page.parts import cell, name, row, source_name, table
from portrait.reports.wording import edited, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.reports.findings import ColumnFindings, Findings, SourceFindings
    from portrait.reports.statistics import Share

_TILES = (
    ("found", "Found", "match a passage of the corpus within the threshold"),
    ("not_found", "Not found", "no passage of the detectable length (see below) or more appears verbatim"),
    ("inconclusive", "Inconclusive", "too short to tell a copy from chance: not clean"),
)


def result(findings: Findings, evalue: float) -> list[Markup]:
    """Return the section that counts the rows of each verdict, at this E-value threshold of each row."""
    totals = findings.totals
    shares = {"found": totals.found, "not_found": totals.not_found, "inconclusive": totals.inconclusive}
    tiles = [
        element(
            "div",
            element("dt", label),
            element("dd", count(shares[key].count), class_="big"),
            element("dd", rate(shares[key])),
            element("dd", note, class_="note"),
            class_=key,
        )
        for key, label, note in _TILES
    ]
    n_exact = totals.exact_documents.count
    exact = counted(n_exact, "row") if n_exact else "no row"
    return [
        proportions([(key, share.count) for key, share in shares.items()]),
        element("dl", *tiles, class_="tiles"),
        element(
            "p",
            by_chance(evalue, totals.expected_by_chance),
            f" The very text of {exact} seems to be a document of the corpus, as far as its key can tell. ",
            edited(totals.edited, [one.spec for one in findings.portraits]),
        ),
    ]


def sources(findings: Sequence[SourceFindings], *, qualified: bool) -> list[Markup]:
    """Return the section that counts the rows found in each source."""
    rows = [
        row(source_name(one, i, qualified=qualified), *_share_cells(one.found))
        for i, one in enumerate(findings)
    ]
    caption = "Rows in which a source was found. A row may be in several sources."
    return [
        element("h2", "Where it was found"),
        table(caption, ["Source", "Rows", "Share", "95% interval"], rows),
    ]


def _share_cells(share: Share) -> list[Markup]:
    low, high = share.interval
    return [
        cell("Rows", count(share.count)),
        cell("Share", "–" if share.share is None else percent(share.share)),
        cell("95% interval", f"{percent(low)} – {percent(high)}"),
    ]


def columns(findings: Sequence[ColumnFindings]) -> list[Markup]:
    """Return the section that counts the found rows in which matches overlap each column."""
    touched, mostly = "A match touches it", "Half of it or more matches"
    rows = [
        row([name(one.column)], cell(touched, _of(one.touched)), cell(mostly, _of(one.mostly)))
        for one in findings
    ]
    caption = "Of the rows found, those in which a match falls in a column."
    return [element("h2", "In which column"), table(caption, ["Column", touched, mostly], rows)]


def _of(share: Share) -> str:
    return count(share.count) + ("" if share.share is None else f" ({percent(share.share)})")


def distributions(findings: Findings) -> list[Markup]:
    """Return the section with the distributions of the coverage and of the longest matches."""
    charts = [
        histogram_chart(
            "coverage",
            "How much of a row is in the corpus, of the rows found",
            "Coverage: share of the row's characters",
            findings.coverage,
            lambda edge: f"{edge:.0%}",
        ),
        histogram_chart(
            "longest",
            "The longest match of a row, of the rows found",
            "Longest match in characters of the row",
            findings.longest_match,
            lambda edge: f"{edge:,.0f}",
        ),
    ]
    return [element("h2", "How much of it"), element("div", *charts, class_="figures")]
