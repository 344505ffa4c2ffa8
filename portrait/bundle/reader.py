"""Reading a bundle: a directory with a manifest, the layers' shards and a card.

This module knows files, names and sizes; what the bytes of a filter mean is known in ``filters``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.manifest import MAX_MANIFEST_BYTES, SketchRecord
from portrait.bundle.manifest_reader import parse
from portrait.bundle.tensors import TensorInfo, map_tensors
from portrait.errors import DamagedBundleError, NotAPortraitError
from portrait.markup.numbers import count, counted
from portrait.storage.regular import read_regular, regular_status

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest, ShardRecord
    from portrait.storage.mapping import Access

MANIFEST_NAME = "portrait.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A portrait's directory, its manifest read and checked, its shards not yet touched.

    ``access`` says how the bytes of the shards are reached.
    """

    path: Path
    manifest: Manifest
    access: Access = "random"

    @property
    def name(self) -> str:
        """The directory's name without ``.portrait``.

        In the cache of a hub, a repository's own directory is called by its commit; the name is then that of
        the repository.
        """
        name = self.path.resolve().name
        folder, snapshots = self.path.absolute().parts[-3:-1] or ("", "")
        if snapshots == "snapshots" and folder.count("--") >= 2:
            name = folder.rpartition("--")[2]
        return name.removesuffix(".portrait") or name

    def map_shard(self, shard: ShardRecord) -> dict[str, tuple[TensorInfo, memoryview]]:
        """Map a shard's tensors, by name, in the order of their data.

        Raises:
            DamagedBundleError: The shard is missing, of another size than recorded, or no file of tensors.
        """
        path = self.file_path(shard)
        try:
            return map_tensors(path, self.access)
        except OSError as error:
            raise DamagedBundleError(f"{path}: {error.strerror}") from error

    def file_path(self, record: ShardRecord | SketchRecord) -> Path:
        """Return a layer's file, which exists and is of the recorded size.

        Raises:
            DamagedBundleError: It is missing, or of another size.
        """
        path = self.path / record.file
        try:
            size = regular_status(path).st_size
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not path.is_symlink():
                what = "sketch" if isinstance(record, SketchRecord) else "shard"
                raise DamagedBundleError(f"{path}: the {what} is missing: fetch the bundle again") from error
            raise DamagedBundleError(f"{path}: {error.strerror}") from error
        if size != record.bytes:
            raise DamagedBundleError(
                f"{path}: {counted(size, 'byte')} instead of {count(record.bytes)}: fetch the bundle again"
            )
        return path


def is_bundle(path: Path) -> bool:
    """Return whether ``path`` is a directory with a manifest."""
    return (path / MANIFEST_NAME).is_file()


def read(path: Path) -> Bundle:
    """Read the manifest of the bundle at ``path``, in time independent of the shards' size.

    Raises:
        NotAPortraitError: There is no bundle.
        UnsupportedBundleError: The bundle is of a newer format, or names what is not known here.
        DamagedBundleError: The manifest contradicts the format or itself.
    """
    file = path / MANIFEST_NAME
    try:
        if not path.exists():
            raise NotAPortraitError(f"{path}: no such file or directory")
        if not path.is_dir() or not os.path.lexists(file):
            raise NotAPortraitError(f"{path}: not a portrait: it holds no {MANIFEST_NAME}")
        if regular_status(file).st_size > MAX_MANIFEST_BYTES:
            raise DamagedBundleError(
                f"{file}: larger than any manifest, which has {counted(MAX_MANIFEST_BYTES, 'byte')} at most"
            )
        text = read_regular(file, MAX_MANIFEST_BYTES)
    except OSError as error:
        raise NotAPortraitError(f"{error.filename or path}: {error.strerror}") from error
    return Bundle(path, parse(text, str(file)))
