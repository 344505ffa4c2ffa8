"""The sentences of a report, on the page and in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.markup.numbers import count, counted, percent

if TYPE_CHECKING:
    from portrait.reports.report import AskedRow, Report
    from portrait.reports.statistics import Share


def rate(share: Share) -> str:
    """A share and its interval."""
    if share.share is None:
        return "no rows"
    low, high = share.interval
    return f"{percent(share.share)} (95% interval {percent(low)} to {percent(high)})"


def row_name(row: AskedRow) -> str:
    """What a row calls itself, or its number."""
    return f"row {count(row.number)}" if row.id is None else row.id


def edited(report: Report) -> str:
    """How many of the rows not found look like copies with edits, in a sentence."""
    n = report.findings.totals.edited.count
    if n > 1:
        return f"Of the rows not found, {count(n)} look like copies with edits."
    return f"Of the rows not found, {'one' if n else 'none'} looks like a copy with edits."


def headline(report: Report) -> str:
    """What was found, in a sentence."""
    found = report.contaminated
    if found.total == 0:
        return "There are no rows, so there is nothing to say."
    verb = "shares" if 1 in (found.count, found.total) else "share"
    rows = f"{count(found.count)} of {counted(found.total, 'row')}"
    return f"{rows} {verb} a passage with the corpus: {rate(found)}."
