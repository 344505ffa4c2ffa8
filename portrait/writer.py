"""Writing a bundle: beside its destination first, then moved there whole."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from typing import TYPE_CHECKING, Self

import xxhash

from portrait.bundle import MANIFEST_NAME, Bundle, is_bundle
from portrait.errors import OutputError, OutputExistsError, PortraitError
from portrait.manifest import Manifest, Shard
from portrait.tensors import TensorInfo, header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Buffer

CARD_NAME = "README.md"
_DIGEST_CHUNK_BYTES = 1 << 24


def shard_name(source: str, number: int, total: int, taken: set[str], extension: str = ".safetensors") -> str:
    """A file name for a source's shard that is safe everywhere and not in ``taken``."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", source).strip(".-") or "layer"
    suffix, n = "", 1
    while (name := f"{stem}{suffix}-{number:05}-of-{total:05}{extension}").casefold() in taken:
        n += 1
        suffix = f"-{n}"
    taken.add(name.casefold())
    return name


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
        try:
            self._check_out()
            # What is left there is of a dead process that had our number.
            shutil.rmtree(self._part, ignore_errors=True)
            self._part.mkdir()
        except PortraitError:
            raise
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise OutputError(f"{self.out.parent}: cannot write there: {what}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._part, ignore_errors=True)

    def _check_out(self) -> None:
        if not (self.out.exists() or self.out.is_symlink()):
            return
        if not self.overwrite:
            raise OutputExistsError(f"{self.out}: already exists: choose another name, or pass --overwrite")
        if self.out.is_symlink() or not is_bundle(self.out):
            raise OutputExistsError(f"{self.out}: exists and is not a portrait: it will not be replaced")

    def add_shard(self, source: str, tensor: TensorInfo, metadata: Mapping[str, str], data: Buffer) -> Shard:
        """Write the only shard of a source's layer and return its record."""
        return self.add_file(source, ".safetensors", (header(tensor, metadata), data))

    def add_file(self, source: str, extension: str, pieces: Sequence[Buffer]) -> Shard:
        """Write the only shard of a layer whose file is of another format."""
        name = shard_name(source, 1, 1, self._taken, extension)
        sha256, xxh3 = hashlib.sha256(), xxhash.xxh3_128()
        n_bytes = 0
        try:
            with (self._part / name).open("xb") as file:
                for chunk in (chunk for piece in pieces for chunk in _chunks(piece)):
                    file.write(chunk)
                    sha256.update(chunk)
                    xxh3.update(chunk)
                    n_bytes += len(chunk)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self.out}: cannot write {name}: {error.strerror}") from error
        return Shard(
            file=name,
            first_key=f"{0:016x}",
            last_key=f"{(1 << 64) - 1:016x}",
            bytes=n_bytes,
            sha256=sha256.hexdigest(),
            xxh3_128=xxh3.hexdigest(),
        )

    def commit(self, manifest: Manifest, card: str) -> Bundle:
        """Write manifest and card, make everything durable, and move the bundle to its place."""
        try:
            _write_durably(self._part / MANIFEST_NAME, manifest.to_json())
            _write_durably(self._part / CARD_NAME, card)
            _sync_directory(self._part)
            self._check_out()
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


def _chunks(data: Buffer) -> list[memoryview]:
    view = memoryview(data).cast("B")
    return [view[i : i + _DIGEST_CHUNK_BYTES] for i in range(0, len(view), _DIGEST_CHUNK_BYTES)]


def _write_durably(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
