"""A signature is accepted if it is the expected signer's, and every other is refused by name."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]
from support.openssl import needs_openssl
from support.signers import (
    ALICE,
    DAY,
    Authority,
    certificate_pem,
    email,
    key_of,
    public_pem,
    write_keys,
)

import portrait
from portrait import SignatureError, SpecError
from portrait.signing.envelope import Envelope, pre_authentication_encoding
from portrait.signing.keys import key_id, signature_of
from portrait.signing.signature_file import SIGNATURE_NAME, SignatureFile, read_signature_file
from portrait.signing.signer import Signer
from portrait.signing.statement import Statement
from portrait.signing.verifier import (
    CheckedStatement,
    KeyOwner,
    check_signature,
    expected_signer,
    require_about,
)

if TYPE_CHECKING:
    from pathlib import Path

ROOT = Authority.root()
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
SIGNATURE = signature_of(key_of("alice"), pre_authentication_encoding(PAYLOAD))


@pytest.fixture
def statement(whole: Path) -> Statement:
    """A statement about the portrait."""
    return Statement.of(portrait.open(whole).manifest, (whole / "portrait.json").read_bytes(), ())


def signed(
    directory: Path, statement: Statement, *, certified: bool = False, owner: str = "alice", **options: Any
) -> Path:
    """Sign a statement in a directory, and return the file."""
    chain = None
    if certified:
        leaf = ROOT.issue(owner, key_of(owner), names=email(f"{owner}@example.org"), **options)
        chain = directory / "chain.pem"
        chain.write_bytes(certificate_pem(leaf))
        (directory / "roots.pem").write_bytes(certificate_pem(ROOT.certificate))
    file = directory / SIGNATURE_NAME
    file.write_bytes(Signer.of(write_keys(directory, owner)[0], certificate=chain).sign(statement).to_json())
    return file


def check(directory: Path, **expected: Any) -> CheckedStatement:
    """Check the signature in a directory."""
    names = ("public_key", "identity", "trusted_root")
    signer = expected_signer(*(expected.get(name) for name in names))
    assert signer is not None
    return check_signature(directory, signer)


def refusal(directory: Path, **expected: Any) -> str:
    """Return the message with which the signature in a directory is refused."""
    with pytest.raises(SignatureError) as caught:
        check(directory, **expected)
    assert str(caught.value).isprintable()
    return str(caught.value)


def change(file: Path, **members: Any) -> None:
    """Replace members of the envelope in a file."""
    content = json.loads(file.read_bytes())
    content["dsseEnvelope"].update(members)
    file.write_bytes(json.dumps(content).encode())


def test_a_signature_is_checked_by_a_public_key(tmp_path: Path, statement: Statement) -> None:
    signed(tmp_path, statement)
    keyid = key_id(key_of("alice").public_key())
    assert check(tmp_path, public_key=tmp_path / "alice.pub") == CheckedStatement(statement, keyid)


def test_a_signature_is_checked_by_an_identity(tmp_path: Path, statement: Statement) -> None:
    signed(tmp_path, statement, certified=True)
    checked = check(tmp_path, identity=ALICE, trusted_root=tmp_path / "roots.pem")
    keyid = key_id(key_of("alice").public_key())
    assert checked == CheckedStatement(statement, keyid, ALICE, "CN=Root")


def test_a_certified_signature_is_checked_by_its_key_too(tmp_path: Path, statement: Statement) -> None:
    signed(tmp_path, statement, certified=True)
    assert check(tmp_path, public_key=tmp_path / "alice.pub").identity is None


def test_another_key_is_named(tmp_path: Path, statement: Statement) -> None:
    signed(tmp_path, statement)
    _, bobs = write_keys(tmp_path, "bob")
    ids = [key_id(key_of(owner).public_key()) for owner in ("alice", "bob")]
    message = refusal(tmp_path, public_key=bobs)
    assert message.startswith(
        f"{tmp_path / SIGNATURE_NAME}: signed with the key {ids[0]}, and not with {ids[1]}"
    )


def test_a_signature_with_the_name_of_another_key_is_refused(tmp_path: Path, statement: Statement) -> None:
    """Check that the key's name, which no signature covers, decides nothing."""
    payload = statement.to_json()
    bobs = signature_of(key_of("bob"), pre_authentication_encoding(payload))
    forged = SignatureFile(Envelope(payload, key_id(key_of("alice").public_key()), bobs))
    (tmp_path / SIGNATURE_NAME).write_bytes(forged.to_json())
    _, alices = write_keys(tmp_path)
    assert "its signature does not belong to what it states" in refusal(tmp_path, public_key=alices)


def test_another_identity_is_named(tmp_path: Path, statement: Statement) -> None:
    signed(tmp_path, statement, certified=True, owner="bob")
    message = refusal(tmp_path, identity=ALICE, trusted_root=tmp_path / "roots.pem")
    assert message.endswith(f"signed by bob@example.org, and not by {ALICE}")


def test_a_signature_without_certificate_has_no_identity(tmp_path: Path, statement: Statement) -> None:
    signed(tmp_path, statement)
    (tmp_path / "roots.pem").write_bytes(certificate_pem(ROOT.certificate))
    message = refusal(tmp_path, identity=ALICE, trusted_root=tmp_path / "roots.pem")
    assert f"brings no certificate, so that it says nothing about {ALICE}" in message


def test_an_untrusted_chain_and_an_expired_one_are_told_apart(tmp_path: Path, statement: Statement) -> None:
    signed(tmp_path, statement, certified=True)
    (tmp_path / "others.pem").write_bytes(certificate_pem(Authority.root("Other").certificate))
    message = refusal(tmp_path, identity=ALICE, trusted_root=tmp_path / "others.pem")
    assert "no trusted root vouches for its signer" in message
    file = tmp_path / SIGNATURE_NAME
    content = json.loads(file.read_bytes())
    old = ROOT.issue(names=email(), ends=-DAY / 2)
    chain = {"certificates": [{"rawBytes": "".join(certificate_pem(old).decode().splitlines()[1:-1])}]}
    content["verificationMaterial"]["x509CertificateChain"] = chain
    file.write_bytes(json.dumps(content).encode())
    assert "expired on" in refusal(tmp_path, identity=ALICE, trusted_root=tmp_path / "roots.pem")


def test_the_key_of_the_certificate_is_the_one_that_signed(tmp_path: Path, statement: Statement) -> None:
    file = signed(tmp_path, statement, certified=True)
    bobs = signature_of(key_of("bob"), pre_authentication_encoding(statement.to_json()))
    alice, bob = (key_id(key_of(owner).public_key()) for owner in ("alice", "bob"))
    for keyid, message in ((alice, "does not belong to what it states"), (bob, "names another key")):
        change(file, signatures=[{"keyid": keyid, "sig": base64.b64encode(bobs).decode()}])
        assert message in refusal(tmp_path, identity=ALICE, trusted_root=tmp_path / "roots.pem")


def test_a_payload_is_not_read_before_its_signature_is_known(tmp_path: Path, statement: Statement) -> None:
    file = signed(tmp_path, statement)
    change(file, payload=base64.b64encode(b"{").decode())
    assert "its signature does not belong" in refusal(tmp_path, public_key=tmp_path / "alice.pub")


def test_a_signature_of_something_else_is_not_one_of_a_portrait(tmp_path: Path) -> None:
    made = SignatureFile(Envelope(PAYLOAD, key_id(key_of("alice").public_key()), SIGNATURE))
    (tmp_path / SIGNATURE_NAME).write_bytes(made.to_json())
    _, public = write_keys(tmp_path)
    assert "the signed statement: predicateType must be" in refusal(tmp_path, public_key=public)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_changed_byte_of_the_payload_or_the_signature_is_accepted(data: st.DataObject) -> None:
    parts = [bytearray(PAYLOAD), bytearray(SIGNATURE)]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))
    key = key_of("alice").public_key()
    envelope = Envelope(bytes(parts[0]), key_id(key), bytes(parts[1]))
    with pytest.raises(SignatureError, match="its signature does not belong to what it states"):
        KeyOwner(key).check(SignatureFile(envelope), "it")


def test_another_implementation_of_dsse_accepts_the_signature(tmp_path: Path, statement: Statement) -> None:
    content = json.loads(signed(tmp_path, statement).read_bytes())
    theirs = TheirEnvelope.from_dict(content["dsseEnvelope"])
    keyid = key_id(key_of("alice").public_key())
    keys = {
        owner: SSlibKey(keyid, "ecdsa", "ecdsa-sha2-nistp256", {"public": public_pem(key_of(owner)).decode()})
        for owner in ("alice", "bob")
    }
    assert theirs.verify([keys["alice"]], 1) == {keyid: keys["alice"]}
    with pytest.raises(Exception, match="Accepted signatures do not match threshold"):
        theirs.verify([keys["bob"]], 1)


@needs_openssl
def test_openssl_accepts_the_signature(tmp_path: Path, statement: Statement) -> None:
    envelope = json.loads(signed(tmp_path, statement).read_bytes())["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    (tmp_path / "pae").write_bytes(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = ["openssl", "dgst", "-sha256", "-verify", "alice.pub", "-signature", "sig", "pae"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Verified OK\n")


def test_what_is_expected_must_not_contradict_itself(tmp_path: Path) -> None:
    _, public = write_keys(tmp_path)
    (tmp_path / "roots.pem").write_bytes(certificate_pem(ROOT.certificate))
    roots = tmp_path / "roots.pem"
    for arguments, parameter in (
        ((public, ALICE, None), "public_key"),
        ((public, None, roots), "public_key"),
        ((public, ALICE, roots), "public_key"),
        ((None, ALICE, None), "trusted_root"),
        ((None, None, roots), "identity"),
        ((None, "", roots), "identity"),
        ((None, ALICE, public), "trusted_root"),
        ((roots, None, None), "public_key"),
    ):
        with pytest.raises(SpecError) as caught:
            expected_signer(*arguments)
        assert caught.value.parameter == parameter
        assert "--" not in str(caught.value)
    assert expected_signer(None, None, None) is None


def test_a_signature_is_about_one_portrait_and_one_manifest(bundle: Path, statement: Statement) -> None:
    manifest, text = portrait.open(bundle).manifest, (bundle / "portrait.json").read_bytes()
    require_about(statement, manifest, text, bundle)
    with pytest.raises(SignatureError, match="signs another version of this portrait's manifest"):
        require_about(statement, manifest, text.replace(b"CC0", b"CC1"), bundle)
    (bundle.parent / "b.txt").write_text("A new layer for the portrait. " * 9)
    new = portrait.add(bundle, {"b": bundle.parent / "b.txt"}).manifest
    with pytest.raises(SignatureError, match=f"signs another portrait, .* {manifest.id}, and not {new.id}"):
        require_about(statement, new, (bundle / "portrait.json").read_bytes(), bundle)


def test_the_file_that_is_read_is_the_one_that_was_written(tmp_path: Path, statement: Statement) -> None:
    file = signed(tmp_path, statement, certified=True)
    assert read_signature_file(tmp_path).to_json() == file.read_bytes()
