"""Signing a portrait that is whole, and the weights of the model that was trained on its corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.bundle import reader as bundles
from portrait.bundle.manifest_reader import parse
from portrait.hub.local import changeable_path
from portrait.operations.verify import read_manifest, verify
from portrait.progress import Silent
from portrait.signing.signature import Signature
from portrait.signing.signature_file import SIGNATURE_NAME
from portrait.signing.signer import Signer, require_replaceable, write_signature
from portrait.signing.statement import Statement
from portrait.signing.weights import digest_weights, find_weights, weight_paths

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from portrait.progress import Progress


def sign(
    path: str | os.PathLike[str],
    private_key: str | os.PathLike[str],
    *,
    password: str | bytes | None = None,
    certificate: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Signature:
    """Sign a portrait, and the weights of a model beside it.

    The portrait is verified first. The signature is the file ``portrait.sigstore.json`` in its directory;
    docs/signatures.md describes it.

    Args:
        path: The portrait's directory. Weights in it, and in its subdirectories, are signed, too.
        private_key: The file of a private key, in PEM: ECDSA on P-256, P-384 or P-521, or Ed25519.
        password: The key's password, if it is encrypted.
        certificate: The file of the signer's certificate, in PEM, followed by those of its issuers. It lets
            readers check who signed instead of which key did.
        weights: More weights: a file or a directory to search for them, or several.
        overwrite: Whether to replace a signature of this very portrait. One of an earlier version is
            replaced in any case, and a file that is not a portrait's signature never.
        progress: Receives the number of bytes read.

    Returns:
        The signature.

    Raises:
        SpecError: A key, certificate or path cannot be used.
        BundleError: The portrait is damaged, or weights cannot be read.
        OutputExistsError: A file is in the signature's place that is not replaced.
        OutputError: The signature cannot be written.
        MissingExtraError: cryptography is not installed.
    """
    signer = Signer.of(private_key, password, certificate)
    directory = changeable_path(path)
    bundle = bundles.read(directory)
    text = read_manifest(bundle)
    manifest = parse(text, str(directory / bundles.MANIFEST_NAME))
    require_replaceable(directory, manifest, text, overwrite=overwrite)
    own = {record.file for layer in manifest.layers for record in layer.files}
    found = find_weights(directory, {bundles.MANIFEST_NAME, SIGNATURE_NAME, *own}, weight_paths(weights))
    verify(directory, progress=progress)
    statement = Statement.of(manifest, text, digest_weights(found, progress or Silent()))
    file = write_signature(directory, signer.sign(statement), manifest, text, overwrite=overwrite)
    chain = signer.chain
    return Signature(
        path=str(file),
        keyid=signer.keyid,
        identity=None if chain is None else chain.identity,
        issuer=None if chain is None else chain.issuer,
        subjects=statement.subjects,
        weights_checked=tuple(subject.name for subject in statement.weights),
        weights_absent=(),
    )
