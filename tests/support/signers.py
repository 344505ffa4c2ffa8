"""Keys, certificates and authorities for signatures, made where they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, GeneralName

DAY = timedelta(days=1)
ALICE = "alice@example.org"
#: Purposes of a signer's certificate.
CODE_SIGNING = (ExtendedKeyUsageOID.CODE_SIGNING,)


@cache
def key_of(owner: str) -> EllipticCurvePrivateKey:  # noqa: ARG001  # the cache's key
    """Return the P-256 key of somebody, always the same in one process."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: Any, password: bytes | None = None) -> bytes:
    """Return a private key in PEM."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        protection = serialization.BestAvailableEncryption(password)
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    return pem


def public_pem(key: Any) -> bytes:
    """Return the public half of a private key in PEM."""
    pem: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem


def write_keys(directory: Path, owner: str = "alice") -> tuple[Path, Path]:
    """Write a key of somebody to files, and return those of its private and its public half."""
    private, public = directory / f"{owner}.pem", directory / f"{owner}.pub"
    private.write_bytes(private_pem(key_of(owner)))
    public.write_bytes(public_pem(key_of(owner)))
    return private, public


def certificate_pem(*certificates: Certificate) -> bytes:
    """Return certificates in PEM."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


def certificate_der(certificate: Certificate) -> bytes:
    """Return a certificate in DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def email(address: str = ALICE) -> tuple[GeneralName, ...]:
    """Return an e-mail address as certificates name it."""
    return (x509.RFC822Name(address),)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class Authority:
    """Somebody who issues certificates; ``certificate`` is the authority's own."""

    name: str
    certificate: Certificate

    @classmethod
    def root(cls, name: str = "Root", **options: Any) -> Authority:
        """Return an authority that vouches for itself."""
        return cls(name, _issue(name, key_of(name), name, key_of(name), ca=True, **options))

    def authority(self, name: str, **options: Any) -> Authority:
        """Return an authority that this one vouches for."""
        return Authority(name, self.issue(name, key_of(name), ca=True, **options))

    def issue(self, name: str = "Alice", key: Any = None, **options: Any) -> Certificate:
        """Return a certificate, by default one for the key of alice."""
        return _issue(name, key or key_of("alice"), self.name, key_of(self.name), **options)


def _issue(
    name: str,
    key: Any,
    issuer: str,
    issuer_key: EllipticCurvePrivateKey,
    *,
    ca: bool = False,
    path_length: int | None = None,
    names: Sequence[GeneralName] = (),
    purposes: Sequence[x509.ObjectIdentifier] = (),
    can_sign: bool = True,
    begins: timedelta = -DAY,
    ends: timedelta = DAY,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Certificate:
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=can_sign and not ca,
        content_commitment=False,
        key_encipherment=not can_sign,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca and can_sign,
        crl_sign=ca and can_sign,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        .add_extension(usage, critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())
