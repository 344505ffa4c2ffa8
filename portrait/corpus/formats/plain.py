"""Files of plain text, each of which is one document."""

from __future__ import annotations

import copy
from array import array
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from portrait import extras
from portrait.corpus.files.file import File, file_record, is_compressed, known_bytes, stamp
from portrait.corpus.files.file_shard import runs
from portrait.corpus.files.streams import BOM, open_stream
from portrait.corpus.shards import Batch
from portrait.errors import CorpusError, UnreadableFileError
from portrait.markup.numbers import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.streams import ByteStream
    from portrait.corpus.shards import FileRecord, Format, Shard, Stamp

_BATCH_BYTES = 1 << 22


class PlainShard:
    """Text files, in the order given.

    Raises:
        UnreadableFileError: A file cannot be looked up.
    """

    kind: Format = "txt"

    def __init__(self, paths: Sequence[File], columns: Columns) -> None:
        self._paths = list(paths)
        self._columns = columns
        self.files: list[FileRecord] = [file_record(path) for path in self._paths]
        self.n_bytes = known_bytes(self._paths)
        self.read_once = self.n_bytes is None and any(isinstance(path, Path) for path in self._paths)
        self._digests: dict[str, str] = {}
        #: The most that is read of a document; ``None`` for all of it.
        self._max_bytes: int | None = None

    @property
    def label(self) -> str:
        """The first file's path, and the number of the others."""
        n_others = len(self._paths) - 1
        return f"{self._paths[0]}" + (f" and {count(n_others)} more" if n_others else "")

    def split(self, n_bytes: int) -> list[Shard]:
        """Divide the files into groups of about ``n_bytes``."""
        if self.n_bytes is None:
            return [self]
        parts: list[Shard] = []
        for run in runs([file.n_bytes or 0 for file in self.files], n_bytes, self.n_bytes):
            part = copy.copy(self)
            part._paths, part.files = self._paths[run.begin : run.end], self.files[run.begin : run.end]
            part.n_bytes = run.n_bytes
            part._digests = {}
            parts.append(part)
        return parts if len(parts) > 1 else [self]

    def excerpt(self, n_bytes: int) -> PlainShard:
        """Return this shard, reading no more than the first ``n_bytes`` of each document."""
        excerpt = copy.copy(self)
        excerpt._max_bytes = n_bytes
        return excerpt

    def with_columns(self, columns: Columns) -> PlainShard:
        """Return this shard with other columns."""
        other = copy.copy(self)
        other._columns = columns
        return other

    def stamps(self) -> list[Stamp]:
        """Return the present state of each file."""
        return [stamp(path) for path in self._paths]

    def digests(self) -> dict[str, str]:
        """Return the digests of the files that have been read."""
        return dict(self._digests)

    def chunks(self) -> Iterator[PlainChunk]:
        """Read several files at a time, so that small ones cost little."""
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
        """Return a file's content, up to the limit, and how many bytes of the file were read for it."""
        limit = self._columns.max_document_bytes
        if (
            isinstance(path, Path)
            and not is_compressed(path)
            and (known_bytes([path]) or 0) > limit + len(BOM)
        ):
            raise self._columns.too_large(path, UnreadableFileError)
        if self._max_bytes is None:
            # A byte-order mark is no text.
            whole = stream.read_all(limit + len(BOM))
            if whole is None or len(whole) - len(BOM) * whole.startswith(BOM) > limit:
                raise self._columns.too_large(path, UnreadableFileError)
            return whole, stream.position()
        data = stream.read_some(self._max_bytes)
        if len(data) < self._max_bytes:
            return data, stream.position()
        # Characters stay whole: every byte of one except the first is 0b10…
        while data and data[-1] & 0xC0 == 0x80:
            data = data[:-1]
        return data[:-1], stream.position() if is_compressed(path) else len(data)


class PlainChunk:
    """A :class:`portrait.corpus.shards.Chunk` of documents whose encoding is yet to be checked."""

    def __init__(self, texts: list[bytes], labels: list[str], read_bytes: int) -> None:
        self._texts, self._labels = texts, labels
        self.n_rows = len(texts)
        self.read_bytes = read_bytes

    def batch(self) -> Batch:
        """Return the documents as an Arrow array."""
        pa = extras.load("pyarrow", "build")
        # From buffers: to make an array from a list, Arrow imports pandas, which takes longer than the rest.
        offsets = array("q", accumulate(map(len, self._texts), initial=0))
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(self._texts))]
        texts = pa.Array.from_buffers(pa.large_binary(), len(self._texts), buffers)
        return Batch(texts, self._labels.__getitem__, self.read_bytes)

    def places(self) -> list[str]:
        """Return each document's file."""
        return self._labels

    def slice(self, start: int, stop: int) -> PlainChunk:
        """Return the documents from ``start`` up to ``stop``."""
        return PlainChunk(self._texts[start:stop], self._labels[start:stop], 0)


def require_no_columns(columns: Columns, where: str) -> None:
    """Check that no columns of plain text are to be kept.

    Raises:
        CorpusError: There are columns to keep.
    """
    if columns.keep:
        raise CorpusError(
            f"{where}: plain text has no columns to keep ({', '.join(columns.keep)}): name none, "
            "or name the format if this is a table",
            parameter=columns.keep_parameter,
        )


def document(data: bytes, where: str) -> bytes:
    """Return a file's content without its byte-order mark.

    Raises:
        UnreadableFileError: The file is binary.
    """
    nul = data.find(b"\0")
    if nul >= 0:
        raise UnreadableFileError(f"{where}: a NUL byte at byte {nul}: this is not a text file: leave it out")
    return data.removeprefix(BOM)
