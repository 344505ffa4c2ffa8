"""Whether a bundle is whole: every byte of it compared with what its manifest says."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash

from portrait.bundle import reader as bundles
from portrait.bundle.manifest import check_digest
from portrait.errors import DamagedBundleError
from portrait.filters import kinds as filters
from portrait.progress import Silent

if TYPE_CHECKING:
    import os

    from portrait.bundle.manifest import Layer, ShardRecord
    from portrait.bundle.reader import Bundle
    from portrait.progress import Progress

_CHUNK_BYTES = 1 << 22
#: The rate is a sum over all bits: another order of adding may change its last digits.
_RATE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that is whole.

    ``files`` and ``bytes``: the manifest and the shards. ``unexpected``: names of what else is in the
    directory, beside the card and hidden files; nobody vouches for these.
    """

    path: str
    id: str
    files: int
    bytes: int
    unexpected: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as a JSON object."""
        return {**asdict(self), "unexpected": list(self.unexpected)}


def verify(path: str | os.PathLike[str], *, progress: Progress | None = None) -> Verified:
    """Read all of the portrait at ``path`` and check that it is what its manifest says.

    Checked are the manifest's id and digest, the shards' sizes, digests and structure, the keys that
    must and must not be found, and that the bits have the rate that answers rely on.

    Raises :class:`NotAPortraitError`, :class:`UnsupportedBundleError`, or
    :class:`DamagedBundleError` that names the first file that is wrong.
    """
    bundle = replace(bundles.read(Path(path)), sequential=True)
    manifest_bytes = _check_manifest(bundle)
    shards = [shard for layer in bundle.manifest.layers for shard in layer.shards]
    progress = progress or Silent()
    progress.start(sum(shard.bytes for shard in shards))
    try:
        for layer in bundle.manifest.layers:
            _check_layer(bundle, layer, progress)
    finally:
        progress.finish()
    return Verified(
        path=str(bundle.path),
        id=bundle.manifest.id,
        files=1 + len(shards),
        bytes=manifest_bytes + sum(shard.bytes for shard in shards),
        unexpected=_unexpected(bundle, {shard.file for shard in shards}),
    )


def _check_manifest(bundle: Bundle) -> int:
    file = bundle.path / bundles.MANIFEST_NAME
    try:
        text = file.read_bytes()
    except OSError as error:
        raise DamagedBundleError(f"{file}: {error.strerror}") from error
    check_digest(text, str(file))
    return len(text)


def _check_layer(bundle: Bundle, layer: Layer, progress: Progress) -> None:
    # First that the files can be the layer's at all: that takes no time.
    opened = filters.open_layer(bundle, layer)
    content: dict[str, Any] = {}
    for shard in layer.shards:
        sizes = filters.tensor_sizes(bundle, layer, shard)
        _check_shard(bundle, shard, sizes, content, progress)
    first = bundle.path / layer.shards[0].file
    if {name: digest.hexdigest() for name, digest in content.items()} != layer.tensors:
        raise DamagedBundleError(f"{first}: its tensors are not those of layer {layer.source!r}'s record")
    for wanted, keys in ((1, layer.test_vectors.present), (0, layer.test_vectors.absent)):
        try:
            hits = filters.contains_vectors(bundle, layer, opened, keys)
        except ValueError as error:
            file = bundle.path / bundles.MANIFEST_NAME
            raise DamagedBundleError(f"{file}: a test vector {error}") from error
        for key, hit in zip(keys, hits, strict=True):
            if hit != wanted:
                raise DamagedBundleError(
                    f"{first}: the filter {'holds' if hit else 'does not hold'} the test key {key:.100}"
                )
    rate = opened.rate()
    if not math.isclose(rate, layer.fpr, rel_tol=_RATE_TOLERANCE):
        raise DamagedBundleError(f"{first}: the filter's rate is {rate:.6g} and not {layer.fpr:.6g}")


def _check_shard(
    bundle: Bundle,
    shard: ShardRecord,
    sizes: list[tuple[str, int]],
    content: dict[str, Any],
    progress: Progress,
) -> None:
    """Compare a shard with its digests, and add its tensors, of these ``sizes``, to those of ``content``."""
    path = bundle.path / shard.file
    sha256, xxh3 = hashlib.sha256(), xxhash.xxh3_128()
    digests: list[Any] = [sha256, xxh3]

    def take(file: Any, n_bytes: int, *more: Any) -> None:
        while n_bytes and (chunk := file.read(min(n_bytes, _CHUNK_BYTES))):
            for digest in (*digests, *more):
                digest.update(chunk)
            n_bytes -= len(chunk)
            progress.advance(len(chunk))

    try:
        # Read, not mapped: a file that shrinks meanwhile ends the reading and not the process.
        with path.open("rb") as file:
            take(file, shard.bytes - sum(n_bytes for _, n_bytes in sizes))
            for name, n_bytes in sizes:
                take(file, n_bytes, content.setdefault(name, hashlib.sha256()))
    except OSError as error:
        raise DamagedBundleError(f"{path}: {error.strerror}") from error
    if (sha256.hexdigest(), xxh3.hexdigest()) != (shard.sha256, shard.xxh3_128):
        raise DamagedBundleError(f"{path}: its digest is not the recorded one: fetch the bundle again")


def _unexpected(bundle: Bundle, shards: set[str]) -> tuple[str, ...]:
    known = {bundles.MANIFEST_NAME, bundles.CARD_NAME, *shards}
    names = (path.name for path in bundle.path.iterdir())
    return tuple(sorted(name for name in names if name not in known and not name.startswith(".")))
