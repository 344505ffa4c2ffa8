"""A report's files: the page, the numbers, the clean rows and the contaminated ones."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.errors import CorpusError
from portrait.progress import Silent
from portrait.reports.runner import ReportOptions, ReportRun
from portrait.reports.split import original_rows, require_splittable, row_sink
from portrait.reports.tally import LETTERS
from portrait.storage.outputs import Outputs, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.progress import Progress
    from portrait.reports.report import Report
    from portrait.reports.runner import Portraits
    from portrait.reports.split import RowSink


@dataclass(frozen=True, slots=True)
class Files:
    """The destinations of a report; a file without a name is not written.

    ``clean`` receives the rows that were not found, and the inconclusive ones unless ``strict_clean``;
    ``contaminated`` receives the rows that were found. ``overwrite`` allows replacing files.
    """

    html: Path | None = None
    json: Path | None = None
    clean: Path | None = None
    contaminated: Path | None = None
    strict_clean: bool = False
    overwrite: bool = False

    @property
    def paths(self) -> list[Path]:
        """The files to write."""
        return [path for path in (self.html, self.json, self.clean, self.contaminated) if path is not None]

    @property
    def splits(self) -> list[tuple[Path, bytes]]:
        """The files of rows to write, each with the letters of the verdicts whose rows it receives."""
        clean = LETTERS["not_found"] + (b"" if self.strict_clean else LETTERS["inconclusive"])
        pairs = [(self.clean, clean), (self.contaminated, LETTERS["found"])]
        return [(path, letters) for path, letters in pairs if path is not None]


def publish(
    portraits: Portraits, data: Any, options: ReportOptions, files: Files, progress: Progress | None = None
) -> Report:
    """Report on an evaluation set and write the report's files, reading the data once.

    All files appear when all of them are complete, or none does.

    Args:
        portraits: As for :func:`portrait.report`.
        data: As for :func:`portrait.report`; files, if their rows are to be written.
        options: The options of the report.
        files: The files to write.
        progress: Receives the number of bytes read.

    Returns:
        The report.

    Raises:
        OutputExistsError: A file exists and may not be replaced, or is part of the data.
        OutputError: A file cannot be written.
        SpecError: An option is invalid, or a file's name does not suit the data.
        CorpusError: The data cannot be read or split, or changed while it was read.
        PortraitError: A portrait cannot be opened.
    """
    run = ReportRun(portraits, data, options, whole=bool(files.splits))
    for path, _ in files.splits:
        require_splittable(run.source.shards, path)
    inputs = [Path(file["path"]) for file in run.source.files]
    with Outputs(files.paths, inputs=inputs, overwrite=files.overwrite) as outputs:
        stamps = list(_stamps(run)) if files.splits else []
        _split(run, files, outputs, progress or Silent())
        if files.splits and list(_stamps(run)) != stamps:
            raise CorpusError("the data changed while it was read: run the report again")
        report = run.report()
        if files.html is not None:
            _put(outputs, files.html, report.to_html())
        if files.json is not None:
            _put(outputs, files.json, json.dumps(report.to_dict(), ensure_ascii=False, indent=2) + "\n")
        outputs.commit()
    return report


def _split(run: ReportRun, files: Files, outputs: Outputs, progress: Progress) -> None:
    """Read and count all rows, and write each to the files that receive it."""
    with ExitStack() as stack:
        chunks = stack.enter_context(closing(run.chunks(progress)))
        sinks: list[tuple[RowSink, bytes]] = [
            (stack.enter_context(row_sink(path, outputs.file(path))), letters)
            for path, letters in files.splits
        ]
        for chunk, verdicts in chunks:
            if sinks:
                rows = original_rows(chunk)
                for sink, letters in sinks:
                    sink.write(rows, bytes(verdict in letters for verdict in verdicts))


def _stamps(run: ReportRun) -> Iterator[list[Any]]:
    """Yield the size and the time of modification of each file of the data, as of now."""
    for shard in run.source.shards:
        yield from shard.stamps()


def _put(outputs: Outputs, path: Path, content: str) -> None:
    with writing(path):
        # Names of files need not be UTF-8: other bytes are escaped, as JSON does it, too.
        outputs.file(path).write(content.encode(errors="backslashreplace"))
