"""``portrait verify``: its output in words, as JSON, or as the exit code alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.signers import ALICE, Authority, certificate_pem, email, key_of, write_keys

import portrait
from portrait.signing.keys import key_id

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

STORY = "The pilot of the last tram keeps a ladder in the depot, and nobody has ever seen him climb it. " * 3


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A portrait in the working directory of the commands."""
    (tmp_path / "a.txt").write_text(STORY)
    return portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait").path


def test_an_intact_portrait_is_confirmed_with_its_id(bundle: Path, cli: Cli) -> None:
    result = cli.here("verify", bundle.name)
    first, second = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert first.startswith("a.portrait: intact: 3 files, ")
    assert second == f"id {portrait.open(bundle).manifest.id}"
    assert cli.here("verify", bundle.name, "-q") == (0, "", "")


def test_json_is_the_library_s_result_on_one_line(bundle: Path, cli: Cli) -> None:
    result = cli.here("verify", bundle, "--json")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    assert json.loads(result.out) == portrait.verify(bundle).to_dict()


def test_files_that_are_not_part_of_the_portrait_are_noted(bundle: Path, cli: Cli) -> None:
    (bundle / "notes\x1b.txt").write_text("mine")
    result = cli.here("verify", bundle.name)
    assert result.code == 0
    assert result.err == "portrait: note: 'notes\\x1b.txt' is not part of the portrait\n"


def test_the_first_damaged_file_is_named(bundle: Path, cli: Cli) -> None:
    (shard,) = bundle.glob("*-of-*.safetensors")
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    assert shard.name in cli.refused_here("verify", bundle.name)


@pytest.fixture
def signed(bundle: Path, tmp_path: Path) -> Path:
    """The portrait, signed by alice with the weights of a model beside it and elsewhere."""
    (bundle / "model.bin").write_text("weights")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.bin").write_text("weights")
    root = Authority.root()
    (tmp_path / "chain.pem").write_bytes(certificate_pem(root.issue(names=email())))
    (tmp_path / "roots.pem").write_bytes(certificate_pem(root.certificate))
    private, _ = write_keys(tmp_path)
    portrait.sign(bundle, private, certificate=tmp_path / "chain.pem", weights=tmp_path / "more")
    return bundle


def test_a_signature_that_is_not_checked_is_noted(signed: Path, cli: Cli) -> None:
    result = cli.here("verify", signed.name)
    assert result.code == 0
    assert result.err.splitlines() == [
        "portrait: note: signed, signature not checked: give the signer's public key, or an identity",
        "portrait: note: 'model.bin' is not part of the portrait",
    ]
    assert cli.here("verify", signed.name, "-q") == (0, "", "")


def test_a_signature_is_checked_by_a_key_or_an_identity(signed: Path, cli: Cli) -> None:
    keyid = key_id(key_of("alice").public_key())
    for options, line in (
        (("--public-key", "alice.pub"), f"signed with key {keyid}"),
        (("--identity", ALICE, "--trusted-root", "roots.pem"), f"signed by {ALICE}, certified by CN=Root"),
    ):
        result = cli.here("verify", signed.name, *options, "--weights", "more")
        assert (result.code, result.err) == (0, "")
        assert result.out.splitlines()[2:] == [line, "weights: 2 files as signed"]


def test_weights_that_are_not_here_are_noted(signed: Path, cli: Cli) -> None:
    result = cli.here("verify", signed.name, "--public-key", "alice.pub")
    assert result.out.splitlines()[3:] == ["weights: 1 file as signed"]
    assert result.err == "portrait: note: weights 'b.bin' are not here, not checked\n"


def test_json_holds_the_facts_of_the_signature(signed: Path, cli: Cli) -> None:
    result = cli.here("verify", signed, "--public-key", "alice.pub", "--json")
    verified = portrait.verify(signed, public_key=signed.parent / "alice.pub")
    assert json.loads(result.out) == verified.to_dict()
    assert json.loads(result.out)["signature"]["weights_absent"] == ["b.bin"]


def test_a_signature_by_somebody_else_is_refused_in_one_line(signed: Path, cli: Cli, tmp_path: Path) -> None:
    write_keys(tmp_path, "bob")
    refused = cli.refused_here("verify", signed.name, "--public-key", "bob.pub")
    assert refused.startswith("a.portrait/portrait.sigstore.json: signed with the key ")


def test_options_that_contradict_each_other_are_refused_in_one_line(signed: Path, cli: Cli) -> None:
    for options, hint in (
        (("--public-key", "alice.pub", "--identity", ALICE), "(--public-key)"),
        (("--identity", ALICE), "(--trusted-root)"),
        (("--trusted-root", "roots.pem"), "(--identity)"),
        (("--weights", "more"), "(--public-key)"),
        (("--public-key", "alice.pub", "--weights", "a.txt"), "(--weights)"),
    ):
        assert cli.refused_here("verify", signed.name, *options).endswith(hint)
