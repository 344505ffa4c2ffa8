"""Signing: a portrait's statement, signed with a private key and written beside its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.reader import MANIFEST_NAME
from portrait.errors import OutputExistsError, SignatureError, SpecError
from portrait.markup.numbers import counted
from portrait.signing import keys
from portrait.signing.certificates import load_certificates, signing_chain
from portrait.signing.envelope import Envelope, pre_authentication_encoding
from portrait.signing.signature_file import MAX_SIGNATURE_BYTES, SIGNATURE_NAME, SignatureFile, stated
from portrait.storage.atomic import write_file
from portrait.storage.failures import writing
from portrait.storage.lock import lock_directory

if TYPE_CHECKING:
    import os
    from pathlib import Path
    from typing import Self

    from portrait.bundle.manifest import Manifest
    from portrait.signing.certificates import SigningChain
    from portrait.signing.keys import PrivateKey
    from portrait.signing.statement import Statement


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, and the certificates of its owner, if there are any."""

    key: PrivateKey
    chain: SigningChain | None = None

    @classmethod
    def of(
        cls,
        private_key: str | os.PathLike[str],
        password: str | bytes | None = None,
        certificate: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Read a key, and certificates.

        Args:
            private_key: The file of the key, in PEM.
            password: The key's password, if it is encrypted.
            certificate: The file of the certificates, in PEM, the key's own first.

        Raises:
            SpecError: One of them cannot be used.
            MissingExtraError: cryptography is not installed.
        """
        key = keys.load_private_key(keys.read_pem(private_key, "private_key"), str(private_key), password)
        if certificate is None:
            return cls(key)
        pem = keys.read_pem(certificate, "certificate")
        certificates = load_certificates(pem, str(certificate), parameter="certificate")
        return cls(key, signing_chain(certificates, key.public_key(), str(certificate)))

    @property
    def keyid(self) -> str:
        """The name of the key."""
        return keys.key_id(self.key.public_key())

    def sign(self, statement: Statement) -> SignatureFile:
        """Sign a statement.

        Raises:
            SpecError: The signature would be larger than any reader takes.
        """
        payload = statement.to_json()
        made = SignatureFile(
            Envelope(
                payload,
                self.keyid,
                keys.signature_of(self.key, pre_authentication_encoding(payload)),
            ),
            () if self.chain is None else self.chain.certificates,
        )
        if len(made.to_json()) > MAX_SIGNATURE_BYTES:
            raise SpecError(
                f"the signature would have more than {counted(MAX_SIGNATURE_BYTES, 'byte')}: sign fewer "
                "weights",
                parameter="weights",
            )
        return made


def require_replaceable(
    directory: Path, manifest: Manifest, manifest_text: bytes, *, overwrite: bool
) -> None:
    """Check that a signature can be written to a portrait's directory.

    A signature of another version of the portrait is worth nothing beside this one and is replaced in any
    case; one of this version only on request; and nothing that is not a portrait's signature.

    Args:
        directory: The portrait's directory.
        manifest: The portrait's manifest.
        manifest_text: The bytes of its file.
        overwrite: Whether to replace a signature of this very portrait.

    Raises:
        OutputExistsError: What is there may not be replaced.
    """
    file = directory / SIGNATURE_NAME
    try:
        old = stated(directory)
    except SignatureError as error:
        raise OutputExistsError(f"{error}: it is not replaced: move it away first") from error
    if old is not None and old.is_about(manifest, manifest_text) and not overwrite:
        raise OutputExistsError(
            f"{file}: already signs this portrait: keep it, or allow overwriting", parameter="overwrite"
        )


def write_signature(
    directory: Path,
    signature: SignatureFile,
    manifest: Manifest,
    manifest_text: bytes,
    *,
    overwrite: bool,
) -> Path:
    """Write a signature beside a portrait's manifest, whole or not at all.

    Args:
        directory: The portrait's directory.
        signature: The signature.
        manifest: The manifest that it signs.
        manifest_text: The bytes of the manifest's file.
        overwrite: Whether to replace a signature of this very portrait.

    Raises:
        OutputExistsError: The manifest has changed meanwhile, or what is there may not be replaced.
        OutputError: The file cannot be written.
    """
    file = directory / SIGNATURE_NAME
    with writing(file), lock_directory(directory):
        if (directory / MANIFEST_NAME).read_bytes() != manifest_text:
            raise OutputExistsError(f"{directory}: another process has changed it meanwhile: sign it again")
        require_replaceable(directory, manifest, manifest_text, overwrite=overwrite)
        write_file(file, signature.to_json())
    return file
