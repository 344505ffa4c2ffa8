"""``portrait sign``: what it prints, where it gets the password, and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
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
from portrait.signing.keys import key_id

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

STORY = "The night porter waters the palm in the lobby, and tells it what the guests have left behind. " * 3
KEYID = key_id(key_of("alice").public_key())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A portrait, and the key of alice, in the working directory of the commands."""
    (tmp_path / "a.txt").write_text(STORY)
    write_keys(tmp_path)
    return portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait").path


def test_a_portrait_is_signed_with_the_weights_beside_it(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    (bundle / "model.safetensors").write_text("weights")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.bin").write_text("weights")
    result = cli.here("sign", "a.portrait", "--private-key", "alice.pem", "--weights", "more")
    assert result == (
        0,
        (
            "a.portrait/portrait.sigstore.json: signs the portrait, its manifest and 2 files of weights\n"
            f"key {KEYID}\n"
        ),
        "",
    )
    signature = portrait.verify(bundle, public_key=tmp_path / "alice.pub").signature
    assert signature is not None
    assert (signature.weights_checked, signature.weights_absent) == (("model.safetensors",), ("a.bin",))


def test_the_signer_of_a_certificate_is_named(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    leaf = Authority.root().issue(names=email())
    (tmp_path / "chain.pem").write_bytes(certificate_pem(leaf))
    result = cli.here("sign", bundle.name, "--private-key", "alice.pem", "--certificate", "chain.pem")
    assert result.out.splitlines()[1:] == [f"key {KEYID}", f"identity {ALICE}"]


def test_json_is_the_library_s_result_on_one_line(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    result = cli.here("sign", bundle, "--private-key", "alice.pem", "--json")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    signature = portrait.verify(bundle, public_key=tmp_path / "alice.pub").signature
    assert signature is not None
    assert json.loads(result.out) == signature.to_dict()


def test_quiet_prints_nothing(bundle: Path, cli: Cli) -> None:
    assert cli.here("sign", bundle, "--private-key", "alice.pem", "-q") == (0, "", "")
    assert (bundle / "portrait.sigstore.json").is_file()


def test_a_signature_is_replaced_on_request(bundle: Path, cli: Cli) -> None:
    sign = ("sign", bundle.name, "--private-key", "alice.pem")
    assert cli.here(*sign).code == 0
    assert cli.refused_here(*sign) == (
        "a.portrait/portrait.sigstore.json: already signs this portrait: keep it, or allow overwriting "
        "(--overwrite)"
    )
    assert cli.here(*sign, "--overwrite").code == 0


@pytest.fixture
def encrypted(bundle: Path, tmp_path: Path) -> Path:
    """The portrait, where the key of alice takes a password."""
    (tmp_path / "alice.pem").write_bytes(private_pem(key_of("alice"), b"open sesame"))
    (tmp_path / "password").write_text("open sesame\nnot this\n")
    return bundle


def test_the_password_comes_from_a_file(encrypted: Path, cli: Cli, tmp_path: Path) -> None:
    sign = ("sign", encrypted.name, "--private-key", "alice.pem", "--password-file")
    assert cli.here(*sign, "password").code == 0
    (tmp_path / "password").write_text("open")
    assert "the password is wrong" in cli.refused_here(*sign, "password", "--overwrite")
    assert cli.refused_here(*sign, "missing") == (
        "missing: cannot be read: No such file or directory (--password-file)"
    )


def test_the_password_comes_from_the_environment(
    encrypted: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTRAIT_KEY_PASSWORD", "open sesame")
    assert cli.here("sign", encrypted.name, "--private-key", "alice.pem").code == 0


def test_without_a_terminal_nobody_is_asked_for_the_password(encrypted: Path, cli: Cli) -> None:
    assert cli.refused_here("sign", encrypted.name, "--private-key", "alice.pem") == (
        "alice.pem: the private key is encrypted: give its password (--password-file)"
    )


def test_on_a_terminal_the_password_is_asked_for(encrypted: Path, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    # In a session of its own, the process has no other terminal to ask on.
    with subprocess.Popen(
        [sys.executable, "-m", "portrait", "sign", encrypted.name, "--private-key", "alice.pem"],
        cwd=tmp_path,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        prompt = b""
        while not prompt.endswith(b": ") and (more := process.stderr.read(1)):
            prompt += more
        os.write(controller, b"open sesame\n")
        out, err = process.communicate()
    os.close(controller)
    os.close(terminal)
    assert prompt == b"Password of alice.pem: "
    assert (process.returncode, out.splitlines()[-1], err.strip()) == (0, f"key {KEYID}".encode(), b"")


def test_every_argument_that_cannot_be_used_is_named_with_its_option(bundle: Path, cli: Cli) -> None:
    for arguments, message in (
        (("--private-key", "missing.pem"), "missing.pem: cannot be read: No such file or directory"),
        (("--private-key", "alice.pub"), "alice.pub: not a private key in PEM"),
        (("--private-key", "alice.pem", "--certificate", "a.txt"), "a.txt: not certificates in PEM"),
        (("--private-key", "alice.pem", "--weights", "missing"), "missing: no such file or directory"),
    ):
        refused = cli.refused_here("sign", bundle.name, *arguments)
        assert refused.startswith(message)
        assert refused.endswith(f"({arguments[-2]})")
    assert cli.refused_here("sign", bundle.name) == (
        "Missing option '--private-key': see portrait sign --help"
    )
    assert "not a portrait" in cli.refused_here("sign", ".", "--private-key", "alice.pem")
