"""The whole document: no scripts, nothing loaded from elsewhere, for screens and paper.

Its content security policy forbids everything except its one style sheet.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from portrait.markup.elements import Markup, element, join
from portrait.reports.page.method import caveats, method
from portrait.reports.page.parts import name, plain
from portrait.reports.page.sections import columns as columns_section
from portrait.reports.page.sections import distributions, result, sources
from portrait.reports.page.worst_rows import worst_rows
from portrait.reports.wording import headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.reports.findings import Findings, ReportPortrait


def document(
    findings: Findings,
    *,
    data: str,
    columns: Sequence[str],
    evalue: float,
    portraits: Sequence[ReportPortrait],
    tool: str,
    date: str | None = None,
    command: str | None = None,
) -> str:
    """Return a report as an HTML document.

    Args:
        findings: The counts, the distributions and the worst rows.
        data: The name of the data.
        columns: The columns that make up a row's text.
        evalue: The E-value threshold of each row.
        portraits: The portraits that were queried, at least one.
        tool: The program that made the report.
        date: The date to state, if any.
        command: The command to state, if any.

    Returns:
        The document, in which all text from the data is escaped.
    """
    qualified = len(portraits) > 1
    sections = [
        *result(findings, evalue),
        *sources(findings.sources, qualified=qualified),
        *columns_section(findings.columns),
        *distributions(findings),
        *worst_rows(findings, qualified=qualified),
        *method(data, columns, evalue, portraits, findings.portraits, command),
        *caveats(),
    ]
    opening = [
        element("p", "Contamination report", class_="kicker"),
        element("h1", name(data)),
        element("p", headline(findings.totals.found), class_="headline"),
    ]
    closing = element("p", f"Made by {tool}{'' if date is None else f', {date}'}.")
    body = element(
        "body",
        element("header", *opening),
        element("main", join(sections, "\n")),
        element("footer", closing),
    )
    return f"<!DOCTYPE html>\n{element('html', _head(data), body, lang='en')}\n"


def _head(data: str) -> Markup:
    css = files("portrait.reports.page").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", plain(f"Contamination report: {data}")),
        # A style sheet has no entities, so it is not escaped; all of it is ours.
        element("style", Markup(css)),
    )
