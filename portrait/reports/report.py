"""The contamination report: everything that is said of an evaluation set, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait.answers.answer import Answer
    from portrait.reports.statistics import Histogram, Share, Spread
    from portrait.spec import WindowSpec


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a row's text that came from one column: ``text[start:end]``."""

    column: str
    start: int
    end: int

    def to_dict(self) -> dict[str, Any]:
        """The passage as a JSON object."""
        return {"column": self.column, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A row and what is known about it.

    ``place`` names its file and line, ``number`` counts all rows from 1, ``id`` is what the row calls
    itself, if anything. The answer's matches count characters of ``text``.
    """

    number: int
    place: str
    id: str | None
    text: str
    passages: tuple[Passage, ...]
    answer: Answer

    def to_dict(self) -> dict[str, Any]:
        """The row as a JSON object."""
        return {
            "number": self.number,
            "place": self.place,
            "id": self.id,
            "text": self.text,
            "columns": [passage.to_dict() for passage in self.passages],
            "answer": self.answer.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """How many rows got which verdict.

    ``exact_documents`` counts the rows whose very text is a document of the corpus, whatever their
    verdict; ``edited`` those not found in which a passage looks like a copy with edits.
    ``expected_by_chance`` is how many rows chance alone would have had found.
    """

    rows: int
    found: Share
    not_found: Share
    inconclusive: Share
    exact_documents: Share
    edited: Share
    expected_by_chance: float

    def to_dict(self) -> dict[str, Any]:
        """The totals as a JSON object."""
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
    """In how many of all rows a source was found."""

    portrait: str
    source: str
    found: Share

    def to_dict(self) -> dict[str, Any]:
        """The findings as a JSON object."""
        return {"portrait": self.portrait, "source": self.source, "found": self.found.to_dict()}


@dataclass(frozen=True, slots=True)
class ColumnFindings:
    """Of the rows found, in how many a match falls in a column.

    ``touched``: a match holds at least one of the column's characters. ``mostly``: matches hold half
    of them or more. Rows in which the column is empty are in neither.
    """

    column: str
    touched: Share
    mostly: Share

    def to_dict(self) -> dict[str, Any]:
        """The findings as a JSON object."""
        return {"column": self.column, "touched": self.touched.to_dict(), "mostly": self.mostly.to_dict()}


@dataclass(frozen=True, slots=True)
class AskedLayer:
    """A source of a portrait, and how often its filter errs per window."""

    source: str
    fpr: float

    def to_dict(self) -> dict[str, Any]:
        """The layer as a JSON object."""
        return {"source": self.source, "fpr": self.fpr}


@dataclass(frozen=True, slots=True)
class AskedPortrait:
    """A portrait that was asked; ``id`` is its manifest's, ``None`` for a filter that has none."""

    name: str
    id: str | None
    spec: WindowSpec
    layers: tuple[AskedLayer, ...]

    def to_dict(self) -> dict[str, Any]:
        """The portrait as a JSON object."""
        return {
            "name": self.name,
            "id": self.id,
            "width": self.spec.width,
            "stride": self.spec.stride,
            "unit": self.spec.unit,
            "normalizer": self.spec.normalizer,
            "layers": [layer.to_dict() for layer in self.layers],
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """What the answers to all rows amount to.

    ``coverage`` and ``longest_match`` are distributions over the rows found. ``detectable_length`` is
    over all rows, in units of the normalised text. ``worst`` are the rows found with the greatest
    coverage, then the longest match, then the earlier place. ``verdicts`` has a letter for each row:
    ``f``, ``n`` or ``i``.
    """

    totals: Totals
    sources: tuple[SourceFindings, ...]
    columns: tuple[ColumnFindings, ...]
    coverage: Histogram
    longest_match: Histogram
    detectable_length: Spread | None
    worst: tuple[AskedRow, ...]
    verdicts: bytes

    def to_dict(self) -> dict[str, Any]:
        """The findings as a JSON object, without the verdicts: these are what the split is for."""
        return {
            "totals": self.totals.to_dict(),
            "sources": [source.to_dict() for source in self.sources],
            "columns": [column.to_dict() for column in self.columns],
            "coverage": self.coverage.to_dict(),
            "longest_match": self.longest_match.to_dict(),
            "detectable_length": self.detectable_length.to_dict() if self.detectable_length else None,
            "worst": [row.to_dict() for row in self.worst],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Findings, and what they were found with.

    ``data`` is what was read, as named by the caller; ``date`` and ``command`` are ``None`` where
    they are left out or unknown.
    """

    data: str
    columns: tuple[str, ...]
    evalue: float
    portraits: tuple[AskedPortrait, ...]
    findings: Findings
    tool: str
    date: str | None = None
    command: str | None = None

    @property
    def contaminated(self) -> Share:
        """The rows found, of all rows."""
        return self.findings.totals.found

    def to_dict(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return {
            "data": self.data,
            "columns_asked": list(self.columns),
            "evalue": self.evalue,
            "portraits": [portrait.to_dict() for portrait in self.portraits],
            **self.findings.to_dict(),
            "tool": self.tool,
            "date": self.date,
            "command": self.command,
        }

    def to_html(self) -> str:
        """The report as one HTML page that needs nothing else."""
        from portrait.reports.page import page

        return page(self)
