"""Writing a bundle: beside its destination first, then moved there whole."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import xxhash

from portrait.bundle.manifest import FORMAT, FORMAT_VERSION, Layer, Manifest, ShardRecord
from portrait.bundle.pieces import N_KEYS
from portrait.bundle.reader import CARD_NAME, MANIFEST_NAME, Bundle, is_bundle
from portrait.bundle.tensors import HEADER_RESERVE_BYTES, header
from portrait.errors import OutputError, OutputExistsError, PortraitError, SpecError
from portrait.storage import lock as locks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Buffer

    from portrait.bundle.pieces import Piece
    from portrait.bundle.tensors import TensorInfo
    from portrait.progress import Progress

#: Shards no larger than this: what hubs and file systems take without complaint.
DEFAULT_SHARD_BYTES = 5_000_000_000
_MIN_SHARD_BYTES = 4096
_DIGEST_CHUNK_BYTES = 1 << 24


def data_bytes(max_shard_bytes: int) -> int:
    """How much data fits into a shard whose file has at most so many bytes.

    Raises :class:`SpecError` where that is next to nothing.
    """
    whole = isinstance(max_shard_bytes, int) and not isinstance(max_shard_bytes, bool)
    if not whole or max_shard_bytes < _MIN_SHARD_BYTES:
        raise SpecError(
            f"the largest size of a shard is {_MIN_SHARD_BYTES} bytes or more, not {max_shard_bytes!r}"
        )
    return max_shard_bytes - HEADER_RESERVE_BYTES


def shard_name(source: str, number: int, total: int, taken: set[str], extension: str = ".safetensors") -> str:
    """A file name for a source's shard that is safe everywhere and not in ``taken``."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", source).strip(".-") or "layer"
    suffix, n = "", 1
    while (name := f"{stem}{suffix}-{number:05}-of-{total:05}{extension}").casefold() in taken:
        n += 1
        suffix = f"-{n}"
    taken.add(name.casefold())
    return name


@dataclass(frozen=True, slots=True)
class StoredLayer:
    """The files of a layer: the record of each, and the digest of each tensor over all of them."""

    shards: tuple[ShardRecord, ...]
    tensors: dict[str, str]


class BundleWriter:
    """Writes a bundle beside its destination and moves it there when it is whole.

    A context manager. Until :meth:`commit` returns, whatever stood at ``out`` stands there still;
    leaving the block without it removes all that was written.
    """

    def __init__(self, out: Path, *, overwrite: bool = False) -> None:
        self.out = out
        self.overwrite = overwrite
        self._part = out.parent / f".{out.name}.part-{os.getpid()}"
        self._taken: set[str] = set()

    def __enter__(self) -> Self:
        with self._failing():
            self._require_free()
            locks.sweep(self.out.parent, f".{self.out.name}.part-")
            # What is left there is of a dead process that had our number.
            self._lock = locks.new_directory(self._part)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._part, ignore_errors=True)
        os.close(self._lock)

    def check(self) -> None:
        """Say now what would be said when all the work is done.

        Raises :class:`OutputExistsError` where something stands that may not be replaced, and
        :class:`OutputError` where nothing can be written.
        """
        with self._failing():
            self._require_free()
            # The name of the directory beside it is the longer one.
            self._part.exists()
            parent = self.out.parent
            if not os.access(parent, os.W_OK | os.X_OK) or not parent.is_dir():
                os.listdir(parent)  # noqa: PTH208  # which says why, if it cannot
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Errors of the file system, in the words of this program."""
        try:
            yield
        except PortraitError:
            raise
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise OutputError(f"{self.out.parent}: cannot write there: {what}") from error

    def _require_free(self) -> None:
        if not (self.out.exists() or self.out.is_symlink()):
            return
        if not self.overwrite:
            raise OutputExistsError(
                f"{self.out}: already exists: choose another name, or allow overwriting",
                parameter="overwrite",
            )
        if self.out.is_symlink() or not is_bundle(self.out):
            raise OutputExistsError(f"{self.out}: exists and is not a portrait: it will not be replaced")

    def add_layer(
        self,
        source: str,
        kind: str,
        pieces: Iterable[Piece],
        progress: Progress | None = None,
    ) -> StoredLayer:
        """Write a layer's pieces, a shard each.

        Returns the shards' records and the digest of each tensor over all shards; ``progress`` hears
        of every byte written.
        """
        metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "filter": kind, "source": source}
        content: dict[str, Any] = {}
        try:
            # How many there are is part of every name, and known when the last has been written.
            shards = [
                self._write(
                    self._part / f".{number}",
                    _chunks(piece, metadata),
                    piece.first_key,
                    piece.last_key,
                    content,
                    progress,
                )
                for number, piece in enumerate(pieces, 1)
            ]
            for i, shard in enumerate(shards):
                name = shard_name(source, i + 1, len(shards), self._taken)
                (self._part / shard.file).rename(self._part / name)
                shards[i] = replace(shard, file=name)
        except OSError as error:
            raise OutputError(f"{self.out}: cannot write layer {source!r}: {error.strerror}") from error
        return StoredLayer(tuple(shards), {name: digest.hexdigest() for name, digest in content.items()})

    def add_file(self, source: str, extension: str, content: str, pieces: Sequence[Buffer]) -> StoredLayer:
        """Write the only shard of a layer whose file is of another format, ``pieces`` end to end.

        Returns what :meth:`add_layer` does, with the whole file as the one tensor, named ``content``.
        """
        name = shard_name(source, 1, 1, self._taken, extension)
        chunks = ((None, chunk) for piece in pieces for chunk in _cut(piece))
        try:
            shard = self._write(self._part / name, chunks, 0, N_KEYS - 1, {}, None)
        except OSError as error:
            raise OutputError(f"{self.out}: cannot write layer {source!r}: {error.strerror}") from error
        return StoredLayer((shard,), {content: shard.sha256})

    def keep_layer(self, bundle: Bundle, layer: Layer) -> Layer:
        """Take over a layer of another bundle as it is, its shards under names that are free here.

        They are shared by hard links, or copied where the file system has none.
        """
        shards = []
        for number, shard in enumerate(layer.shards, 1):
            source = bundle.shard_path(shard)
            name = shard.file
            if name.casefold() in self._taken:
                name = shard_name(layer.source, number, len(layer.shards), self._taken, source.suffix)
            self._taken.add(name.casefold())
            try:
                try:
                    os.link(source, self._part / name)
                except OSError:
                    shutil.copyfile(source, self._part / name)
                    _sync_file(self._part / name)
            except OSError as error:
                raise OutputError(f"{self.out}: cannot write {name}: {error.strerror}") from error
            shards.append(replace(shard, file=name))
        return replace(layer, shards=tuple(shards))

    def link_files(
        self, files: Sequence[Path], content: str, progress: Progress | None = None
    ) -> StoredLayer:
        """Make files that stand elsewhere a layer's shards, by hard links: no byte is copied.

        Returns what :meth:`add_layer` does, all files end to end being the one tensor, named ``content``.
        """
        for file in files:
            try:
                # What a hub's cache holds are symbolic links; the bundle gets the file itself.
                os.link(file.resolve(strict=True), self._part / file.name)
            except OSError as error:
                raise OutputError(
                    f"{self.out}: cannot link {file} there: {error.strerror}: wrap it in place, by giving "
                    f"{file.parent} as the output, or write to the same file system"
                ) from error
            self._taken.add(file.name.casefold())
        return record_files(files, content, progress)

    def _write(
        self,
        path: Path,
        chunks: Iterable[tuple[TensorInfo | None, bytes | memoryview]],
        first_key: int,
        last_key: int,
        content: dict[str, Any],
        progress: Progress | None,
    ) -> ShardRecord:
        sha256, xxh3 = hashlib.sha256(), xxhash.xxh3_128()
        n_bytes = 0
        with path.open("xb") as file:
            for tensor, chunk in chunks:
                file.write(chunk)
                sha256.update(chunk)
                xxh3.update(chunk)
                if tensor is not None:
                    content.setdefault(tensor.name, hashlib.sha256()).update(chunk)
                n_bytes += len(chunk)
                if progress is not None:
                    progress.advance(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        return ShardRecord(
            file=path.name,
            first_key=f"{first_key:016x}",
            last_key=f"{last_key:016x}",
            bytes=n_bytes,
            sha256=sha256.hexdigest(),
            xxh3_128=xxh3.hexdigest(),
        )

    def commit(self, manifest: Manifest, card: str) -> Bundle:
        """Write manifest and card, make everything durable, and move the bundle to its place."""
        try:
            _write_durably(self._part / MANIFEST_NAME, manifest.to_json())
            _write_durably(self._part / CARD_NAME, card.encode(errors="backslashreplace"))
            _sync_directory(self._part)
            self._require_free()
            if self.out.exists():
                self._replace()
            else:
                self._part.rename(self.out)
            _sync_directory(self.out.parent)
        except PortraitError:
            raise
        except OSError as error:
            raise OutputError(f"{self.out}: cannot write: {error.strerror}") from error
        return Bundle(self.out, manifest)

    def _replace(self) -> None:
        # A directory cannot be renamed over another; between the two renames a crash leaves the
        # old bundle whole under its other name.
        old = self.out.parent / f".{self.out.name}.old-{os.getpid()}"
        self.out.rename(old)
        try:
            self._part.rename(self.out)
        except OSError:
            old.rename(self.out)
            raise
        shutil.rmtree(old, ignore_errors=True)


def record_files(files: Sequence[Path], content: str, progress: Progress | None = None) -> StoredLayer:
    """The records of files of another format as shards, and the digest of all of them end to end.

    Raises :class:`OutputError` for one that cannot be read.
    """
    whole = hashlib.sha256()
    shards = []
    for path in files:
        sha256, xxh3 = hashlib.sha256(), xxhash.xxh3_128()
        n_bytes = 0
        try:
            with path.open("rb") as file:
                while chunk := file.read(_DIGEST_CHUNK_BYTES):
                    for digest in (whole, sha256, xxh3):
                        digest.update(chunk)
                    n_bytes += len(chunk)
                    if progress is not None:
                        progress.advance(len(chunk))
        except OSError as error:
            raise OutputError(f"{path}: cannot read it: {error.strerror}") from error
        first, last = f"{0:016x}", f"{N_KEYS - 1:016x}"
        shards.append(ShardRecord(path.name, first, last, n_bytes, sha256.hexdigest(), xxh3.hexdigest()))
    return StoredLayer(tuple(shards), {content: whole.hexdigest()})


def write_beside(directory: Path, manifest: Manifest, card: str, *, overwrite: bool) -> Bundle:
    """Make ``directory``, which holds the shards, a bundle: add the manifest, and a card if it has none.

    Raises :class:`OutputExistsError` for a manifest that stands there, unless ``overwrite``;
    :class:`OutputError`.
    """
    out = directory / MANIFEST_NAME
    if out.exists() and not overwrite:
        raise OutputExistsError(f"{out}: already exists: choose another output, or pass --overwrite")
    part = directory / f".{MANIFEST_NAME}.part-{os.getpid()}"
    try:
        part.unlink(missing_ok=True)
        try:
            _write_durably(part, manifest.to_json())
            # A model's repository has a page of its own.
            if not (directory / CARD_NAME).exists():
                _write_durably(directory / CARD_NAME, card.encode(errors="backslashreplace"))
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
        _sync_directory(directory)
    except OSError as error:
        raise OutputError(f"{directory}: cannot write there: {error.strerror}") from error
    return Bundle(directory, manifest)


def _chunks(
    piece: Piece, metadata: Mapping[str, str]
) -> Iterator[tuple[TensorInfo | None, bytes | memoryview]]:
    """A shard's bytes in order: the header, of no tensor, then the data, each with its tensor."""
    yield None, header(piece.tensors, metadata)
    views = [memoryview(buffer).cast("B") for buffer in piece.buffers]
    if sum(view.nbytes for view in views) != sum(tensor.n_bytes for tensor in piece.tensors):
        raise ValueError("the buffers are not the tensors' data")
    for tensor in piece.tensors:
        left = tensor.n_bytes
        while left:
            chunk = views[0][: min(left, _DIGEST_CHUNK_BYTES)]
            views[0] = views[0][len(chunk) :]
            if not views[0]:
                del views[0]
            left -= len(chunk)
            if chunk:
                yield tensor, chunk


def _cut(data: Buffer) -> Iterator[memoryview]:
    view = memoryview(data).cast("B")
    for i in range(0, view.nbytes, _DIGEST_CHUNK_BYTES):
        yield view[i : i + _DIGEST_CHUNK_BYTES]


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
