"""Read the rows of an evaluation set, ask some portraits about each, and count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from portrait.answers.judge import require_evalue
from portrait.corpus import rows
from portrait.corpus.columns import DEFAULT_COLUMN
from portrait.errors import CorpusError, SpecError
from portrait.portraits import portrait as asking
from portrait.portraits.portrait import Portrait
from portrait.progress import Silent
from portrait.reports.evaluation_sets import BENCHMARKS, USUAL_IDS
from portrait.reports.report import AskedLayer, AskedPortrait, AskedRow, Passage, Report
from portrait.reports.tally import Tally
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from portrait.answers.answer import Answer
    from portrait.corpus.rows import Row
    from portrait.corpus.shards import Format
    from portrait.progress import Progress
    from portrait.reports.report import Findings

#: The threshold for each row, unless the caller says otherwise: of a thousand rows that share nothing
#: with a corpus, the chance that any is named is one in a hundred.
DEFAULT_EVALUE = 1e-5
#: How many of the worst rows a report shows, unless the caller says otherwise.
DEFAULT_WORST = 100
#: Longer identifiers are cut: they name a row, and are not what is reported.
_LONGEST_ID = 200


def report(
    portraits: Portrait | str | os.PathLike[str] | Iterable[Portrait | str | os.PathLike[str]],
    data: Any,
    *,
    columns: str | Sequence[str] | None = None,
    benchmark: str | None = None,
    id_column: str | None = None,
    format: Format = "auto",  # noqa: A002
    evalue: float = DEFAULT_EVALUE,
    worst: int = DEFAULT_WORST,
    date: str | None = None,
    command: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """How much of an evaluation set stands in the corpora of some portraits.

    ``data`` is one or several files (``.jsonl``, also ``.gz`` or ``.zst``, ``.parquet``), directories or
    globs of them, ``-``, or a ``datasets.Dataset``. The text of a row is that of its ``columns``, joined
    by line breaks, a column being text or a list of texts; or of those of a ``benchmark`` known by
    name. ``id_column`` names a row; without it a usual name is looked for, and ``""`` is none.

    ``evalue`` is the threshold for each row, ``worst`` how many rows are kept with their texts.
    ``date`` and ``command`` are for the report to state. ``progress`` hears of bytes read.

    Rows are read as a stream. Raises :class:`CorpusError` naming the file and row that cannot be
    read, :class:`SpecError`, and what opening a portrait raises.
    """
    opened = _open(portraits)
    require_evalue(evalue)
    named = _choose(columns, benchmark)
    usual = _usual_id(data, named, benchmark, format) if id_column is None else None

    def count(id_column: str | None) -> Findings:
        sources = [(one.name, source) for one in opened for source in one.sources]
        tally = Tally(sources, named, evalue, worst)
        for row, answer in _answers(opened, data, named, id_column, format, evalue, progress or Silent()):
            name = _id(row, id_column)
            tally.add(AskedRow(row.number + 1, row.place, name, row.text, _passages(row, named), answer))
        return tally.findings()

    try:
        findings = count(usual or id_column)
    except CorpusError:
        if usual is None:
            raise
        # Nobody asked for a column that some rows lack; whatever else is wrong shows again.
        findings = count(None)
    return Report(
        data=label(data),
        columns=named,
        evalue=evalue,
        portraits=tuple(_asked(one) for one in opened),
        findings=findings,
        tool=f"portrait {__version__}",
        date=date,
        command=command,
    )


def _open(portraits: Any) -> list[Portrait]:
    several = [portraits] if isinstance(portraits, Portrait | str | os.PathLike) else list(portraits)
    if not several:
        raise SpecError("no portrait to ask: name one or more")
    return [one if isinstance(one, Portrait) else asking.open(one) for one in several]


def _answers(
    opened: Sequence[Portrait],
    data: Any,
    columns: tuple[str, ...],
    id_column: str | None,
    format: Format,  # noqa: A002
    evalue: float,
    progress: Progress,
) -> Iterator[tuple[Row, Answer]]:
    """Every row with its answer."""
    # A text of one column is that column; of several, only their values tell where each begins.
    keep = dict.fromkeys([*(columns if len(columns) > 1 else ()), *([id_column] if id_column else ())])
    reading = rows.read(data, columns=columns, keep=tuple(keep), format=format)
    progress.start(reading.n_bytes)
    try:
        for batch in reading:
            answers = asking.query(opened, [row.text for row in batch.rows], evalue=evalue)
            yield from zip(batch.rows, answers, strict=True)
            progress.advance(batch.read_bytes)
    finally:
        progress.finish()


def _choose(columns: str | Sequence[str] | None, benchmark: str | None) -> tuple[str, ...]:
    """The columns asked for."""
    if benchmark is None:
        given = (DEFAULT_COLUMN,) if columns is None else columns
        return (given,) if isinstance(given, str) else tuple(given)
    if columns is not None:
        raise SpecError("a benchmark names its columns itself: give one or the other")
    if benchmark not in BENCHMARKS:
        raise SpecError(f"unknown benchmark {benchmark!r}: choose one of {', '.join(BENCHMARKS)}")
    return BENCHMARKS[benchmark].columns


def _usual_id(data: Any, columns: Sequence[str], benchmark: str | None, format: Format) -> str | None:  # noqa: A002
    """The first column of a usual name that the data begins with; none where looking would use it up."""
    if any(shard.read_once for shard in rows.read(data, columns=columns, format=format).shards):
        return None
    own = BENCHMARKS[benchmark].id_column if benchmark else None
    for name in dict.fromkeys([own, *USUAL_IDS] if own else USUAL_IDS):
        try:
            next(iter(rows.read(data, columns=columns, keep=(name,), format=format)), None)
        except CorpusError:
            # Not there; or something else is wrong, which reading in earnest will say.
            continue
        return name
    return None


def _id(row: Row, column: str | None) -> str | None:
    value = row.values.get(column) if column else None
    return None if value is None else str(value)[:_LONGEST_ID]


def _passages(row: Row, columns: Sequence[str]) -> tuple[Passage, ...]:
    """Where the text of each column stands in the row's text."""
    if len(columns) == 1:
        return (Passage(columns[0], 0, len(row.text)),)
    passages, at = [], 0
    for column in columns:
        value = row.values[column]
        length = len(value) if isinstance(value, str) else len("\n".join(value))
        passages.append(Passage(column, at, at + length))
        at += length + 1
    return tuple(passages)


def _asked(one: Portrait) -> AskedPortrait:
    layers = tuple(AskedLayer(layer.source, layer.fpr) for layer in one.layers)
    return AskedPortrait(one.name, one.manifest.id if one.is_bundle else None, one.spec, layers)


def label(data: Any) -> str:
    """What the data is called in a report: its paths, as given."""
    if isinstance(data, str | os.PathLike):
        return "standard input" if data == "-" else os.fspath(data)
    if isinstance(data, list | tuple):
        return ", ".join(label(one) for one in data)
    return "a dataset"
