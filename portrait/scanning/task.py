"""The work of a scan: from a chunk of rows to a piece of the output. Worker processes receive it pickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.answers.record import to_record
from portrait.answers.verdict import VERDICTS
from portrait.corpus.rows import unpack
from portrait.portraits.portrait import query
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Chunk
    from portrait.portraits.portrait import Portrait
    from portrait.scanning.row_files import RowFile

#: What a scan counts: rows, the rows of each verdict, the bytes of their texts, and the number of rows that
#: chance alone is expected to find.
COUNTERS = ("rows", *VERDICTS, "text_bytes", "expected_by_chance")


@dataclass(frozen=True, slots=True)
class RowBatchResult:
    """A piece of the output.

    Attributes:
        data: The piece itself.
        counts: A number for each of :data:`COUNTERS`.
        read_bytes: The number of bytes of the sources that were read for it.
    """

    data: bytes
    counts: dict[str, float]
    read_bytes: int


@dataclass(frozen=True)
class ScanTask:
    """What a scan asks about every row. A call returns the function that asks about a chunk's rows.

    Attributes:
        portraits: The portraits, asked together.
        columns: The columns that make the text, and those to keep.
        evalue: The threshold.
        matches: Whether the records list matches.
        file: The format of the output.
    """

    portraits: tuple[Portrait, ...]
    columns: Columns
    evalue: float
    matches: bool
    file: RowFile

    def identity(self) -> dict[str, Any]:
        """Return what two scans must have in common for one to resume the other, as a JSON object.

        Error messages name the entries that differ.
        """
        return {
            "version of portrait": __version__,
            "portraits": [[one.name, one.identity, one.spec.stride] for one in self.portraits],
            "columns": list(self.columns.text),
            "columns to keep": list(self.columns.keep),
            "threshold": self.evalue,
            "matches": self.matches,
            "output": type(self.file).__name__,
        }

    def __call__(self) -> Callable[[tuple[int, Chunk]], RowBatchResult]:
        """Return the function, which takes the number of a chunk's first row and the chunk."""
        return self._scan

    def _scan(self, numbered_chunk: tuple[int, Chunk]) -> RowBatchResult:
        number, chunk = numbered_chunk
        rows, kept = unpack(chunk, number, self.columns)
        qualified = len(self.portraits) > 1
        counts: dict[str, float] = dict.fromkeys(COUNTERS, 0)
        counts["rows"] = len(rows)
        records = []
        for row in rows:
            answer = query(self.portraits, row.text, evalue=self.evalue)
            records.append(to_record(answer, matches=self.matches, qualified=qualified))
            counts[answer.verdict] += 1
            counts["expected_by_chance"] += answer.expected_by_chance
            counts["text_bytes"] += len(row.text) if row.text.isascii() else len(row.text.encode())
        return RowBatchResult(self.file.encode(rows, kept, records), counts, chunk.read_bytes)
