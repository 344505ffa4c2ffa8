"""``portrait.sigstore.json``: a Sigstore bundle with the envelope and what its signer is known by."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait import strict_json
from portrait.bundle.fields import Fields
from portrait.errors import DamagedBundleError, SignatureError
from portrait.markup.numbers import count
from portrait.signing.envelope import Envelope, from_base64, parse_envelope, to_base64
from portrait.signing.statement import Statement, parse_statement
from portrait.storage.failures import reason
from portrait.storage.regular import read_regular
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest

SIGNATURE_NAME = "portrait.sigstore.json"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

MAX_SIGNATURE_BYTES = 4 << 20
#: The container has about twenty values; the statement is text to it.
_MAX_VALUES = 1_000
#: The certificates of a signature, or in a file of certificates that a signature brings.
MAX_CERTIFICATES = 10


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """The content of ``portrait.sigstore.json``.

    ``certificates`` are those of the signer, in DER, the signer's own first. Without any, the signer is known
    by the key that the envelope names.
    """

    envelope: Envelope
    certificates: tuple[bytes, ...] = ()

    def to_json(self) -> bytes:
        """Return the file: sorted names, two spaces, a line feed at the end."""
        material: dict[str, Any] = {"publicKey": {"hint": self.envelope.keyid}}
        if self.certificates:
            chain = [{"rawBytes": to_base64(certificate)} for certificate in self.certificates]
            material = {"x509CertificateChain": {"certificates": chain}}
        content = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {**material, "tlogEntries": []},
            "dsseEnvelope": self.envelope.to_dict(),
        }
        return (json.dumps(content, sort_keys=True, indent=2) + "\n").encode()


def parse_signature_file(data: bytes, where: str) -> SignatureFile:
    """Read the content of a ``portrait.sigstore.json``.

    Args:
        data: The file's content.
        where: The file's name, for messages.

    Raises:
        SignatureError: It is not a Sigstore bundle with one signed statement.
    """
    if strict_json.count_values(data) > _MAX_VALUES:
        raise SignatureError(f"{where}: more than {count(_MAX_VALUES)} values are none of a signature's")
    try:
        content = strict_json.loads(data)
        if not isinstance(content, dict) or content.get("mediaType") != MEDIA_TYPE:
            raise SignatureError(f'{where}: not a Sigstore bundle: it has no "mediaType": "{MEDIA_TYPE}"')
        fields = Fields(content, where)
        envelope = parse_envelope(fields.fields("dsseEnvelope"))
        return SignatureFile(envelope, _certificates(fields.fields("verificationMaterial"), envelope))
    except JsonError as error:
        raise SignatureError(f"{where}: {error}") from error
    except DamagedBundleError as error:
        raise SignatureError(str(error)) from error


def _certificates(material: Fields, envelope: Envelope) -> tuple[bytes, ...]:
    if "publicKey" in material.content:
        if material.fields("publicKey").text("hint") != envelope.keyid:
            raise material.wrong("the keyid of the signature", "publicKey.hint")
        return ()
    chain = material.fields("x509CertificateChain").each("certificates")
    if not 1 <= len(chain) <= MAX_CERTIFICATES:
        raise material.wrong(f"1 to {MAX_CERTIFICATES} certificates", "x509CertificateChain.certificates")
    return tuple(from_base64(certificate, "rawBytes") for certificate in chain)


def read_signature_file(directory: Path) -> SignatureFile:
    """Read the signature in a portrait's directory.

    Raises:
        SignatureError: There is none, or it cannot be read.
    """
    file = directory / SIGNATURE_NAME
    try:
        data = read_regular(file, MAX_SIGNATURE_BYTES)
    except FileNotFoundError as error:
        if file.is_symlink():
            raise SignatureError(f"{file}: {reason(error)}") from error
        raise SignatureError(
            f"{directory}: is not signed: it holds no {SIGNATURE_NAME}: fetch the signature, too, or do "
            "without checking it"
        ) from error
    except OSError as error:
        raise SignatureError(f"{file}: {reason(error)}") from error
    return parse_signature_file(data, str(file))


def stated(directory: Path) -> Statement | None:
    """Return what the signature in a portrait's directory states, unchecked; ``None`` if there is none.

    Raises:
        SignatureError: The file cannot be read, or is not a signature of a portrait.
    """
    file = directory / SIGNATURE_NAME
    if not os.path.lexists(file):
        return None
    return parse_statement(read_signature_file(directory).envelope.payload, str(file))


def parse_stated(data: bytes, where: str) -> Statement | None:
    """Return what a signature of a portrait states, unchecked; ``None`` if the content is something else.

    Args:
        data: The content of a file that may be a signature.
        where: The file's name.
    """
    try:
        return parse_statement(parse_signature_file(data, where).envelope.payload, where)
    except SignatureError:
        return None


def check_current(directory: Path, manifest_text: bytes, manifest: Manifest) -> None:
    """Check that the signature in a portrait's directory, if there is one, is of this very portrait.

    This takes no key: it finds a signature that a change of the portrait has left behind, not a forged one.

    Args:
        directory: The portrait's directory.
        manifest_text: The bytes of the portrait's manifest.
        manifest: The manifest.

    Raises:
        SignatureError: The file cannot be read, or signs something else.
    """
    statement = stated(directory)
    if statement is not None and not statement.is_about(manifest, manifest_text):
        raise SignatureError(
            f"{directory / SIGNATURE_NAME}: signs another version of this portrait: sign it again"
        )
