"""A statement is signed with a key, and written where nobody else's file is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.signers import (
    ALICE,
    Authority,
    certificate_pem,
    email,
    key_of,
    private_pem,
    write_keys,
)

import portrait
from portrait import OutputExistsError, SpecError
from portrait.signing.envelope import pre_authentication_encoding
from portrait.signing.keys import is_signature, key_id
from portrait.signing.signature_file import SIGNATURE_NAME, read_signature_file
from portrait.signing.signer import Signer, require_replaceable, write_signature
from portrait.signing.statement import Statement, Subject

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Manifest


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Somebody who signs."""
    return Signer.of(write_keys(tmp_path)[0])


def manifest_of(bundle: Path) -> tuple[Manifest, bytes]:
    """Return the manifest of a portrait, and its bytes."""
    return portrait.open(bundle).manifest, (bundle / "portrait.json").read_bytes()


def write(bundle: Path, signer: Signer, *, overwrite: bool = False) -> bytes:
    """Sign a portrait, and return the file."""
    manifest, text = manifest_of(bundle)
    made = signer.sign(Statement.of(manifest, text, ()))
    return write_signature(bundle, made, manifest, text, overwrite=overwrite).read_bytes()


def test_a_signature_is_of_the_statement_by_the_key(signer: Signer, bundle: Path) -> None:
    statement = Statement.of(*manifest_of(bundle), ())
    made = signer.sign(statement)
    envelope = made.envelope
    public = key_of("alice").public_key()
    assert envelope.payload == statement.to_json()
    assert envelope.keyid == signer.keyid == key_id(public)
    assert is_signature(public, envelope.signature, pre_authentication_encoding(envelope.payload))
    assert made.certificates == ()


def test_a_chain_comes_with_the_signature(tmp_path: Path, bundle: Path) -> None:
    root = Authority.root()
    middle = root.authority("Middle")
    chain = certificate_pem(middle.issue(names=email()), middle.certificate, root.certificate)
    (tmp_path / "chain.pem").write_bytes(chain)
    signer = Signer.of(write_keys(tmp_path)[0], certificate=tmp_path / "chain.pem")
    assert signer.chain is not None
    assert (signer.chain.identity, signer.chain.issuer) == (ALICE, "CN=Middle")
    assert len(signer.sign(Statement.of(*manifest_of(bundle), ())).certificates) == 2


def test_an_encrypted_key_takes_its_password(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(private_pem(key_of("alice"), b"secret"))
    assert Signer.of(tmp_path / "key.pem", "secret").keyid == key_id(key_of("alice").public_key())


def test_the_certificate_of_somebody_else_is_refused(tmp_path: Path) -> None:
    leaf = Authority.root().issue("Bob", key_of("bob"), names=email("bob@example.org"))
    (tmp_path / "chain.pem").write_bytes(certificate_pem(leaf))
    with pytest.raises(SpecError, match="is not of the private key"):
        Signer.of(write_keys(tmp_path)[0], certificate=tmp_path / "chain.pem")


def test_a_signature_larger_than_readers_take_is_refused(signer: Signer, bundle: Path) -> None:
    weights = [Subject("a" * 1000 + str(i), "0" * 64) for i in range(3_000)]
    with pytest.raises(SpecError, match="sign fewer weights") as caught:
        signer.sign(Statement.of(*manifest_of(bundle), weights))
    assert caught.value.parameter == "weights"


def test_a_signature_of_this_portrait_is_replaced_on_request_only(signer: Signer, bundle: Path) -> None:
    first = write(bundle, signer)
    with pytest.raises(OutputExistsError, match="already signs this portrait") as caught:
        write(bundle, signer)
    assert caught.value.parameter == "overwrite"
    assert (bundle / SIGNATURE_NAME).read_bytes() == first
    assert write(bundle, signer, overwrite=True) != first  # ECDSA is not deterministic


def test_a_stale_signature_is_replaced(signer: Signer, bundle: Path) -> None:
    write(bundle, signer)
    (bundle.parent / "b.txt").write_text("A new layer for the portrait. " * 9)
    portrait.add(bundle, {"b": bundle.parent / "b.txt"})
    write(bundle, signer)
    payload = json.loads(read_signature_file(bundle).envelope.payload)
    assert payload["subject"][0]["digest"]["sha256"] == portrait.open(bundle).manifest.id


@pytest.mark.parametrize("data", [b"mine", b"{}", b""])
def test_a_file_that_is_no_signature_is_never_replaced(data: bytes, signer: Signer, bundle: Path) -> None:
    (bundle / SIGNATURE_NAME).write_bytes(data)
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match="it is not replaced: move it away first"):
            write(bundle, signer, overwrite=overwrite)
    assert (bundle / SIGNATURE_NAME).read_bytes() == data
    (bundle / SIGNATURE_NAME).unlink()
    require_replaceable(bundle, *manifest_of(bundle), overwrite=False)


def test_a_portrait_that_changes_meanwhile_is_not_signed(signer: Signer, bundle: Path) -> None:
    manifest, text = manifest_of(bundle)
    made = signer.sign(Statement.of(manifest, text, ()))
    with pytest.raises(OutputExistsError, match="another process has changed it meanwhile: sign it again"):
        write_signature(bundle, made, manifest, text + b"\n", overwrite=True)
    assert not (bundle / SIGNATURE_NAME).exists()


def test_a_link_is_replaced_and_not_what_it_leads_to(signer: Signer, bundle: Path) -> None:
    first = write(bundle, signer)
    (bundle / SIGNATURE_NAME).rename(bundle.parent / "blob")
    (bundle / SIGNATURE_NAME).symlink_to(bundle.parent / "blob")
    write(bundle, signer, overwrite=True)
    assert not (bundle / SIGNATURE_NAME).is_symlink()
    assert (bundle.parent / "blob").read_bytes() == first
