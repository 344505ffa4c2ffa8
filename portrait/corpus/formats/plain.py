"""Plain text: every file is one document."""

from __future__ import annotations

import copy
from array import array
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.corpus.files.file import File, file_record, is_compressed, known_bytes, runs, stamp
from portrait.corpus.files.streams import BOM, open_stream
from portrait.corpus.shards import Batch
from portrait.errors import CorpusError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.streams import ByteStream
    from portrait.corpus.shards import Format, Shard

_BATCH_BYTES = 1 << 22


class PlainShard:
    """Text files, in the order given."""

    kind: Format = "txt"

    def __init__(self, paths: Sequence[File], columns: Columns) -> None:
        self._paths = list(paths)
        self._columns = columns
        self.files: list[dict[str, Any]] = [file_record(path) for path in self._paths]
        self.n_bytes = known_bytes(self._paths)
        self.read_once = self.n_bytes is None and any(isinstance(path, Path) for path in self._paths)
        self._digests: dict[str, str] = {}
        #: No more than this is read of a document, if it is a number.
        self._most_bytes: int | None = None

    @property
    def label(self) -> str:
        """The first file's path, and how many more there are."""
        n_more = len(self._paths) - 1
        return f"{self._paths[0]}" + (f" and {n_more} more" if n_more else "")

    def split(self, n_bytes: int) -> list[Shard]:
        """Files that together have about ``n_bytes`` bytes."""
        if self.n_bytes is None:
            return [self]
        parts: list[Shard] = []
        for (begin, end), size in runs([file["bytes"] for file in self.files], n_bytes, self.n_bytes):
            part = copy.copy(self)
            part._paths, part.files = self._paths[begin:end], self.files[begin:end]
            part.n_bytes = size
            part._digests = {}
            parts.append(part)
        return parts if len(parts) > 1 else [self]

    def excerpt(self, n_bytes: int) -> PlainShard:
        """The same, but of each document no more than its first ``n_bytes`` bytes."""
        part = copy.copy(self)
        part._most_bytes = n_bytes
        return part

    def stamps(self) -> list[list[Any]]:
        """The files' paths, sizes and times of modification as of now."""
        return [stamp(path) for path in self._paths]

    def digests(self) -> dict[str, str]:
        """The digests of the files that have been read."""
        return dict(self._digests)

    def chunks(self) -> Iterator[PlainChunk]:
        """Several files at a time, so that small ones cost little."""
        require_no_columns(self._columns, str(self._paths[0]))
        self._digests = {}
        texts: list[bytes] = []
        labels: list[str] = []
        n_bytes = read_bytes = 0
        for path in self._paths:
            with open_stream(path) as stream:
                data, n_read = self._content(stream, path)
                text = document(data, str(path))
                read_bytes += n_read
                if stream.digest is not None:
                    self._digests[str(path)] = stream.digest
            texts.append(text)
            labels.append(str(path))
            n_bytes += len(text)
            if n_bytes >= _BATCH_BYTES:
                yield PlainChunk(texts, labels, read_bytes)
                texts, labels = [], []
                n_bytes = read_bytes = 0
        if texts:
            yield PlainChunk(texts, labels, read_bytes)

    def _content(self, stream: ByteStream, path: File) -> tuple[bytes, int]:
        """What a file holds, as much of it as is wanted, and how many bytes of it were read for that."""
        if self._most_bytes is None:
            data = stream.read_all()
            return data, stream.position()
        data = stream.read_some(self._most_bytes)
        if len(data) < self._most_bytes:
            return data, stream.position()
        # No character is cut: what follows a character's first byte is 0b10…
        while data and data[-1] & 0xC0 == 0x80:
            data = data[:-1]
        return data[:-1], stream.position() if is_compressed(path) else len(data)


class PlainChunk:
    """Documents whose encoding is yet to be checked; a :class:`portrait.corpus.shards.Chunk`."""

    def __init__(self, texts: list[bytes], labels: list[str], read_bytes: int) -> None:
        self._texts, self._labels = texts, labels
        self.n_rows = len(texts)
        self.read_bytes = read_bytes

    def batch(self) -> Batch:
        """The documents as an Arrow array."""
        pa = extras.load("pyarrow", "build")
        # Of buffers: to make an array of a list, Arrow imports pandas, which takes longer than all the rest.
        offsets = array("q", accumulate(map(len, self._texts), initial=0))
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(self._texts))]
        texts = pa.Array.from_buffers(pa.large_binary(), len(self._texts), buffers)
        return Batch(texts, self._labels.__getitem__, self.read_bytes)

    def places(self) -> list[str]:
        """The documents' files."""
        return self._labels

    def slice(self, start: int, stop: int) -> PlainChunk:
        """The documents from ``start`` up to ``stop``."""
        return PlainChunk(self._texts[start:stop], self._labels[start:stop], 0)


def require_no_columns(columns: Columns, where: str) -> None:
    """Plain text has no columns to keep. Raises :class:`CorpusError` where some are wanted."""
    if columns.keep:
        raise CorpusError(
            f"{where}: plain text has no columns, so none to keep ({', '.join(columns.keep)}): "
            f"leave {columns.kept_by} out, or name the format with --format"
        )


def document(data: bytes, where: str) -> bytes:
    """A file's content without its byte-order mark.

    Raises :class:`UnreadableFileError` where it is binary.
    """
    nul = data.find(b"\0")
    if nul >= 0:
        raise UnreadableFileError(f"{where}: a NUL byte at byte {nul}: this is not a text file: leave it out")
    return data.removeprefix(BOM)
