"""Counts answers, row by row, into findings.

Memory grows by a few numbers a row; only the worst rows are kept with their texts.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from portrait.errors import SpecError
from portrait.reports.findings import ColumnFindings, Findings, PortraitFindings, SourceFindings, Totals
from portrait.reports.statistics import Share, lengths_histogram, shares_histogram, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.answers.verdict import Verdict
    from portrait.reports.findings import ColumnSpan, ReportRow
    from portrait.spec import WindowSpec

#: The letter that stands for a verdict: one byte a row.
LETTERS = {"found": b"f", "not_found": b"n", "inconclusive": b"i"}

#: The rank of a row among the worst: coverage, longest match, and the negative number of the row.
Badness = tuple[float, int, int]


class Tally:
    """Counts the rows of an evaluation set.

    Args:
        sources: The portrait and the source of each layer, in the order of an answer's layers.
        portraits: The name and the window spec of each portrait, in the same order.
        columns: The columns that make up a row's text.
        worst: The number of worst rows to keep.

    Raises:
        SpecError: ``worst`` is not a number of rows.
    """

    def __init__(
        self,
        sources: Sequence[tuple[str, str]],
        portraits: Sequence[tuple[str, WindowSpec]],
        columns: Sequence[str],
        worst: int,
    ) -> None:
        if isinstance(worst, bool) or not isinstance(worst, int) or worst < 0:
            raise SpecError(f"the number of worst rows must be 0 or more, not {worst!r}", parameter="worst")
        self._sources, self._columns = tuple(sources), tuple(columns)
        self._portraits, self._n_worst = tuple(portraits), worst
        self._verdicts = bytearray()
        self._coverage = array("d")
        self._longest = array("q")
        # There are few different lengths: they grow by whole gaps with the logarithm of a row's length.
        self._detectable: list[Counter[int]] = [Counter() for _ in self._portraits]
        self._by_portrait: list[Counter[Verdict]] = [Counter() for _ in self._portraits]
        self._by_layer = [0] * len(self._sources)
        self._touched: Counter[str] = Counter()
        self._mostly: Counter[str] = Counter()
        self._exact = self._edited = 0
        self._by_chance = 0.0
        self._worst: list[tuple[Badness, ReportRow]] = []

    def add(self, row: ReportRow) -> None:
        """Count one row."""
        answer = row.answer
        self._verdicts += LETTERS[answer.verdict]
        self._exact += answer.exact_document is True
        self._by_chance += answer.expected_by_chance
        for i, portrait in enumerate(answer.portraits):
            self._by_portrait[i][portrait.verdict] += 1
            if portrait.detectable_length is not None:
                self._detectable[i][portrait.detectable_length] += 1
        if answer.verdict != "found":
            self._edited += any(layer.approximate is not None for layer in answer.layers)
            return
        for i, layer in enumerate(answer.layers):
            self._by_layer[i] += layer.verdict == "found"
        self._coverage.append(answer.coverage)
        self._longest.append(answer.longest_match)
        self._count_columns(row)
        if self._n_worst:
            self._keep(row)

    def _count_columns(self, row: ReportRow) -> None:
        spans = [(match.start, match.end) for _, match in row.answer.matches]
        n_chars: Counter[str] = Counter()
        n_covered: Counter[str] = Counter()
        for column_span in row.columns:
            n_chars[column_span.column] += column_span.end - column_span.start
            n_covered[column_span.column] += covered_chars(column_span, spans)
        for column, n in n_covered.items():
            self._touched[column] += n > 0
            self._mostly[column] += n > 0 and 2 * n >= n_chars[column]

    def _keep(self, row: ReportRow) -> None:
        answer = row.answer
        # Numbers differ, so rows themselves are never compared. The earlier row counts as worse.
        item = ((answer.coverage, answer.longest_match, -row.number), row)
        if len(self._worst) < self._n_worst:
            heapq.heappush(self._worst, item)
        else:
            heapq.heappushpop(self._worst, item)

    def findings(self) -> Findings:
        """Return the findings for all rows added so far."""
        n_rows, n_found = len(self._verdicts), len(self._coverage)
        return Findings(
            totals=Totals(
                rows=n_rows,
                found=Share(n_found, n_rows),
                not_found=Share(self._verdicts.count(LETTERS["not_found"]), n_rows),
                inconclusive=Share(self._verdicts.count(LETTERS["inconclusive"]), n_rows),
                exact_documents=Share(self._exact, n_rows),
                edited=Share(self._edited, n_rows),
                expected_by_chance=self._by_chance,
            ),
            portraits=tuple(
                PortraitFindings(
                    name,
                    spec,
                    Share(verdicts["found"], n_rows),
                    Share(verdicts["not_found"], n_rows),
                    Share(verdicts["inconclusive"], n_rows),
                    spread(detectable.elements()),
                )
                for (name, spec), verdicts, detectable in zip(
                    self._portraits, self._by_portrait, self._detectable, strict=True
                )
            ),
            sources=tuple(
                SourceFindings(name, source, Share(n, n_rows))
                for (name, source), n in zip(self._sources, self._by_layer, strict=True)
            ),
            columns=tuple(
                ColumnFindings(
                    column, Share(self._touched[column], n_found), Share(self._mostly[column], n_found)
                )
                for column in self._columns
            ),
            coverage=shares_histogram(self._coverage),
            longest_match=lengths_histogram(self._longest),
            worst=tuple(row for _, row in sorted(self._worst, key=lambda item: item[0], reverse=True)),
            verdicts=bytes(self._verdicts),
        )


def covered_chars(column: ColumnSpan, spans: Sequence[tuple[int, int]]) -> int:
    """Return how many characters of a column lie in at least one of ``spans``, which are in text order."""
    n_chars, reached = 0, column.start
    for start, end in spans:
        begin, end = max(start, reached), min(end, column.end)
        if end > begin:
            n_chars += end - begin
            reached = end
    return n_chars
