"""The file formats of a scan: written piece by piece, and put together at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from portrait.errors import SpecError
from portrait.scanning.json_lines import JsonLines
from portrait.scanning.parquet import Parquet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from portrait.corpus.rows import Row


class RowFile(Protocol):
    """A file format for the rows of a scan."""

    def encode(self, rows: Sequence[Row], kept: Sequence[Any], records: Sequence[dict[str, Any]]) -> bytes:
        """Return some rows as a piece. The pieces, end to end, are the unfinished file.

        Args:
            rows: The rows of the data.
            kept: The columns that the rows' ``values`` come from.
            records: One record for each row (see :mod:`portrait.answers.record`).
        """

    def finish(self, parts: Path, whole: Path, *, facts: Mapping[str, str]) -> Path:
        """Make the file out of its pieces.

        Args:
            parts: The unfinished file.
            whole: Where to write the finished file, unless ``parts`` is one already.
            facts: What is known about all rows, for a format with a place for it.

        Returns:
            The path of the finished file.
        """


def row_file(name: str, keep: Sequence[str], *, matches: bool, several: bool) -> RowFile:
    """Return the format that a file's name calls for.

    Args:
        name: The file's name, which ends in ``.jsonl``, ``.ndjson`` or ``.parquet``.
        keep: The names of the kept columns.
        matches: Whether the records list matches.
        several: Whether the records list what each of several portraits says.

    Raises:
        SpecError: The name ends differently.
    """
    lower = name.lower()
    if lower.endswith((".jsonl", ".ndjson")):
        return JsonLines()
    if lower.endswith(".parquet"):
        return Parquet(tuple(keep), matches, several)
    raise SpecError(f"{name}: cannot tell the format: name the output .jsonl or .parquet", parameter="out")
