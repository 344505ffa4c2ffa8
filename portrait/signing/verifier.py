"""Checking a signature: by a public key, or by an identity that a trusted root vouches for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from portrait.errors import SignatureError, SpecError
from portrait.signing import keys
from portrait.signing.certificates import certified_key, load_certificates
from portrait.signing.envelope import pre_authentication_encoding
from portrait.signing.signature_file import SIGNATURE_NAME, read_signature_file
from portrait.signing.statement import parse_statement

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from cryptography.x509 import Certificate

    from portrait.bundle.manifest import Manifest
    from portrait.signing.keys import PublicKey
    from portrait.signing.signature_file import SignatureFile
    from portrait.signing.statement import Statement


@dataclass(frozen=True, slots=True)
class CheckedStatement:
    """A statement whose signature is the expected signer's, and who that is."""

    statement: Statement
    keyid: str
    identity: str | None = None
    issuer: str | None = None


class ExpectedSigner(Protocol):
    """Whose signature a reader wants to see."""

    def check(self, signature: SignatureFile, where: str) -> CheckedStatement:
        """Check that a signature is the signer's, and return what it states.

        Args:
            signature: The signature.
            where: The name of its file, for messages.

        Raises:
            SignatureError: It is not.
        """


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whoever holds the private key to a public key."""

    key: PublicKey

    def check(self, signature: SignatureFile, where: str) -> CheckedStatement:
        """Check that the signature is by this key."""
        keyid = keys.key_id(self.key)
        if signature.envelope.keyid != keyid:
            raise SignatureError(
                f"{where}: signed with the key {signature.envelope.keyid:.100}, and not with {keyid}: check "
                "whose key you have, or ask the signer for the new one"
            )
        return CheckedStatement(_statement(signature, self.key, where), keyid)


@dataclass(frozen=True, slots=True)
class CertifiedSigner:
    """Whoever an authority certifies to have an e-mail address or a URI."""

    identity: str
    roots: tuple[Certificate, ...]

    def check(self, signature: SignatureFile, where: str) -> CheckedStatement:
        """Check that the signature is by a key that a trusted root certifies to be this signer's."""
        if not signature.certificates:
            raise SignatureError(
                f"{where}: brings no certificate, so that it says nothing about {self.identity}: check it "
                "with the signer's public key"
            )
        certified = certified_key(signature.certificates, self.identity, self.roots, where)
        keyid = keys.key_id(certified.key)
        if signature.envelope.keyid != keyid:
            raise SignatureError(f"{where}: names another key than that of its certificate")
        statement = _statement(signature, certified.key, where)
        return CheckedStatement(statement, keyid, self.identity, certified.issuer)


def _statement(signature: SignatureFile, key: PublicKey, where: str) -> Statement:
    """Return what a key has signed; nothing of the payload is read before that is known."""
    envelope = signature.envelope
    if not keys.is_signature(key, envelope.signature, pre_authentication_encoding(envelope.payload)):
        raise SignatureError(
            f"{where}: its signature does not belong to what it states: it was changed after it was signed: "
            "fetch it again"
        )
    return parse_statement(envelope.payload, where)


def expected_signer(
    public_key: str | os.PathLike[str] | None,
    identity: str | None,
    trusted_root: str | os.PathLike[str] | None,
) -> ExpectedSigner | None:
    """Return whose signature a reader wants to see; ``None`` if no signature is to be checked.

    Args:
        public_key: The file of a public key, in PEM.
        identity: An e-mail address or URI, instead of a key.
        trusted_root: The file of the certificates that may vouch for the identity, in PEM.

    Raises:
        SpecError: The values contradict each other, or a file cannot be used.
        MissingExtraError: cryptography is not installed.
    """
    if public_key is not None:
        if identity is not None or trusted_root is not None:
            raise SpecError(
                "a signature is checked by a public key, or by an identity and trusted roots, not by both",
                parameter="public_key",
            )
        return KeyOwner(keys.load_public_key(keys.read_pem(public_key, "public_key"), str(public_key)))
    if identity is None and trusted_root is None:
        return None
    if trusted_root is None:
        raise SpecError(
            "an identity is checked by certificates of roots that you trust: name their file, too",
            parameter="trusted_root",
        )
    if not identity:
        raise SpecError(
            "trusted roots vouch for many signers: name the one you expect, too", parameter="identity"
        )
    pem = keys.read_pem(trusted_root, "trusted_root")
    return CertifiedSigner(
        identity, tuple(load_certificates(pem, str(trusted_root), parameter="trusted_root"))
    )


def check_signature(directory: Path, signer: ExpectedSigner) -> CheckedStatement:
    """Check the signature in a portrait's directory, and return what it states.

    Args:
        directory: The directory.
        signer: Whose signature it must be.

    Raises:
        SignatureError: There is none, or it is not the signer's.
    """
    return signer.check(read_signature_file(directory), str(directory / SIGNATURE_NAME))


def require_about(statement: Statement, manifest: Manifest, manifest_text: bytes, directory: Path) -> None:
    """Check that a signed statement is about the portrait beside it.

    Args:
        statement: What was signed.
        manifest: The portrait's manifest.
        manifest_text: The bytes of its file.
        directory: The portrait's directory.

    Raises:
        SignatureError: It is about another portrait, or another version of the manifest.
    """
    file = directory / SIGNATURE_NAME
    if statement.portrait_id != manifest.id:
        raise SignatureError(
            f"{file}: signs another portrait, of the id {statement.portrait_id}, and not {manifest.id}: "
            "fetch the portrait and its signature together, or ask the signer to sign it again"
        )
    if not statement.is_about(manifest, manifest_text):
        raise SignatureError(
            f"{file}: signs another version of this portrait's manifest, with the same id: fetch both again, "
            "or ask the signer to sign it again"
        )
