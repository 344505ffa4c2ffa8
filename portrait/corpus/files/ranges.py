"""Byte ranges of files of lines, each of which can be read by itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from portrait.corpus.files.failures import reason, unreadable
from portrait.corpus.files.streams import CHUNK_BYTES, ByteStream
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def open_range(path: Path, start: int, stop: int | None) -> Iterator[ByteStream]:
    """Open the lines of a file that begin in a range of its bytes.

    Adjacent ranges yield each line exactly once.

    Args:
        path: The file.
        start: The first byte of the range.
        stop: The byte after the last, or ``None`` for the end of the file.

    Raises:
        UnreadableFileError: The file cannot be opened or read.
    """
    try:
        file = path.open("rb", buffering=CHUNK_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error
    with file:
        lines = _Range(file, start, stop)
        yield ByteStream(str(path), lines.read, lines.position)


class _Range:
    """The bytes of the lines that begin within a range."""

    def __init__(self, file: Any, start: int, stop: int | None) -> None:
        self._file, self._start, self._stop = file, start, stop
        self._at: int | None = None
        self._ended = False

    def read(self, n_bytes: int) -> bytes:
        if self._at is None:
            self._at = self._seek()
        if self._ended:
            return b""
        data: bytes = self._file.read(n_bytes)
        first, self._at = self._at, self._at + len(data)
        if self._stop is not None and self._at >= self._stop:
            # The last line ends with the first line feed at the range's last byte, or behind it.
            end = data.find(b"\n", max(0, self._stop - 1 - first)) + 1
            if end:
                self._ended = True
                return data[:end]
        return data

    def position(self) -> int:
        """Return how many bytes of the range have been read, not counting bytes outside it."""
        at = self._start if self._at is None else max(self._at, self._start)
        return (at if self._stop is None else min(at, self._stop)) - self._start

    def _seek(self) -> int:
        """Seek to the first line that begins within the range and return its position."""
        at = self._start
        if at:
            # A line may be longer than memory, and longer than the range.
            at = self._file.seek(at - 1)
            end = 0
            while not end and not (self._stop is not None and at >= self._stop):
                data = self._file.read(CHUNK_BYTES)
                end = data.find(b"\n") + 1
                at += end or len(data)
                if not data:
                    break
            self._file.seek(at)
        self._ended = self._stop is not None and at >= self._stop
        return at


class LinesBefore:
    """The lines of a file that begin before a range of it."""

    def __init__(self, path: Path, start: int) -> None:
        self._path, self._start = path, start
        self._n_lines: int | None = None

    @property
    def none(self) -> bool:
        """Whether the range begins where the file begins."""
        return not self._start

    def count(self) -> int:
        """Return their number, counting them at the first call.

        Raises:
            UnreadableFileError: The file cannot be read.
        """
        if self._n_lines is None:
            self._n_lines = self._count()
        return self._n_lines

    def _count(self) -> int:
        if not self._start:
            return 0
        # The first line feed from the byte before the range on ends the last line that precedes it.
        n_lines, left = 1, self._start - 1
        try:
            with self._path.open("rb", buffering=0) as file:
                while left and (data := file.read(min(left, CHUNK_BYTES))):
                    n_lines += data.count(b"\n")
                    left -= len(data)
        except OSError as error:
            raise UnreadableFileError(f"{self._path}: cannot read: {reason(error)}") from error
        return n_lines
