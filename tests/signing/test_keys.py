"""Keys are read, named, and sign as their kind prescribes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from support.openssl import needs_openssl
from support.signers import key_of, private_pem, public_pem

from portrait import SpecError
from portrait.signing.keys import (
    is_encrypted,
    is_signature,
    key_id,
    load_private_key,
    load_public_key,
    read_pem,
    signature_of,
)

if TYPE_CHECKING:
    from pathlib import Path

KEYS: dict[str, Any] = {
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
#: How openssl is told to check a signature of each kind.
OPENSSL = {
    "P-256": ["dgst", "-sha256", "-verify", "key.pub", "-signature", "sig", "data"],
    "P-384": ["dgst", "-sha384", "-verify", "key.pub", "-signature", "sig", "data"],
    "P-521": ["dgst", "-sha512", "-verify", "key.pub", "-signature", "sig", "data"],
    "Ed25519": [
        "pkeyutl",
        "-verify",
        "-rawin",
        "-pubin",
        "-inkey",
        "key.pub",
        "-sigfile",
        "sig",
        "-in",
        "data",
    ],
}
DATA = b"DSSEv1 1 a 5 hello"


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_signs_and_its_public_half_checks(kind: str) -> None:
    private = load_private_key(private_pem(KEYS[kind]), "it")
    public = load_public_key(public_pem(KEYS[kind]), "it")
    signature = signature_of(private, DATA)
    assert is_signature(public, signature, DATA)
    assert not is_signature(public, signature, DATA + b"!")
    assert not is_signature(public, signature[:-1] + bytes([signature[-1] ^ 1]), DATA)
    assert not is_signature(public, b"", DATA)
    assert not any(is_signature(KEYS[other].public_key(), signature, DATA) for other in KEYS if other != kind)


@needs_openssl
@pytest.mark.parametrize("kind", KEYS)
def test_openssl_accepts_the_signatures(kind: str, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(public_pem(KEYS[kind]))
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "sig").write_bytes(signature_of(KEYS[kind], DATA))
    done = subprocess.run(
        ["openssl", *OPENSSL[kind]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Verified" in done.stdout) == (0, True), done


@needs_openssl
def test_a_key_is_named_by_the_digest_that_openssl_prints(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(public_pem(key_of("alice")))
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", "key.pub", "-outform", "DER"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout
    assert key_id(key_of("alice").public_key()) == hashlib.sha256(der).hexdigest()


def test_an_encrypted_key_takes_its_password() -> None:
    pem = private_pem(key_of("alice"), b"open sesame")
    assert is_encrypted(pem)
    for password in ("open sesame", b"open sesame"):
        assert key_id(load_private_key(pem, "it", password).public_key()) == key_id(
            key_of("alice").public_key()
        )


def test_a_password_is_ignored_where_the_key_has_none() -> None:
    pem = private_pem(key_of("alice"))
    assert not is_encrypted(pem)
    load_private_key(pem, "it", "open sesame")


def test_the_older_form_of_an_encrypted_key_is_read_too() -> None:
    pem = key_of("alice").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    assert is_encrypted(pem)
    load_private_key(pem, "it", "open sesame")


def test_a_missing_or_wrong_password_is_named() -> None:
    pem = private_pem(key_of("alice"), b"open sesame")
    for password, message in (
        (None, "the private key is encrypted: give its password"),
        ("", "the private key is encrypted: give its password"),
        ("sesame", "the password is wrong, or the key is damaged"),
    ):
        with pytest.raises(SpecError, match=message) as caught:
            load_private_key(pem, "it", password)
        assert caught.value.parameter == "password"


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256K1())], ids=["RSA", "k1"]
)
def test_a_key_of_another_kind_is_refused(key: Any) -> None:
    kinds = "give one of ECDSA on P-256, P-384 or P-521, or Ed25519$"
    with pytest.raises(SpecError, match=f"^it: a key of another kind .*: {kinds}") as caught:
        load_private_key(private_pem(key), "it")
    assert caught.value.parameter == "private_key"
    with pytest.raises(SpecError, match=f"^it: a key of another kind .*: {kinds}") as caught:
        load_public_key(public_pem(key), "it")
    assert caught.value.parameter == "public_key"


def test_what_is_no_key_is_refused() -> None:
    private, public = private_pem(key_of("alice")), public_pem(key_of("alice"))
    for pem in (b"", b"key", public, private[:-40]):
        with pytest.raises(SpecError, match=r"^it: not a private key in PEM"):
            load_private_key(pem, "it")
    for pem in (b"", b"key", private, public[:-40]):
        with pytest.raises(SpecError, match=r"^it: not a public key in PEM"):
            load_public_key(pem, "it")


def test_a_key_is_read_from_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"key",))
    writer.start()
    assert read_pem(tmp_path / "pipe", "private_key") == b"key"
    writer.join()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes((1 << 20) + 1))
    for name, message in (
        ("missing", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory"),
        ("large", "too large for a file in PEM"),
    ):
        with pytest.raises(SpecError, match=message) as caught:
            read_pem(tmp_path / name, "public_key")
        assert caught.value.parameter == "public_key"
