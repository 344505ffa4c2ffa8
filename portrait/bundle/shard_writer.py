"""Writing and recording the files of a layer: their names, content and digests."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash

from portrait.bundle.manifest import ShardRecord, SketchRecord
from portrait.bundle.pieces import N_KEYS
from portrait.bundle.tensors import header
from portrait.errors import OutputError
from portrait.storage.atomic import creating, write_all
from portrait.storage.failures import reason
from portrait.storage.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

    from portrait.bundle.pieces import Piece
    from portrait.progress import Progress

_CHUNK_BYTES = 1 << 24


def shard_name(source: str, number: int, total: int, taken: set[str], extension: str = ".safetensors") -> str:
    """Return a file name for a shard that is safe on every file system, and add it to ``taken``.

    Args:
        source: The name of the shard's source, after which the file is named.
        number: The shard's number in its layer, from 1.
        total: How many shards the layer has.
        taken: Names, in lower case, that the file must not have.
        extension: The end of the name.
    """
    return _new_name(source, f"-{number:05}-of-{total:05}{extension}", taken)


def sketch_name(source: str, taken: set[str]) -> str:
    """Return a file name for a sketch that is safe on every file system, and add it to ``taken``.

    Args:
        source: The name of the layer's source, after which the file is named.
        taken: Names, in lower case, that the file must not have.
    """
    return _new_name(source, "-sketch.safetensors", taken)


def _new_name(source: str, end: str, taken: set[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", source).strip(".-") or "layer"
    name = free_name(f"{stem}{end}", taken)
    taken.add(name.casefold())
    return name


def free_name(name: str, taken: Container[str]) -> str:
    """Return the name of a shard or a sketch, with a number in it if it is taken.

    Args:
        name: The name.
        taken: Names, in lower case, that the file must not have.
    """
    parts = re.fullmatch(r"(.+?)((?:-\d{5,}-of-\d{5,}|-sketch)?(?:\.[^.]*)?)", name, re.DOTALL)
    stem, end = (parts[1], parts[2]) if parts else (name, "")
    n = 1
    while name.casefold() in taken:
        n += 1
        name = f"{stem}-{n}{end}"
    return name


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """What the manifest records of a layer's files.

    ``shards`` and ``sketch`` are the records of the files; ``tensors`` is the SHA-256 of each tensor, by
    name, over all shards end to end.
    """

    shards: tuple[ShardRecord, ...]
    tensors: dict[str, str]
    sketch: SketchRecord | None = None


class ShardWriter:
    """Writes the shards of one layer to new files, and digests its tensors over all of them."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._tensors: dict[str, Any] = {}
        self._advance: Callable[[int], object] = progress.advance if progress else _ignore

    @property
    def tensors(self) -> dict[str, str]:
        """The SHA-256 of each tensor over the shards written so far."""
        return {name: digest.hexdigest() for name, digest in self._tensors.items()}

    def write_piece(self, path: Path, piece: Piece, metadata: Mapping[str, str]) -> ShardRecord:
        """Write a piece of the layer as a safetensors file with ``metadata`` in its header.

        Raises:
            OSError: The file exists or cannot be written.
            ValueError: The piece's buffers are not its tensors' data.
        """
        return self._write(path, _chunks_of_piece(piece, metadata), piece.first_key, piece.last_key)

    def write_file(self, path: Path, tensor: str, buffers: Sequence[Buffer]) -> ShardRecord:
        """Write a file of another format, ``buffers`` end to end, as a shard of all keys; all is one tensor.

        Raises:
            OSError: The file exists or cannot be written.
        """
        chunks = ((tensor, chunk) for buffer in buffers for chunk in _chunks(memoryview(buffer).cast("B")))
        return self._write(path, chunks, 0, N_KEYS - 1)

    def record_file(self, path: Path, tensor: str) -> ShardRecord:
        """Read an existing file of another format, and record it as a shard of all keys; all is one tensor.

        Raises:
            OSError: The file cannot be read.
        """
        digests = _FileDigests()
        with open_regular(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                self._digest(digests, tensor, chunk)
        return digests.record(path.name, 0, N_KEYS - 1)

    def _write(
        self,
        path: Path,
        chunks: Iterable[tuple[str | None, bytes | memoryview]],
        first_key: int,
        last_key: int,
    ) -> ShardRecord:
        digests = _FileDigests()
        with creating(path) as file:
            for tensor, chunk in chunks:
                write_all(file, chunk)
                self._digest(digests, tensor, chunk)
        return digests.record(path.name, first_key, last_key)

    def _digest(self, digests: _FileDigests, tensor: str | None, chunk: bytes | memoryview) -> None:
        digests.update(chunk)
        if tensor is not None:
            self._tensors.setdefault(tensor, hashlib.sha256()).update(chunk)
        self._advance(len(chunk))


class _FileDigests:
    """The digests of a file, as they grow, and its length."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._xxh3 = xxhash.xxh3_128()
        self._n_bytes = 0

    def update(self, chunk: bytes | memoryview) -> None:
        """Add the next bytes of the file."""
        self._sha256.update(chunk)
        self._xxh3.update(chunk)
        self._n_bytes += len(chunk)

    def record(self, file: str, first_key: int, last_key: int) -> ShardRecord:
        """Return the record of the file as a shard."""
        return ShardRecord(
            file=file,
            first_key=f"{first_key:016x}",
            last_key=f"{last_key:016x}",
            bytes=self._n_bytes,
            sha256=self._sha256.hexdigest(),
            xxh3_128=self._xxh3.hexdigest(),
        )


def record_files(files: Sequence[Path], tensor: str, progress: Progress | None = None) -> StoredLayer:
    """Record files of another format as a layer's shards, where they are.

    Args:
        files: The files, in the order of the layer's content.
        tensor: The name under which the manifest records the digest of all files, end to end.
        progress: Receives the number of bytes read.

    Raises:
        OutputError: A file cannot be read.
    """
    writer = ShardWriter(progress)
    shards: list[ShardRecord] = []
    for path in files:
        try:
            shards.append(writer.record_file(path, tensor))
        except OSError as error:
            raise OutputError(f"{path}: cannot read it: {reason(error)}") from error
    return StoredLayer(tuple(shards), writer.tensors)


def _chunks_of_piece(
    piece: Piece, metadata: Mapping[str, str]
) -> Iterator[tuple[str | None, bytes | memoryview]]:
    """Yield a shard's bytes in order, with the name of their tensor; the header belongs to none."""
    yield None, header(piece.tensors, metadata)
    views = [memoryview(buffer).cast("B") for buffer in piece.buffers]
    if sum(view.nbytes for view in views) != sum(tensor.n_bytes for tensor in piece.tensors):
        raise ValueError("the buffers are not the tensors' data")
    for tensor in piece.tensors:
        left = tensor.n_bytes
        while left:
            chunk = views[0][: min(left, _CHUNK_BYTES)]
            views[0] = views[0][len(chunk) :]
            if not views[0]:
                del views[0]
            left -= len(chunk)
            if chunk:
                yield tensor.name, chunk


def _chunks(view: memoryview) -> Iterator[memoryview]:
    for i in range(0, view.nbytes, _CHUNK_BYTES):
        yield view[i : i + _CHUNK_BYTES]


def _ignore(n_bytes: int) -> None:
    """Do nothing with what was written."""
