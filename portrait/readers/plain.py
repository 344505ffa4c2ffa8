"""Plain text: every file is one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus import Batch
from portrait.errors import CorpusError
from portrait.readers.streams import BOM, file_record, open_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BATCH_BYTES = 1 << 22


class PlainShard:
    """Text files, in the order given."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self.files: list[dict[str, Any]] = [file_record(path) for path in self._paths]
        self.n_bytes: int | None = sum(file["bytes"] for file in self.files)

    def batches(self) -> Iterator[Batch]:
        """Several files at a time, so that small ones cost little."""
        texts: list[bytes] = []
        paths: list[Path] = []
        n_bytes = read_bytes = 0
        for path in self._paths:
            with open_stream(path) as stream:
                text = document(stream.read_all(), str(path))
                read_bytes += stream.position()
            texts.append(text)
            paths.append(path)
            n_bytes += len(text)
            if n_bytes >= _BATCH_BYTES:
                yield _batch(texts, paths, read_bytes)
                texts, paths = [], []
                n_bytes = read_bytes = 0
        if texts:
            yield _batch(texts, paths, read_bytes)


def _batch(texts: list[bytes], paths: list[Path], read_bytes: int) -> Batch:
    return Batch(documents(texts), lambda row: str(paths[row]), read_bytes)


def documents(texts: list[bytes]) -> Any:
    """An Arrow array of documents whose encoding is yet to be checked."""
    pa = extras.load("pyarrow", "build")
    return pa.array(texts, pa.large_binary())


def document(data: bytes, where: str) -> bytes:
    """A file's content without its byte-order mark. Raises :class:`CorpusError` where it is binary."""
    nul = data.find(b"\0")
    if nul >= 0:
        raise CorpusError(f"{where}: a NUL byte at byte {nul}: this is not a text file: leave it out")
    return data.removeprefix(BOM)
