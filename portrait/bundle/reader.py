"""Reading a bundle: a directory with a manifest, the layers' shards and a card.

This module knows bytes, names and digests; what the bytes of a filter mean is ``filters``' affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle import manifest as manifests
from portrait.bundle.tensors import TensorInfo, map_tensors
from portrait.errors import DamagedBundleError, NotAPortraitError

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest, ShardRecord

MANIFEST_NAME = "portrait.json"
CARD_NAME = "README.md"
#: A manifest lists the corpus's files, so it may be large; one larger than this is not ours.
_MAX_MANIFEST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Bundle:
    """A portrait's directory, its manifest read and checked, its shards not yet touched.

    ``sequential``: the shards will be read from end to end rather than asked at random.
    """

    path: Path
    manifest: Manifest
    sequential: bool = False

    @property
    def name(self) -> str:
        """The directory's name without ``.portrait``."""
        name = self.path.resolve().name
        return name.removesuffix(".portrait") or name

    def map_shard(self, shard: ShardRecord) -> dict[str, tuple[TensorInfo, memoryview]]:
        """Map a shard's tensors. Raises :class:`DamagedBundleError` where file and manifest differ."""
        path = self.shard_path(shard)
        try:
            return map_tensors(path, sequential=self.sequential)
        except OSError as error:
            raise DamagedBundleError(f"{path}: {error.strerror}") from error

    def shard_path(self, shard: ShardRecord) -> Path:
        """A shard's file, there and of the right size. Raises :class:`DamagedBundleError`."""
        path = self.path / shard.file
        try:
            if path.is_symlink() or not path.is_file():
                raise DamagedBundleError(f"{path}: the shard is missing: fetch the bundle again")
            size = path.stat().st_size
            if size != shard.bytes:
                raise DamagedBundleError(
                    f"{path}: {size} bytes instead of {shard.bytes}: fetch the bundle again"
                )
        except OSError as error:
            raise DamagedBundleError(f"{path}: {error.strerror}") from error
        return path


def is_bundle(path: Path) -> bool:
    """Whether ``path`` is a directory with a manifest."""
    return (path / MANIFEST_NAME).is_file()


def read(path: Path) -> Bundle:
    """Read the manifest of the bundle at ``path``, in time independent of the shards' size.

    Raises :class:`NotAPortraitError`, :class:`UnsupportedBundleError`, :class:`DamagedBundleError`.
    """
    try:
        there, whole = path.exists(), is_bundle(path)
    except OSError as error:
        raise NotAPortraitError(f"{path}: {error.strerror}") from error
    if not there:
        raise NotAPortraitError(f"{path}: no such file or directory")
    if not whole:
        raise NotAPortraitError(f"{path}: not a portrait: there is no {MANIFEST_NAME} in it")
    file = path / MANIFEST_NAME
    try:
        if file.stat().st_size > _MAX_MANIFEST_BYTES:
            raise DamagedBundleError(f"{file}: too large for a manifest")
        text = file.read_bytes()
    except OSError as error:
        raise NotAPortraitError(f"{file}: {error.strerror}") from error
    return Bundle(path, manifests.parse(text, str(file)))
