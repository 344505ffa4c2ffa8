"""The container is a Sigstore bundle that other software reads, and everything else is refused by name."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigstore_models.bundle.v1 import Bundle
from support.signers import Authority, certificate_der, email

import portrait
from portrait import SignatureError
from portrait.signing.envelope import Envelope
from portrait.signing.signature_file import (
    MAX_CERTIFICATES,
    MAX_SIGNATURE_BYTES,
    SIGNATURE_NAME,
    SignatureFile,
    check_current,
    parse_signature_file,
    read_signature_file,
    stated,
)
from portrait.signing.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portrait.bundle.manifest import Manifest

PLAIN = SignatureFile(Envelope(b"payload", "key", b"signature"))


@given(st.binary(), st.text(st.characters(codec="utf-8")), st.binary(), st.lists(st.binary(), max_size=3))
def test_a_file_is_read_as_it_was_written(
    payload: bytes, keyid: str, signature: bytes, certificates: list[bytes]
) -> None:
    made = SignatureFile(Envelope(payload, keyid, signature), tuple(certificates))
    assert parse_signature_file(made.to_json(), "it") == made


def test_the_models_of_sigstore_read_a_signature_by_a_key() -> None:
    theirs = Bundle.from_json(PLAIN.to_json())
    assert theirs.media_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert theirs.verification_material.tlog_entries == []
    assert theirs.verification_material.public_key is not None
    assert theirs.verification_material.public_key.hint == "key"
    assert theirs.dsse_envelope is not None
    (signature,) = theirs.dsse_envelope.signatures
    assert (theirs.dsse_envelope.payload, signature.sig) == (b"payload", b"signature")


def test_the_models_of_sigstore_read_a_signature_with_certificates() -> None:
    root = Authority.root()
    chain = (certificate_der(root.issue(names=email())), certificate_der(root.certificate))
    theirs = Bundle.from_json(SignatureFile(PLAIN.envelope, chain).to_json())
    assert theirs.verification_material.x509_certificate_chain is not None
    certificates = theirs.verification_material.x509_certificate_chain.certificates
    assert tuple(one.raw_bytes for one in certificates) == chain


def material(content: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = content["verificationMaterial"]
    return inner


def certify(content: dict[str, Any], n: int) -> None:
    del material(content)["publicKey"]
    material(content)["x509CertificateChain"] = {"certificates": [{"rawBytes": "AAAA"}] * n}


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another media type": (lambda c: c.update(mediaType="application/json"), "not a Sigstore bundle"),
    "no media type": (lambda c: c.pop("mediaType"), "not a Sigstore bundle"),
    "no envelope": (lambda c: c.pop("dsseEnvelope"), "dsseEnvelope must be an object"),
    "no material": (lambda c: c.pop("verificationMaterial"), "verificationMaterial must be an object"),
    "another hint": (lambda c: material(c)["publicKey"].update(hint="other"), "must be the keyid"),
    "no hint": (lambda c: material(c)["publicKey"].clear(), "publicKey.hint must be a string"),
    "no signer": (lambda c: material(c).pop("publicKey"), "x509CertificateChain must be an object"),
    "no certificates": (lambda c: certify(c, 0), "must be 1 to 10 certificates"),
    "many certificates": (lambda c: certify(c, MAX_CERTIFICATES + 1), "must be 1 to 10 certificates"),
    "many values": (lambda c: c.update(more=[0] * 1_000), "more than 1,000 values"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_another_container_is_refused_by_name(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    content = json.loads(PLAIN.to_json())
    change(content)
    with pytest.raises(SignatureError) as caught:
        parse_signature_file(json.dumps(content).encode(), "it")
    assert str(caught.value).startswith("it: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": 1, "a": 2}', b"[" * 100, b'{"mediaType": NaN}']
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(SignatureError, match=r"^it: "):
        parse_signature_file(data, "it")


def test_an_unknown_member_is_ignored() -> None:
    content = json.loads(PLAIN.to_json()) | {"more": 1}
    assert parse_signature_file(json.dumps(content).encode(), "it") == PLAIN


def test_a_missing_signature_is_named(tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match=rf"^{tmp_path}: is not signed: it holds no {SIGNATURE_NAME}"):
        read_signature_file(tmp_path)
    assert stated(tmp_path) is None


def test_only_a_regular_file_of_limited_size_is_read(tmp_path: Path) -> None:
    file = tmp_path / SIGNATURE_NAME
    file.symlink_to(tmp_path / "missing")
    with pytest.raises(SignatureError, match=r"is a link to .*missing"):
        read_signature_file(tmp_path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(SignatureError, match="is a FIFO, not a regular file"):
        read_signature_file(tmp_path)
    file.unlink()
    file.write_bytes(b" " * (MAX_SIGNATURE_BYTES + 1))
    with pytest.raises(SignatureError, match="has more than 4,194,304 bytes"):
        stated(tmp_path)


def test_a_link_to_a_signature_is_followed(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(PLAIN.to_json())
    (tmp_path / SIGNATURE_NAME).symlink_to("blob")
    assert read_signature_file(tmp_path) == PLAIN


def write(bundle: Path, manifest: Manifest, text: bytes) -> Statement:
    """Write an envelope whose signature is none, and return its statement."""
    statement = Statement.of(manifest, text, ())
    made = SignatureFile(Envelope(statement.to_json(), "key", b"signature"))
    (bundle / SIGNATURE_NAME).write_bytes(made.to_json())
    return statement


def test_a_signature_left_behind_by_a_change_is_found_without_any_key(bundle: Path) -> None:
    text = (bundle / "portrait.json").read_bytes()
    manifest = portrait.open(bundle).manifest
    check_current(bundle, text, manifest)  # there is none
    assert stated(bundle) is None
    statement = write(bundle, manifest, text)
    assert stated(bundle) == statement
    check_current(bundle, text, manifest)
    (bundle.parent / "b.txt").write_text("A new layer for the portrait. " * 9)
    new = portrait.add(bundle, {"b": bundle.parent / "b.txt"}).manifest
    with pytest.raises(SignatureError) as caught:
        check_current(bundle, (bundle / "portrait.json").read_bytes(), new)
    assert str(caught.value) == (
        f"{bundle / SIGNATURE_NAME}: signs another version of this portrait: sign it again"
    )


def test_a_file_that_is_no_signature_is_not_current_either(bundle: Path) -> None:
    text, manifest = (bundle / "portrait.json").read_bytes(), portrait.open(bundle).manifest
    for data in (b"mine", PLAIN.to_json()):
        (bundle / SIGNATURE_NAME).write_bytes(data)
        with pytest.raises(SignatureError, match=SIGNATURE_NAME):
            check_current(bundle, text, manifest)
