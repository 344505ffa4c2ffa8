"""Verification: every byte of a bundle compared with what its manifest says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.bundle import reader as bundles
from portrait.bundle.card import CARD_NAME
from portrait.bundle.manifest import check_digest
from portrait.errors import DamagedBundleError
from portrait.operations.layer_check import check_layer
from portrait.progress import Silent
from portrait.storage.regular import open_regular

if TYPE_CHECKING:
    import os

    from portrait.bundle.reader import Bundle
    from portrait.progress import Progress


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that is whole.

    ``files`` and ``bytes`` count the manifest and the layers' files. ``unexpected`` names what else is in the
    directory, except the card and hidden files; the manifest vouches for none of it.
    """

    path: str
    id: str
    files: int
    bytes: int
    unexpected: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {**asdict(self), "unexpected": list(self.unexpected)}


def verify(path: str | os.PathLike[str], *, progress: Progress | None = None) -> Verified:
    """Read all of a portrait and check that it is what its manifest says.

    This checks the manifest's id and digest, the layers' files with their sizes, digests and structure, the
    keys that must and must not be found, those of the sketches among them, and that the bits have the
    false-positive rate that answers rely on.

    Args:
        path: The portrait's directory.
        progress: Receives the number of bytes of the layers' files read.

    Returns:
        What was read.

    Raises:
        NotAPortraitError: There is no portrait at ``path``.
        UnsupportedBundleError: The portrait is of a newer format, or has parts that are not known here.
        DamagedBundleError: Something is not what the manifest says; the message names the first such file.
    """
    bundle = replace(bundles.read(Path(path)), access="sequential")
    manifest_bytes = _check_manifest(bundle)
    files = [one for layer in bundle.manifest.layers for one in layer.files]
    progress = progress or Silent()
    progress.start(sum(one.bytes for one in files))
    try:
        for layer in bundle.manifest.layers:
            check_layer(bundle, layer, progress)
    finally:
        progress.finish()
    return Verified(
        path=str(bundle.path),
        id=bundle.manifest.id,
        files=1 + len(files),
        bytes=manifest_bytes + sum(one.bytes for one in files),
        unexpected=_unexpected(bundle, {one.file for one in files}),
    )


def _check_manifest(bundle: Bundle) -> int:
    """Compare the manifest with its digest, and return its size."""
    file = bundle.path / bundles.MANIFEST_NAME
    try:
        with open_regular(file) as opened:
            text = opened.read()
    except OSError as error:
        raise DamagedBundleError(f"{file}: {error.strerror}") from error
    check_digest(text, str(file))
    return len(text)


def _unexpected(bundle: Bundle, files: set[str]) -> tuple[str, ...]:
    expected = {bundles.MANIFEST_NAME, CARD_NAME, *files}
    names = (path.name for path in bundle.path.iterdir())
    return tuple(sorted(name for name in names if name not in expected and not name.startswith(".")))
