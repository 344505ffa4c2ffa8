"""A report's files: the page, the numbers, the clean rows and the contaminated ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.corpus import rows
from portrait.reports.split import require_splittable, split
from portrait.reports.tally import LETTERS
from portrait.storage.failures import writing
from portrait.storage.outputs import Outputs

if TYPE_CHECKING:
    from portrait.corpus.shards import Format, Shard
    from portrait.reports.report import Report


@dataclass(frozen=True, slots=True)
class Files:
    """Where a report goes: each file is left out where it has no name.

    ``clean`` gets the rows that were not found, the inconclusive ones too, unless ``strict_clean``;
    ``contaminated`` gets those that were found.
    """

    html: Path | None = None
    json: Path | None = None
    clean: Path | None = None
    contaminated: Path | None = None
    strict_clean: bool = False
    overwrite: bool = False

    @property
    def paths(self) -> list[Path]:
        """The files there are to be."""
        return [path for path in (self.html, self.json, self.clean, self.contaminated) if path is not None]

    def outputs(self, data: Any, format: Format = "auto") -> Outputs:  # noqa: A002
        """The files of a report on ``data``, yet to be written.

        Raises what says that they cannot be, so that nobody waits for a report in vain:
        :class:`OutputExistsError`, :class:`SpecError`, :class:`CorpusError`.
        """
        reading = rows.read(data, format=format)
        for path in (self.clean, self.contaminated):
            if path is not None:
                require_splittable(reading.shards, path)
        inputs = [Path(file.path) for file in reading.files]
        return Outputs(self.paths, inputs=inputs, overwrite=self.overwrite)

    def write(self, report: Report, data: Any, outputs: Outputs, format: Format = "auto") -> None:  # noqa: A002
        """Write the files of ``report``, which is on ``data``; ``outputs`` is to be committed.

        Raises :class:`OutputError`, and :class:`CorpusError` where the data has changed.
        """
        shards = rows.read(data, format=format).shards
        not_found = LETTERS["not_found"]
        clean = not_found if self.strict_clean else not_found + LETTERS["inconclusive"]
        if self.html is not None:
            self._put(outputs, self.html, report.to_html())
        if self.json is not None:
            self._put(outputs, self.json, json.dumps(report.to_dict(), ensure_ascii=False, indent=2) + "\n")
        if self.clean is not None:
            self._split(shards, report, clean, self.clean, outputs)
        if self.contaminated is not None:
            self._split(shards, report, LETTERS["found"], self.contaminated, outputs)

    @staticmethod
    def _put(outputs: Outputs, path: Path, content: str) -> None:
        with writing(path):
            # Names of files need not be UTF-8; what is not is spelled out, as JSON does it, too.
            outputs.file(path).write(content.encode(errors="backslashreplace"))

    @staticmethod
    def _split(shards: list[Shard], report: Report, letters: bytes, path: Path, outputs: Outputs) -> None:
        with writing(path):
            split(shards, report.findings.verdicts, letters, path, outputs.file(path))
