"""Reading a bundle: a directory with a manifest, the layers' shards and a card.

This module knows files, names and sizes; what the bytes of a filter mean is known in ``filters``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.manifest_reader import parse
from portrait.bundle.tensors import TensorInfo, map_tensors
from portrait.errors import DamagedBundleError, NotAPortraitError
from portrait.markup.numbers import count, counted

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest, ShardRecord
    from portrait.storage.mapping import Access

MANIFEST_NAME = "portrait.json"
CARD_NAME = "README.md"
#: A manifest lists the corpus's files, so it may be large; Portrait writes none that is larger than this.
_MAX_MANIFEST_BYTES = 1 << 30


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
        """The directory's name without ``.portrait``."""
        name = self.path.resolve().name
        return name.removesuffix(".portrait") or name

    def map_shard(self, shard: ShardRecord) -> dict[str, tuple[TensorInfo, memoryview]]:
        """Map a shard's tensors, by name, in the order of their data.

        Raises:
            DamagedBundleError: The shard is missing, of another size than recorded, or no file of tensors.
        """
        path = self.shard_path(shard)
        try:
            return map_tensors(path, self.access)
        except OSError as error:
            raise DamagedBundleError(f"{path}: {error.strerror}") from error

    def shard_path(self, shard: ShardRecord) -> Path:
        """Return a shard's file, which exists and is of the recorded size.

        Raises:
            DamagedBundleError: It is missing, or of another size.
        """
        path = self.path / shard.file
        try:
            if path.is_symlink() or not path.is_file():
                raise DamagedBundleError(f"{path}: the shard is missing: fetch the bundle again")
            size = path.stat().st_size
            if size != shard.bytes:
                raise DamagedBundleError(
                    f"{path}: {counted(size, 'byte')} instead of {count(shard.bytes)}: fetch the bundle again"
                )
        except OSError as error:
            raise DamagedBundleError(f"{path}: {error.strerror}") from error
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
    try:
        exists, has_manifest = path.exists(), is_bundle(path)
    except OSError as error:
        raise NotAPortraitError(f"{path}: {error.strerror}") from error
    if not exists:
        raise NotAPortraitError(f"{path}: no such file or directory")
    if not has_manifest:
        raise NotAPortraitError(f"{path}: not a portrait: it holds no {MANIFEST_NAME}")
    file = path / MANIFEST_NAME
    try:
        if file.stat().st_size > _MAX_MANIFEST_BYTES:
            raise DamagedBundleError(
                f"{file}: larger than any manifest, which has {counted(_MAX_MANIFEST_BYTES, 'byte')} at most"
            )
        text = file.read_bytes()
    except OSError as error:
        raise NotAPortraitError(f"{file}: {error.strerror}") from error
    return Bundle(path, parse(text, str(file)))
