"""The contamination report of an evaluation set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait.reports.findings import Findings, ReportPortrait
    from portrait.reports.statistics import Share


@dataclass(frozen=True, slots=True)
class Report:
    """A contamination report, as :func:`portrait.report` returns it.

    Attributes:
        data: The name of the data: its paths as the caller gave them.
        columns: The columns that make up a row's text.
        evalue: The E-value threshold of each row.
        portraits: The portraits that were queried.
        findings: The counts, the distributions and the worst rows.
        tool: The program that made the report, with its version.
        date: The date that the report states, if any.
        command: The command that made the report, if it is known.
    """

    data: str
    columns: tuple[str, ...]
    evalue: float
    portraits: tuple[ReportPortrait, ...]
    findings: Findings
    tool: str
    date: str | None = None
    command: str | None = None

    @property
    def contaminated(self) -> Share:
        """The share of the rows that were found."""
        return self.findings.totals.found

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object; docs/report.md describes its fields."""
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
        """Return the report as one self-contained HTML page."""
        from portrait.reports.page.document import document

        return document(
            self.findings,
            data=self.data,
            columns=self.columns,
            evalue=self.evalue,
            portraits=self.portraits,
            tool=self.tool,
            date=self.date,
            command=self.command,
        )
