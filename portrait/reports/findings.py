"""What a contamination report contains, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait.answers.answer import Answer
    from portrait.reports.statistics import Histogram, Share, Spread
    from portrait.spec import WindowSpec


@dataclass(frozen=True, slots=True)
class ColumnSpan:
    """The stretch of a row's text that comes from one column: ``text[start:end]``."""

    column: str
    start: int
    end: int

    def to_dict(self) -> dict[str, Any]:
        """Return the span as a JSON object."""
        return {"column": self.column, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row of the data and the answer to its text.

    ``place`` names the row's file and line, ``number`` counts all rows from 1, and ``id`` is the value of
    the column that names rows, if there is one. The answer's matches count characters of ``text``.
    """

    number: int
    place: str
    id: str | None
    text: str
    columns: tuple[ColumnSpan, ...]
    answer: Answer

    def to_dict(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {
            "number": self.number,
            "place": self.place,
            "id": self.id,
            "text": self.text,
            "columns": [span.to_dict() for span in self.columns],
            "answer": self.answer.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """The number of rows with each verdict.

    ``exact_documents`` counts the rows whose whole text is a document of the corpus, whatever their
    verdict. ``edited`` counts the rows that were not found, but contain a passage that looks like a copy with
    edits. ``expected_by_chance`` is the number of rows that chance alone is expected to find.
    """

    rows: int
    found: Share
    not_found: Share
    inconclusive: Share
    exact_documents: Share
    edited: Share
    expected_by_chance: float

    def to_dict(self) -> dict[str, Any]:
        """Return the totals as a JSON object."""
        return {
            "rows": self.rows,
            "found": self.found.to_dict(),
            "not_found": self.not_found.to_dict(),
            "inconclusive": self.inconclusive.to_dict(),
            "exact_documents": self.exact_documents.to_dict(),
            "edited": self.edited.to_dict(),
            "expected_by_chance": self.expected_by_chance,
        }


@dataclass(frozen=True, slots=True)
class SourceFindings:
    """The share of all rows that were found in one source."""

    portrait: str
    source: str
    found: Share

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as a JSON object."""
        return {"portrait": self.portrait, "source": self.source, "found": self.found.to_dict()}


@dataclass(frozen=True, slots=True)
class PortraitFindings:
    """The shares of all rows with each verdict of one portrait, and what copies it is certain to find.

    ``detectable_length`` ranges over all rows, in the units of ``spec``; it is ``None`` if nothing is
    detectable in any row.
    """

    portrait: str
    spec: WindowSpec
    found: Share
    not_found: Share
    inconclusive: Share
    detectable_length: Spread | None

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as a JSON object."""
        return {
            "portrait": self.portrait,
            "found": self.found.to_dict(),
            "not_found": self.not_found.to_dict(),
            "inconclusive": self.inconclusive.to_dict(),
            "detectable_length": self.detectable_length.to_dict() if self.detectable_length else None,
            "counting": self.spec.counting,
        }


@dataclass(frozen=True, slots=True)
class ColumnFindings:
    """The shares of the found rows in which matches overlap one column.

    ``touched``: matches contain at least one of the column's characters. ``mostly``: matches contain at least
    half of them. A row whose column is empty counts in neither.
    """

    column: str
    touched: Share
    mostly: Share

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as a JSON object."""
        return {"column": self.column, "touched": self.touched.to_dict(), "mostly": self.mostly.to_dict()}


@dataclass(frozen=True, slots=True)
class ReportLayer:
    """A source of a portrait, and the false-positive rate of its filter per window."""

    source: str
    fpr: float

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as a JSON object."""
        return {"source": self.source, "fpr": self.fpr}


@dataclass(frozen=True, slots=True)
class ReportPortrait:
    """A portrait that a report is based on.

    ``id`` is the id in its manifest, or ``None`` for a filter file without a manifest.
    """

    name: str
    id: str | None
    spec: WindowSpec
    layers: tuple[ReportLayer, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the portrait as a JSON object."""
        return {
            "name": self.name,
            "id": self.id,
            **self.spec.to_dict(),
            "normalizer": self.spec.normalizer,
            "layers": [layer.to_dict() for layer in self.layers],
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """The answers to all rows, counted.

    ``portraits`` has the portraits' own verdicts, in the order of the question. ``coverage`` and
    ``longest_match`` (in characters of the text as given) are distributions over the found rows. ``worst``
    contains the found rows with the greatest coverage; ties are broken by the longest match, then by the
    earlier place. ``verdicts`` has a letter for each row: ``f`` (found), ``n`` (not found) or ``i``
    (inconclusive).
    """

    totals: Totals
    portraits: tuple[PortraitFindings, ...]
    sources: tuple[SourceFindings, ...]
    columns: tuple[ColumnFindings, ...]
    coverage: Histogram
    longest_match: Histogram
    worst: tuple[ReportRow, ...]
    verdicts: bytes

    def to_dict(self) -> dict[str, Any]:
        """Return the findings, except the verdict of each row, as a JSON object."""
        return {
            "totals": self.totals.to_dict(),
            "by_portrait": [portrait.to_dict() for portrait in self.portraits],
            "sources": [source.to_dict() for source in self.sources],
            "columns": [column.to_dict() for column in self.columns],
            "coverage": self.coverage.to_dict(),
            "longest_match": self.longest_match.to_dict(),
            "worst": [row.to_dict() for row in self.worst],
        }
