"""A report's one pass over the rows of an evaluation set: read, query, count."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from portrait.answers.judge import DEFAULT_ROW_EVALUE, require_evalue
from portrait.corpus import rows
from portrait.corpus.columns import DEFAULT_COLUMN, DEFAULT_MAX_DOCUMENT_BYTES
from portrait.errors import SpecError
from portrait.portraits import portrait as asking
from portrait.portraits.portrait import Portrait
from portrait.progress import Silent
from portrait.reports.evaluation_sets import BENCHMARKS
from portrait.reports.findings import ColumnSpan, ReportLayer, ReportPortrait, ReportRow
from portrait.reports.report import Report
from portrait.reports.row_ids import RowIds
from portrait.reports.tally import LETTERS, Tally
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from portrait.corpus.rows import Row
    from portrait.corpus.shards import Chunk, Format
    from portrait.progress import Progress

    #: One portrait or several, open or by their paths.
    Portraits = Portrait | str | os.PathLike[str] | Iterable[Portrait | str | os.PathLike[str]]

#: The default number of worst rows that a report contains.
DEFAULT_WORST = 100


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The options of :func:`portrait.report`, which documents them."""

    columns: str | Sequence[str] | None = None
    benchmark: str | None = None
    id_column: str | None = None
    format: Format = "auto"
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES
    evalue: float = DEFAULT_ROW_EVALUE
    worst: int = DEFAULT_WORST
    date: str | None = None
    command: str | None = None


def report(
    portraits: Portraits,
    data: Any,
    *,
    columns: str | Sequence[str] | None = None,
    benchmark: str | None = None,
    id_column: str | None = None,
    format: Format = "auto",  # noqa: A002
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
    evalue: float = DEFAULT_ROW_EVALUE,
    worst: int = DEFAULT_WORST,
    date: str | None = None,
    command: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Report how much of an evaluation set the corpora of some portraits contain.

    The data is read once, as a stream; memory does not grow with its texts.

    Args:
        portraits: One portrait or several, open or by their paths. Several are queried together.
        data: The evaluation set: files (JSON lines, Parquet, CSV and others, also compressed), directories or
            globs of them, ``-`` for standard input, or a dataset of the ``datasets`` library.
        columns: The columns that make up a row's text, each on a line of its own. A column contains text or
            a list of texts. The default is ``text``.
        benchmark: The name of a well-known evaluation set (see docs/report.md), whose columns to use instead.
        id_column: The column that names rows. By default the first usual one, such as ``id``; ``""`` means
            that none does.
        format: The format of the files; by default, their names tell.
        max_document_bytes: The size of the largest text of a row; a larger one is an error.
        evalue: The E-value threshold of each row.
        worst: The number of worst rows to include with their texts.
        date: The date that the report states, if any.
        command: The command that the report states, if any.
        progress: Receives the number of bytes read.

    Returns:
        The report, with ``to_dict`` and ``to_html``.

    Raises:
        CorpusError: The data is missing, or a row cannot be read; the message names the file and the row.
        SpecError: An option is invalid, or there is no portrait.
        PortraitError: A portrait cannot be opened.
    """
    options = ReportOptions(
        columns, benchmark, id_column, format, max_document_bytes, evalue, worst, date, command
    )
    run = ReportRun(portraits, data, options)
    deque(run.chunks(progress or Silent()), maxlen=0)
    return run.report()


class ReportRun:
    """A report in progress. ``source`` contains the data, resolved once.

    Args:
        portraits: As for :func:`report`.
        data: As for :func:`report`.
        options: The options of the report.
        whole: Whether the rows of Parquet files are read with all their columns, to be written as they were.

    Raises:
        CorpusError: The data is missing.
        SpecError: An option is invalid, or there is no portrait.
        PortraitError: A portrait cannot be opened.
    """

    def __init__(
        self, portraits: Portraits, data: Any, options: ReportOptions, *, whole: bool = False
    ) -> None:
        self._portraits = _opened(portraits)
        require_evalue(options.evalue)
        self._data = data
        self._options = options
        self._columns = _chosen_columns(options)
        self._ids = RowIds(options.id_column, options.benchmark)
        # The text of a single column is that column. With several, their values tell where each begins.
        values = self._columns if len(self._columns) > 1 else ()
        self.source = rows.read(
            data,
            columns=self._columns,
            keep=tuple(dict.fromkeys([*values, *self._ids.required])),
            optional=self._ids.candidates,
            whole=whole,
            max_document_bytes=options.max_document_bytes,
            format=options.format,
        )
        layers = [(one.name, source) for one in self._portraits for source in one.sources]
        specs = [(one.name, one.spec) for one in self._portraits]
        self._tally = Tally(layers, specs, self._columns, options.worst)

    def chunks(self, progress: Progress) -> Generator[tuple[Chunk, bytes]]:
        """Read, query and count all rows; yield each chunk with the letters of its rows' verdicts."""
        progress.start(self.source.n_bytes)
        try:
            for number, chunk in self.source.chunks():
                unpacked, _ = rows.unpack(chunk, number, self.source.columns)
                yield chunk, self._count(unpacked)
                progress.advance(chunk.read_bytes)
        finally:
            progress.finish()

    def _count(self, unpacked: list[Row]) -> bytes:
        answers = asking.query(self._portraits, [row.text for row in unpacked], evalue=self._options.evalue)
        for row, answer, name in zip(unpacked, answers, self._ids.of(unpacked), strict=True):
            spans = _column_spans(row, self._columns)
            self._tally.add(ReportRow(row.number + 1, row.place, name, row.text, spans, answer))
        return b"".join(LETTERS[answer.verdict] for answer in answers)

    def report(self) -> Report:
        """Return the report on the rows read so far."""
        findings = self._tally.findings()
        if not self._ids.complete:
            findings = replace(findings, worst=tuple(replace(row, id=None) for row in findings.worst))
        return Report(
            data=_label(self._data),
            columns=self._columns,
            evalue=self._options.evalue,
            portraits=tuple(map(_portrait_facts, self._portraits)),
            findings=findings,
            tool=f"portrait {__version__}",
            date=self._options.date,
            command=self._options.command,
        )


def _opened(portraits: Portraits) -> list[Portrait]:
    several = [portraits] if isinstance(portraits, Portrait | str | os.PathLike) else list(portraits)
    if not several:
        raise SpecError("no portrait to query: name one or more")
    return [one if isinstance(one, Portrait) else asking.open(one) for one in several]


def _chosen_columns(options: ReportOptions) -> tuple[str, ...]:
    """Return the columns that make up a row's text."""
    columns, benchmark = options.columns, options.benchmark
    if benchmark is None:
        given = (DEFAULT_COLUMN,) if columns is None else columns
        return (given,) if isinstance(given, str) else tuple(given)
    if columns is not None:
        raise SpecError("a benchmark determines the columns: give either a benchmark or columns")
    if benchmark not in BENCHMARKS:
        raise SpecError(
            f"unknown benchmark {benchmark!r}: choose one of {', '.join(BENCHMARKS)}", parameter="benchmark"
        )
    return BENCHMARKS[benchmark].columns


def _column_spans(row: Row, columns: Sequence[str]) -> tuple[ColumnSpan, ...]:
    """Return the span of each column in the row's text."""
    if len(columns) == 1:
        return (ColumnSpan(columns[0], 0, len(row.text)),)
    spans, at = [], 0
    for column in columns:
        value = row.values[column]
        length = len(value) if isinstance(value, str) else len("\n".join(value))
        spans.append(ColumnSpan(column, at, at + length))
        at += length + 1
    return tuple(spans)


def _portrait_facts(one: Portrait) -> ReportPortrait:
    layers = tuple(ReportLayer(layer.source, layer.fpr) for layer in one.layers)
    return ReportPortrait(one.name, one.manifest.id if one.is_bundle else None, one.spec, layers)


def _label(data: Any) -> str:
    """Return the name of the data in a report: its paths as given."""
    if isinstance(data, str | os.PathLike):
        return "standard input" if data == "-" else os.fspath(data)
    if isinstance(data, list | tuple):
        return ", ".join(map(_label, data))
    return "a dataset"
