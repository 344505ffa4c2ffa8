"""Every row of a data set asked: rows → answers → a file of findings, in the same order."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, get_args

from portrait.answers.answer import Verdict
from portrait.answers.judge import DEFAULT_EVALUE, require_evalue
from portrait.answers.record import finding
from portrait.corpus import rows
from portrait.corpus.columns import DEFAULT_COLUMN
from portrait.corpus.locations import is_url
from portrait.engines.pool import in_order, require_workers
from portrait.errors import CorpusError, SpecError
from portrait.portraits import portrait as asking
from portrait.progress import Silent
from portrait.scanning import row_files as rowfiles
from portrait.storage.journal import Done, Journal
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Chunk, Format
    from portrait.portraits.portrait import Portrait
    from portrait.progress import Progress
    from portrait.scanning.row_files import RowFile

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
COUNTED = ("rows", *VERDICTS, "text_bytes")

#: Of less data than this, starting a second process would take longer than asking it does.
_SMALL_BYTES = 4_000_000


class Scanned(NamedTuple):
    """What a scan has gone through.

    ``text_bytes`` of text in ``rows`` rows, of which ``resumed_rows`` and ``resumed_bytes`` had been
    done before, by a scan that was stopped.
    """

    rows: int
    found: int
    not_found: int
    inconclusive: int
    text_bytes: int
    resumed_rows: int
    resumed_bytes: int


def scan_rows(
    portraits: Sequence[Portrait],
    data: Any,
    out: str | os.PathLike[str] | BinaryIO,
    *,
    columns: Sequence[str] = (DEFAULT_COLUMN,),
    keep: Sequence[str] = (),
    evalue: float = DEFAULT_EVALUE,
    format: Format = "auto",  # noqa: A002
    matches: bool = True,
    workers: int = 1,
    overwrite: bool = False,
    restart: bool = False,
    progress: Progress | None = None,
) -> Scanned:
    """Ask every row of ``data`` and write one row for each to ``out``, in the same order.

    ``data``, ``columns`` and ``keep`` are as for :func:`portrait.corpus.rows.read`; ``portraits`` are asked
    together, as by :func:`portrait.query`. ``out`` is a path that ends in ``.jsonl`` or
    ``.parquet``, or a stream, which gets JSON lines: ``row``, ``place``, ``values`` (an object of the
    kept columns, where there are any), then the fields of :mod:`portrait.answers.record`, ``matches`` only
    where wanted. ``workers`` is the number of processes; memory is bounded whatever the data's size.

    A file appears when it is whole. What a scan that was killed has finished is not asked again by
    the same call, and the file is the same to the byte; unless the data come from a stream or a data
    set in memory, which cannot be recognised. ``restart`` begins anew, ``overwrite`` replaces a file.

    Raises :class:`SpecError`, :class:`CorpusError`, :class:`TextError`, :class:`OutputExistsError`
    (for another scan into the same file, too), :class:`OutputError`, :class:`WorkerError`.
    """
    if not portraits:
        raise SpecError("no portrait to ask: name one or more")
    require_evalue(evalue)
    require_workers(workers)
    target = Path(out) if isinstance(out, str | os.PathLike) else None
    file: RowFile = rowfiles.JsonLines()
    if target is not None:
        file = rowfiles.of_name(target.name, keep, matches=matches)
    reading = rows.read(data, columns=columns, keep=keep, format=format)
    if reading.n_bytes is not None and reading.n_bytes < _SMALL_BYTES:
        workers = 1
    work = Asking(tuple(portraits), reading.columns, evalue, matches, file)
    sink: Any
    if target is None:
        assert not isinstance(out, str | os.PathLike)
        sink = nullcontext(_Stream(out))
    else:
        inputs = _inputs(reading)
        task = work.task() | {"format": format, "data": inputs}
        sink = Journal(target, task, resumable=bool(inputs), overwrite=overwrite, restart=restart)
    with sink as written:
        before = written.done.counts
        _ask(reading, work, workers, written, progress or Silent())
        if target is not None:
            if _inputs(reading) != inputs:
                raise CorpusError(f"{target}: the data changed while they were read: --restart to begin anew")
            written.commit(file.finish)
    counted = {name: written.done.counts.get(name, 0) for name in COUNTED}
    return Scanned(**counted, resumed_rows=before.get("rows", 0), resumed_bytes=before.get("text_bytes", 0))


def _ask(
    reading: rows.RowSource, work: Asking, workers: int, written: Journal | _Stream, progress: Progress
) -> None:
    """Ask what is not written yet, and write it."""
    n_done = written.done.n_pieces

    def tasks() -> Iterator[tuple[int, Chunk]]:
        for i, (number, chunk) in enumerate(reading.chunks()):
            if i < n_done:
                progress.advance(chunk.read_bytes)
            else:
                yield number, chunk

    progress.start(reading.n_bytes)
    try:
        with closing(in_order(work, tasks(), workers)) as results:
            for asked in results:
                written.append(asked.data, asked.counts)
                progress.advance(asked.read_bytes)
    finally:
        progress.finish()


class _Stream:
    """Where rows go that nobody will go on with."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.done = Done()

    def append(self, data: bytes, counts: dict[str, int]) -> None:
        """Write them."""
        self._stream.write(data)
        self.done = self.done.plus(data, counts)


class Asked(NamedTuple):
    """A chunk of the output, what was counted in it, and how much was read for it."""

    data: bytes
    counts: dict[str, int]
    read_bytes: int


@dataclass(frozen=True)
class Asking:
    """What is asked of every row; called, it makes the function that asks a chunk's."""

    portraits: tuple[Portrait, ...]
    columns: Columns
    evalue: float
    matches: bool
    file: RowFile

    def task(self) -> dict[str, Any]:
        """What a scan must have in common with another to go on with it."""
        return {
            "version of portrait": __version__,
            "portraits": [[one.name, one.identity, one.spec.stride] for one in self.portraits],
            "columns": list(self.columns.text),
            "columns to keep": list(self.columns.keep),
            "threshold": self.evalue,
            "matches": self.matches,
            "output": type(self.file).__name__,
        }

    def __call__(self) -> Callable[[tuple[int, Chunk]], Asked]:
        """The function, which gets the number of a chunk's first row and the chunk."""
        return self._ask

    def _ask(self, task: tuple[int, Chunk]) -> Asked:
        number, chunk = task
        asked, kept = rows.unpack(chunk, number, self.columns)
        qualified = len(self.portraits) > 1
        findings = [
            finding(
                asking.query(self.portraits, row.text, evalue=self.evalue),
                matches=self.matches,
                qualified=qualified,
            )
            for row in asked
        ]
        counts = dict.fromkeys(COUNTED, 0)
        counts["rows"] = len(asked)
        counts["text_bytes"] = sum(
            len(row.text) if row.text.isascii() else len(row.text.encode()) for row in asked
        )
        for found in findings:
            counts[found["verdict"]] += 1
        return Asked(self.file.encode(asked, kept, findings), counts, chunk.read_bytes)


def _inputs(reading: rows.RowSource) -> list[list[Any]]:
    """The files as they are now; none if some of the data is not in files."""
    if reading.n_bytes is None:
        return []
    found = []
    for shard in reading.shards:
        for stamp in shard.stamps():
            path = stamp.path if is_url(stamp.path) else os.path.abspath(stamp.path)  # noqa: PTH100
            found.append([path, *stamp.state])
    return found
