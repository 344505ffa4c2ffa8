"""What shards share that read one file or a part of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from portrait.corpus.files.file import File, digest, file_record, known_bytes, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import FileRecord, Shard, Stamp


class FileShard:
    """A shard that reads one file, or a part of it.

    The first part of a divided file carries the file's record; the others have no ``files``.

    Raises:
        UnreadableFileError: The file cannot be looked up.
    """

    read_once = False

    def __init__(self, path: File, columns: Columns) -> None:
        self._path = path
        self._columns = columns
        self.files: list[FileRecord] = [file_record(path)]
        self.n_bytes: int | None = self.files[0].n_bytes

    @property
    def label(self) -> str:
        """The file's path."""
        return str(self._path)

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002
        """Return the shard alone: most formats cannot be divided."""
        shard: Any = self
        return [shard]

    def excerpt(self, n_bytes: int) -> Self:  # noqa: ARG002
        """Return the shard itself: its documents are rows."""
        return self

    def with_columns(self, columns: Columns) -> Self:
        """Return this shard with other columns."""
        other = copy.copy(self)
        other._columns = columns
        return other

    def stamps(self) -> list[Stamp]:
        """Return the file's present state."""
        return [stamp(self._path)]

    def digests(self) -> dict[str, str]:
        """Read the file to compute its digest; there is none of a part that is not the first.

        A remote file has none either: it would be fetched a second time.
        """
        if not isinstance(self._path, Path):
            return {}
        return {file.path: digest(self._path) for file in self.files}

    def _part(self, n_bytes: int, *, first: bool) -> Self:
        """Return a copy that reads ``n_bytes`` of what this shard reads."""
        part = copy.copy(self)
        part.n_bytes = n_bytes
        if not first:
            part.files = []
        return part


class SequentialShard(FileShard):
    """A shard that reads a file from beginning to end and hashes it on the way.

    ``chunks`` sets ``_digest``.
    """

    def __init__(self, path: File, columns: Columns) -> None:
        super().__init__(path, columns)
        self.n_bytes = known_bytes([path])
        self.read_once = self.n_bytes is None and isinstance(path, Path)
        self._digest: str | None = None

    def digests(self) -> dict[str, str]:
        """Return the digest of the file, once it has been read to its end."""
        return {} if self._digest is None else {str(self._path): self._digest}


class Preceding(Protocol):
    """The rows or lines of a file that precede a part of it."""

    def count(self) -> int:
        """Return their number, counting them at the first call.

        Raises:
            UnreadableFileError: The file cannot be read.
        """


class UnitRun(NamedTuple):
    """Consecutive units of a shard, from ``begin`` up to ``end``, and their share of its bytes."""

    begin: int
    end: int
    n_bytes: int


def runs(sizes: Sequence[int], n_bytes: int, total: int) -> list[UnitRun]:
    """Group consecutive units into runs of about equal size.

    Args:
        sizes: The size of each unit.
        n_bytes: The size that ends a run.
        total: The bytes to share out among the runs, in proportion to their sizes.

    Returns:
        The runs, whose bytes add up to ``total``.
    """
    whole = max(1, sum(sizes))
    grouped: list[UnitRun] = []
    begin = position = run_bytes = shared = 0
    for i, size in enumerate(sizes):
        run_bytes += size
        position += size
        is_last = i == len(sizes) - 1
        if run_bytes >= n_bytes or is_last:
            share = total if is_last else total * position // whole
            grouped.append(UnitRun(begin, i + 1, share - shared))
            begin, run_bytes, shared = i + 1, 0, share
    return grouped
