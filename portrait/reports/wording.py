"""The sentences of a report, for the page and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.markup.numbers import count, counted, percent

if TYPE_CHECKING:
    from portrait.reports.findings import ReportRow
    from portrait.reports.statistics import Share


def rate(share: Share) -> str:
    """Return a share in per cent with its confidence interval."""
    if share.share is None:
        return "no rows"
    low, high = share.interval
    return f"{percent(share.share)} (95% interval {percent(low)} to {percent(high)})"


def row_name(row: ReportRow) -> str:
    """Return the row's id, or its number if it has none."""
    return f"row {count(row.number)}" if row.id is None else row.id


def edited(rows: Share) -> str:
    """Return the sentence that says how many rows look like copies with edits."""
    n = rows.count
    if n > 1:
        return f"Of the rows not found, {count(n)} look like copies with edits."
    return f"Of the rows not found, {'one' if n else 'none'} looks like a copy with edits."


def headline(found: Share) -> str:
    """Return the sentence that says how many rows were found."""
    if found.total == 0:
        return "There are no rows, so there is nothing to say."
    verb = "shares" if 1 in (found.count, found.total) else "share"
    rows = f"{count(found.count)} of {counted(found.total, 'row')}"
    return f"{rows} {verb} a passage with the corpus: {rate(found)}."
