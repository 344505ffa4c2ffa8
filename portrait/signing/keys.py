"""Keys of signers: ECDSA on NIST's curves and Ed25519, in PEM."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from portrait.errors import SpecError
from portrait.extras import load
from portrait.storage.failures import reason

if TYPE_CHECKING:
    import os
    from typing import TypeAlias

    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    PrivateKey: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey
    PublicKey: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey

#: The hash function that ECDSA takes on each curve.
_HASHES = {"secp256r1": "SHA256", "secp384r1": "SHA384", "secp521r1": "SHA512"}
_KNOWN = "ECDSA on P-256, P-384 or P-521, or Ed25519"

#: A file of keys or certificates is no larger.
_MAX_PEM_BYTES = 1 << 20


def read_pem(path: str | os.PathLike[str], parameter: str) -> bytes:
    """Return the content of a file of keys or certificates; a pipe is fine, too.

    Args:
        path: The file.
        parameter: The library's parameter that names it.

    Raises:
        SpecError: It cannot be read, or is too large.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a descriptor's path, too
            data = file.read(_MAX_PEM_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: cannot be read: {reason(error)}", parameter=parameter) from error
    if len(data) > _MAX_PEM_BYTES:
        raise SpecError(f"{path}: too large for a file in PEM: choose another file", parameter=parameter)
    return data


def is_encrypted(pem: bytes) -> bool:
    """Return whether a private key in PEM takes a password."""
    return b"BEGIN ENCRYPTED" in pem or b"4,ENCRYPTED" in pem


def load_private_key(pem: bytes, where: str, password: str | bytes | None = None) -> PrivateKey:
    """Read a private key.

    Args:
        pem: The key in PEM.
        where: Its file's name, for messages.
        password: Its password; ignored where the key is not encrypted.

    Raises:
        SpecError: It is no such key, or the password is missing or wrong.
        MissingExtraError: cryptography is not installed.
    """
    serialization = load("cryptography.hazmat.primitives.serialization", "sign")
    unsupported = load("cryptography.exceptions", "sign").UnsupportedAlgorithm
    encrypted = is_encrypted(pem)
    if encrypted and not password:
        raise SpecError(f"{where}: the private key is encrypted: give its password", parameter="password")
    secret = password.encode() if isinstance(password, str) else password
    try:
        key = serialization.load_pem_private_key(pem, secret if encrypted else None)
    except (ValueError, TypeError, unsupported) as error:
        if encrypted:
            raise SpecError(
                f"{where}: cannot be decrypted: the password is wrong, or the key is damaged",
                parameter="password",
            ) from error
        raise SpecError(
            f"{where}: not a private key in PEM: give one of {_KNOWN}", parameter="private_key"
        ) from error
    _require_known(key.public_key(), where, "private_key")
    return key  # type: ignore[no-any-return]  # checked above


def load_public_key(pem: bytes, where: str) -> PublicKey:
    """Read a public key.

    Args:
        pem: The key in PEM.
        where: Its file's name, for messages.

    Raises:
        SpecError: It is no such key.
        MissingExtraError: cryptography is not installed.
    """
    serialization = load("cryptography.hazmat.primitives.serialization", "sign")
    unsupported = load("cryptography.exceptions", "sign").UnsupportedAlgorithm
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, unsupported) as error:
        raise SpecError(
            f"{where}: not a public key in PEM: give one of {_KNOWN}", parameter="public_key"
        ) from error
    return _require_known(key, where, "public_key")


def _require_known(key: Any, where: str, parameter: str) -> PublicKey:
    if not is_known(key):
        raise SpecError(
            f"{where}: a key of another kind ({type(key).__name__}): give one of {_KNOWN}",
            parameter=parameter,
        )
    return key  # type: ignore[no-any-return]  # checked above


def is_known(key: Any) -> bool:
    """Return whether a public key is of a kind that signs portraits."""
    return _is_ed25519(key) or getattr(getattr(key, "curve", None), "name", None) in _HASHES


def _is_ed25519(key: Any) -> bool:
    ed25519 = load("cryptography.hazmat.primitives.asymmetric.ed25519", "sign")
    return isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey)


def key_id(key: PublicKey) -> str:
    """Return the name of a key: the SHA-256 of its SubjectPublicKeyInfo in DER, in hexadecimal."""
    serialization = load("cryptography.hazmat.primitives.serialization", "sign")
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(encoding, form)).hexdigest()


def signature_of(key: PrivateKey, data: bytes) -> bytes:
    """Sign bytes: ECDSA in DER, or Ed25519's 64 bytes."""
    return key.sign(data, *_algorithm(key))


def is_signature(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Return whether a signature is the key's over these bytes."""
    invalid = load("cryptography.exceptions", "sign").InvalidSignature
    try:
        key.verify(signature, data, *_algorithm(key))
    except invalid:
        return False
    return True


def _algorithm(key: Any) -> tuple[Any, ...]:
    """Return what a key's methods take besides bytes: for ECDSA, the curve's hash function."""
    if _is_ed25519(key):
        return ()
    ec = load("cryptography.hazmat.primitives.asymmetric.ec", "sign")
    hashes = load("cryptography.hazmat.primitives.hashes", "sign")
    return (ec.ECDSA(getattr(hashes, _HASHES[key.curve.name])()),)
