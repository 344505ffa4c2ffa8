"""Every row of a dataset asked about: rows → answers → a file of records, in the same order."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from portrait.answers.judge import DEFAULT_ROW_EVALUE, require_evalue
from portrait.answers.verdict import VERDICTS
from portrait.corpus import rows
from portrait.corpus.columns import DEFAULT_COLUMN, DEFAULT_MAX_DOCUMENT_BYTES
from portrait.corpus.locations import is_url
from portrait.engines.pool import in_order, require_workers
from portrait.errors import CorpusError, OutputExistsError, SpecError, WorkerError
from portrait.portraits import portrait as opening
from portrait.progress import Silent
from portrait.scanning.json_lines import JsonLines
from portrait.scanning.row_files import row_file
from portrait.scanning.task import ScanTask
from portrait.storage.journal import Done, Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from portrait.corpus.shards import Chunk, Format
    from portrait.portraits.portrait import Portrait
    from portrait.progress import Progress
    from portrait.scanning.row_files import RowFile

#: For less data than this, starting a second process takes longer than the scan.
_SMALL_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """What a scan has gone through.

    Attributes:
        rows: The number of rows.
        found: The number of rows with this verdict.
        not_found: The number of rows with this verdict.
        inconclusive: The number of rows with this verdict.
        text_bytes: The number of bytes of text in all rows.
        evalue: The E-value threshold of each row.
        expected_by_chance: The number of rows that chance alone is expected to find.
        resumed_rows: The number of rows that an interrupted scan had finished before.
        resumed_bytes: The number of bytes of text in these.
    """

    rows: int
    found: int
    not_found: int
    inconclusive: int
    text_bytes: int
    evalue: float
    expected_by_chance: float
    resumed_rows: int
    resumed_bytes: int

    @classmethod
    def of_counts(
        cls, evalue: float, counts: Mapping[str, float], resumed: Mapping[str, float]
    ) -> ScanSummary:
        """Return the summary of the counts of all rows, and of those of the resumed rows among them."""
        return cls(
            **{name: int(counts.get(name, 0)) for name in (*VERDICTS, "rows", "text_bytes")},
            evalue=evalue,
            expected_by_chance=counts.get("expected_by_chance", 0.0),
            resumed_rows=int(resumed.get("rows", 0)),
            resumed_bytes=int(resumed.get("text_bytes", 0)),
        )


def scan_rows(
    portraits: Sequence[Portrait],
    data: Any,
    out: str | os.PathLike[str] | BinaryIO,
    *,
    columns: Sequence[str] = (DEFAULT_COLUMN,),
    keep: Sequence[str] = (),
    evalue: float = DEFAULT_ROW_EVALUE,
    format: Format = "auto",  # noqa: A002
    max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
    matches: bool = True,
    workers: int = 1,
    overwrite: bool = False,
    restart: bool = False,
    progress: Progress | None = None,
) -> ScanSummary:
    """Ask about every row of ``data`` and write one row for each to ``out``, in the same order.

    A file appears when it is whole. After an interruption, the same call skips the rows that are finished,
    and the file is the same to the byte. Data from a stream or a dataset in memory cannot be recognised, so
    such a scan starts again.

    Args:
        portraits: The portraits, asked together as by :func:`portrait.query`.
        data: The rows, as for :func:`portrait.corpus.rows.read`.
        out: A path that ends in ``.jsonl`` or ``.parquet``, or a stream, which gets JSON lines. A row has
            ``row``, ``place``, ``values`` (an object of the kept columns, if there are any), and the fields
            of :mod:`portrait.answers.record`.
        columns: The columns that make the text.
        keep: The columns to carry along.
        evalue: The threshold of each row, as for :func:`portrait.report`.
        format: The format of the data.
        max_document_bytes: The size of the largest text; a larger one is an error.
        matches: Whether a row lists its matches.
        workers: The number of processes. Memory is bounded whatever the size of the data.
        overwrite: Whether to replace a file at ``out``, and what another scan into it has left.
        restart: Whether to scan all rows again, whatever an interrupted scan has finished.
        progress: Receives the number of bytes read.

    Returns:
        The numbers of rows, by verdict.

    Raises:
        SpecError: An argument is outside its range.
        CorpusError: The data cannot be read, or changed meanwhile.
        OutputExistsError: The output exists, or another scan into it is unfinished or running.
        OutputError: The output cannot be written.
        WorkerError: A process died.
        DamagedBundleError: A process died, and a portrait's files have been cut short.
    """
    if not portraits:
        raise SpecError("no portrait to ask: name one or more")
    require_evalue(evalue)
    require_workers(workers)
    file: RowFile = JsonLines()
    if isinstance(out, str | os.PathLike):
        file = row_file(Path(out).name, keep, matches=matches, several=len(portraits) > 1)
    reading = rows.read(
        data, columns=columns, keep=keep, max_document_bytes=max_document_bytes, format=format
    )
    if reading.n_bytes is not None and reading.n_bytes < _SMALL_BYTES:
        workers = 1
    task = ScanTask(tuple(portraits), reading.columns, evalue, matches, file)
    progress = progress or Silent()
    if isinstance(out, str | os.PathLike):
        return _into_file(
            Path(out),
            reading,
            task,
            workers,
            progress,
            format=format,
            overwrite=overwrite,
            restart=restart,
        )
    return _into_stream(out, reading, task, workers, progress)


def _into_stream(
    stream: BinaryIO, reading: rows.RowSource, task: ScanTask, workers: int, progress: Progress
) -> ScanSummary:
    """Scan into a stream, which no later scan can resume."""

    def append(piece: bytes, counts: dict[str, float]) -> None:  # noqa: ARG001
        stream.write(piece)

    return ScanSummary.of_counts(task.evalue, _scan(reading, task, workers, append, Done(), progress), {})


def _into_file(
    path: Path,
    reading: rows.RowSource,
    task: ScanTask,
    workers: int,
    progress: Progress,
    *,
    format: Format,  # noqa: A002
    overwrite: bool,
    restart: bool,
) -> ScanSummary:
    """Scan into a file that appears when it is whole, and resume an unfinished scan into it."""
    inputs = _inputs(reading)
    if os.path.realpath(path) in {os.path.realpath(name) for name, *_ in inputs if not is_url(name)}:
        raise OutputExistsError(f"{path}: is one of the inputs: choose another name")
    identity = task.identity() | {"format": format, "data": inputs}
    with Journal(path, identity, resumable=bool(inputs), overwrite=overwrite, restart=restart) as journal:
        resumed = journal.done
        counts = _scan(reading, task, workers, journal.append, resumed, progress)
        if _inputs(reading) != inputs:
            raise CorpusError(
                f"{path}: the data changed while they were read: scan them again from the start",
                parameter="restart",
            )
        summary = ScanSummary.of_counts(task.evalue, counts, resumed.counts)
        facts = {
            "portrait.evalue": f"{summary.evalue:g}",
            "portrait.expected_by_chance": f"{summary.expected_by_chance:.3g}",
        }
        journal.commit(partial(task.file.finish, facts=facts))
    return summary


def _scan(
    reading: rows.RowSource,
    task: ScanTask,
    workers: int,
    append: Callable[[bytes, dict[str, float]], None],
    done: Done,
    progress: Progress,
) -> dict[str, float]:
    """Scan all chunks but those that are done, and return the counts of all chunks together."""
    # The numbers are added in the order of the chunks, so that a resumed scan has the same sums to the bit.
    counts = dict(done.counts)

    def chunks() -> Iterator[tuple[int, Chunk]]:
        for i, (number, chunk) in enumerate(reading.chunks()):
            if i < done.n_pieces:
                progress.advance(chunk.read_bytes)
            else:
                yield number, chunk

    progress.start(reading.n_bytes)
    try:
        with closing(in_order(task, chunks(), workers)) as results:
            for result in results:
                append(result.data, result.counts)
                for name, n in result.counts.items():
                    counts[name] = counts.get(name, 0) + n
                progress.advance(result.read_bytes)
    except WorkerError:
        # Reading a mapped file that has been cut short ends a process, too: opening it again says so.
        for one in task.portraits:
            opening.open(one.path, stride=one.spec.stride)
        raise
    finally:
        progress.finish()
    return counts


def _inputs(reading: rows.RowSource) -> list[list[Any]]:
    """Return the files of the data as they are now, or nothing if some of the data is not in files."""
    if reading.n_bytes is None:
        return []
    return [
        [stamp.path if is_url(stamp.path) else os.path.abspath(stamp.path), *stamp.state]  # noqa: PTH100
        for shard in reading.shards
        for stamp in shard.stamps()
    ]
