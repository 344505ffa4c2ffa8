"""API keys: how they are made, stored as hashes, and checked."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from portrait_server import errors
from portrait_server.access import keys

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli


def test_a_key_is_stored_as_its_hash(tmp_path: Path, cli: Cli) -> None:
    result = cli("key", "alice", "--portrait", "ferry", "--rate", "5/minute")
    secret = result.err.split()[-1]
    assert secret.startswith("alice.")
    assert secret.partition(".")[2] not in result.out
    (tmp_path / "keys.toml").write_text(result.out)
    key = keys.read_keys(tmp_path / "keys.toml").find(secret)
    assert (key.name, key.portraits, key.rate, key.revoked) == ("alice", ("ferry",), "5/minute", False)
    assert keys.new_key("alice")[0] != secret


def test_a_new_key_is_valid() -> None:
    secret, key = keys.new_key("alice")
    # 256 random bits.
    assert len(base64.urlsafe_b64decode(f"{secret.removeprefix('alice.')}=")) == 32
    assert not key.revoked
    assert keys.Keyring({"alice": key}).find(secret) == key
    assert key == keys.Key("alice", key.sha256)


def test_all_invalid_keys_are_refused_with_the_same_message(tmp_path: Path) -> None:
    (alice, alice_entry), (bob, bob_entry) = keys.new_key("alice"), keys.new_key("bob")
    file = tmp_path / "keys.toml"
    file.write_text(f"{alice_entry.to_line()}\n{bob_entry.to_line().replace(' }', ', revoked = true }')}\n")
    ring = keys.read_keys(file)
    assert ring.find(alice).name == "alice"
    messages = set()
    for presented_key in (
        None,
        "",
        "alice",
        "alice.",
        f"{alice}x",
        alice[:-1],
        f"bob.{alice}",
        bob,
        "\udc80",
        "é.x",
    ):
        with pytest.raises(errors.UnauthorizedError) as caught:
            ring.find(presented_key)
        messages.add(str(caught.value))
    assert len(messages) == 1


@pytest.mark.parametrize(
    "content",
    [
        "alice = 3",
        "alice = {}",
        "alice = { sha256 = 'x' }",
        f"alice = {{ sha256 = '{'0' * 64}', colour = 1 }}",
        f"alice = {{ sha256 = '{'0' * 64}', portraits = 'x' }}",
        f"alice = {{ sha256 = '{'0' * 64}', rate = 'often' }}",
        f"alice = {{ sha256 = '{'0' * 64}', revoked = 1 }}",
        f"'a b' = {{ sha256 = '{'0' * 64}' }}",
        "alice = {",
        "alice = " + "[" * 100_000,
        "\xff",
    ],
)
def test_an_invalid_key_file_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(portrait.SpecError, match=r"keys\.toml"):
        keys.read_keys(file)


@pytest.mark.parametrize(("name", "rate"), [("a b", None), ("", None), ("a.b", None), ("a", "x"), ("a", "0")])
def test_a_key_with_an_invalid_name_or_rate_is_refused(name: str, rate: str | None) -> None:
    with pytest.raises(portrait.SpecError):
        keys.new_key(name, rate=rate)


def test_a_keyring_knows_whether_a_key_has_a_rate() -> None:
    (_, without_rate), (_, with_rate) = keys.new_key("alice"), keys.new_key("bob", rate="5/day")
    assert not keys.Keyring({"alice": without_rate}).has_rates
    assert keys.Keyring({"alice": without_rate, "bob": with_rate}).has_rates


@pytest.mark.parametrize(
    ("authorization", "api_key", "presented"),
    [("Bearer a.b ", None, "a.b"), ("bearer a", "b", "a"), ("Basic a", "b", "b"), ("", None, None)],
)
def test_a_key_is_presented_in_one_of_two_headers(
    authorization: str, api_key: str | None, presented: str | None
) -> None:
    assert keys.presented_key(authorization, api_key) == presented
