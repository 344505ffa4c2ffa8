"""The sentences of a report, for the page and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.markup.numbers import count, counted, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.reports.findings import PortraitFindings, ReportRow
    from portrait.reports.statistics import Share
    from portrait.spec import WindowSpec


def rate(share: Share) -> str:
    """Return a share in per cent with its confidence interval."""
    if share.share is None:
        return "no rows"
    low, high = share.interval
    return f"{percent(share.share)} (95% interval {percent(low)} to {percent(high)})"


def row_name(row: ReportRow) -> str:
    """Return the row's id, or its number if it has none."""
    return f"row {count(row.number)}" if row.id is None else row.id


def edited(rows: Share, specs: Sequence[WindowSpec]) -> str:
    """Return the sentence that says how many rows look like copies with edits, and which copies cannot.

    Args:
        rows: The rows that were not found but look like copies with edits.
        specs: How each portrait cuts text into windows: a copy without a whole window is invisible.
    """
    n = rows.count
    if n > 1:
        looks = f"{count(n)} look like copies with edits"
    elif n:
        looks = "one looks like a copy with edits"
    else:
        looks = "none could be recognised as a copy with edits"
    return f"Of the rows not found, {looks}; copies changed in every {_widths(specs)} are invisible."


def _widths(specs: Sequence[WindowSpec]) -> str:
    """Return the widths of which one must be whole; among those that count alike, the least."""
    least: dict[tuple[str, str], WindowSpec] = {}
    for spec in sorted(specs, key=lambda spec: spec.width):
        least.setdefault((spec.unit, spec.normalizer), spec)
    return " and every ".join(spec.length(spec.width) for spec in least.values())


def sure_lengths(one: PortraitFindings) -> str:
    """Return the lengths from which a portrait is certain to find a copy, and what they count."""
    spread, spec = one.detectable_length, one.spec
    if spread is None:
        return "none"
    if spread.least == spread.greatest:
        return spec.length(spread.least, "or more")
    return (
        f"{count(spread.least)} to {spec.length(spread.greatest, 'or more')}, depending on the row's length "
        f"(median {count(spread.median)})"
    )


def headline(found: Share) -> str:
    """Return the sentence that says how many rows were found."""
    if found.total == 0:
        return "There are no rows, so there is nothing to say."
    verb = "matches" if 1 in (found.count, found.total) else "match"
    rows = f"{count(found.count)} of {counted(found.total, 'row')}"
    return f"{rows} {verb} a passage of the corpus: {rate(found)}."
