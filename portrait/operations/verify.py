"""Verification: every byte of a bundle compared with what its manifest says, and that with a signature."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from portrait.bundle import reader as bundles
from portrait.bundle.manifest import check_digest
from portrait.bundle.manifest_reader import parse
from portrait.errors import DamagedBundleError, SpecError
from portrait.hub.companions import COMPANIONS
from portrait.hub.local import local_path
from portrait.operations.layer_check import check_layer
from portrait.progress import Silent
from portrait.signing.signature import Signature
from portrait.signing.signature_file import SIGNATURE_NAME
from portrait.signing.verifier import check_signature, expected_signer, require_about
from portrait.signing.weights import check_weights, weight_paths
from portrait.storage.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.bundle.reader import Bundle
    from portrait.progress import Progress
    from portrait.signing.verifier import CheckedStatement


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that is whole.

    ``files`` and ``bytes`` count the manifest and the layers' files. ``unexpected`` names what else is in
    the directory, except what travels with a portrait, weights that the signature vouches for and hidden
    files; nothing vouches for any of it. ``signed`` says whether there is a signature, and ``signature`` is
    that signature if it was checked.
    """

    path: str
    id: str
    files: int
    bytes: int
    unexpected: tuple[str, ...]
    signed: bool = False
    signature: Signature | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        signature = None if self.signature is None else self.signature.to_dict()
        return {**asdict(self), "unexpected": list(self.unexpected), "signature": signature}


def verify(
    path: str | os.PathLike[str],
    *,
    public_key: str | os.PathLike[str] | None = None,
    identity: str | None = None,
    trusted_root: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    progress: Progress | None = None,
) -> Verified:
    """Read all of a portrait and check that it is what its manifest says.

    This checks the manifest's id and digest, the layers' files with their sizes, digests and structure, the
    keys that must and must not be found, those of the sketches among them, and that the bits have the
    false-positive rate that answers rely on. With a public key, or an identity and trusted roots, it first
    checks that the signature is that signer's and is about this portrait, and then, at the end, the weights
    of the model that the signature vouches for.

    Args:
        path: The portrait's directory, or its address on a hub.
        public_key: The file of the signer's public key, in PEM.
        identity: The signer's e-mail address or URI, instead of a key: exactly as in the certificate.
        trusted_root: The file of the certificates of authorities that may vouch for the identity, in PEM.
        weights: A directory that holds weights of the model, besides the portrait's own, or several.
        progress: Receives the number of bytes of the shards, and then of the weights, read.

    Returns:
        What was read.

    Raises:
        SpecError: The values contradict each other, or a key or certificate cannot be used.
        MissingExtraError: cryptography is not installed, without which no signature can be checked.
        NotAPortraitError: There is no portrait at ``path``.
        SignatureError: The signature is missing, not the signer's, or not of this portrait or these weights.
        UnsupportedBundleError: The portrait is of a newer format, or has parts that are not known here.
        DamagedBundleError: Something is not what the manifest says; the message names the first such file.
    """
    signer = expected_signer(public_key, identity, trusted_root)
    directory = local_path(path)
    places = _places(directory, weight_paths(weights), checked=signer is not None)
    bundle = replace(bundles.read(directory), access="sequential")
    text = read_manifest(bundle)
    checked = None
    if signer is not None:
        checked = check_signature(bundle.path, signer)
        # What is checked against is what was signed, whatever was read before.
        bundle = replace(bundle, manifest=parse(text, str(bundle.path / bundles.MANIFEST_NAME)))
        require_about(checked.statement, bundle.manifest, text, bundle.path)
    check_digest(text, str(bundle.path / bundles.MANIFEST_NAME))
    files = [one for layer in bundle.manifest.layers for one in layer.files]
    progress = progress or Silent()
    progress.start(sum(one.bytes for one in files))
    try:
        for layer in bundle.manifest.layers:
            check_layer(bundle, layer, progress)
    finally:
        progress.finish()
    signature = None if checked is None else _signature(bundle, checked, places, progress)
    vouched = {one.file for one in files} | set(() if signature is None else signature.weights_checked)
    return Verified(
        path=str(bundle.path),
        id=bundle.manifest.id,
        files=1 + len(files),
        bytes=len(text) + sum(one.bytes for one in files),
        unexpected=_unexpected(bundle, vouched),
        signed=os.path.lexists(bundle.path / SIGNATURE_NAME),
        signature=signature,
    )


def _places(path: Path, places: Sequence[Path], *, checked: bool) -> tuple[Path, ...]:
    """Return the directories in which weights are looked for."""
    if places and not checked:
        raise SpecError(
            "weights are checked by a signature: name the signer's public key, or an identity and trusted "
            "roots, too",
            parameter="public_key",
        )
    for place in places:
        if not place.is_dir():
            raise SpecError(f"{place}: not a directory: name that of the weights", parameter="weights")
    return (path, *places)


def _signature(
    bundle: Bundle, checked: CheckedStatement, places: Sequence[Path], progress: Progress
) -> Signature:
    """Compare the weights with the statement, and return all that the signature is known to say."""
    present, absent = check_weights(checked.statement.weights, places, progress)
    return Signature(
        path=str(bundle.path / SIGNATURE_NAME),
        keyid=checked.keyid,
        identity=checked.identity,
        issuer=checked.issuer,
        subjects=checked.statement.subjects,
        weights_checked=present,
        weights_absent=absent,
    )


def read_manifest(bundle: Bundle) -> bytes:
    """Return the bytes of a bundle's manifest.

    Raises:
        DamagedBundleError: It cannot be read.
    """
    file = bundle.path / bundles.MANIFEST_NAME
    try:
        with open_regular(file) as opened:
            return opened.read()
    except OSError as error:
        raise DamagedBundleError(f"{file}: {error.strerror}") from error


def _unexpected(bundle: Bundle, vouched: set[str]) -> tuple[str, ...]:
    expected = {bundles.MANIFEST_NAME, *COMPANIONS, *vouched}
    names = (path.name for path in bundle.path.iterdir())
    return tuple(sorted(name for name in names if name not in expected and not name.startswith(".")))
