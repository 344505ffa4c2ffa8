"""Plain text: every file is one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus import Batch
from portrait.errors import CorpusError
from portrait.readers.streams import BOM, file_record, known_bytes, open_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.columns import Columns
    from portrait.corpus import Format

_BATCH_BYTES = 1 << 22


class PlainShard:
    """Text files, in the order given."""

    kind: Format = "txt"

    def __init__(self, paths: Sequence[Path], columns: Columns) -> None:
        self._paths = list(paths)
        self._columns = columns
        self.files: list[dict[str, Any]] = [file_record(path) for path in self._paths]
        self.n_bytes = known_bytes(self._paths)
        self.read_once = self.n_bytes is None

    def pieces(self) -> Iterator[PlainPiece]:
        """Several files at a time, so that small ones cost little."""
        require_no_columns(self._columns, str(self._paths[0]))
        texts: list[bytes] = []
        labels: list[str] = []
        n_bytes = read_bytes = 0
        for path in self._paths:
            with open_stream(path) as stream:
                text = document(stream.read_all(), str(path))
                read_bytes += stream.position()
            texts.append(text)
            labels.append(str(path))
            n_bytes += len(text)
            if n_bytes >= _BATCH_BYTES:
                yield PlainPiece(texts, labels, read_bytes)
                texts, labels = [], []
                n_bytes = read_bytes = 0
        if texts:
            yield PlainPiece(texts, labels, read_bytes)


class PlainPiece:
    """Documents whose encoding is yet to be checked; a :class:`portrait.corpus.Piece`."""

    def __init__(self, texts: list[bytes], labels: list[str], read_bytes: int) -> None:
        self._texts, self._labels = texts, labels
        self.n_rows = len(texts)
        self.read_bytes = read_bytes

    def batch(self) -> Batch:
        """The documents as an Arrow array."""
        pa = extras.load("pyarrow", "build")
        return Batch(pa.array(self._texts, pa.large_binary()), self._labels.__getitem__, self.read_bytes)

    def places(self) -> list[str]:
        """The documents' files."""
        return self._labels


def require_no_columns(columns: Columns, where: str) -> None:
    """Plain text has no columns to keep. Raises :class:`CorpusError` where some are wanted."""
    if columns.keep:
        raise CorpusError(
            f"{where}: plain text has no columns, so none to keep ({', '.join(columns.keep)}): "
            "leave --keep out, or name the format with --format"
        )


def document(data: bytes, where: str) -> bytes:
    """A file's content without its byte-order mark. Raises :class:`CorpusError` where it is binary."""
    nul = data.find(b"\0")
    if nul >= 0:
        raise CorpusError(f"{where}: a NUL byte at byte {nul}: this is not a text file: leave it out")
    return data.removeprefix(BOM)
