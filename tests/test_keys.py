"""API keys: made, kept as hashes, and presented."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from live import BREAD, FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

keys: Any = importlib.import_module("portrait_server.keys")
errors: Any = importlib.import_module("portrait_server.errors")
create_app: Any = importlib.import_module("portrait_server").create_app


def test_a_key_s_line_holds_its_hash_and_not_the_key(tmp_path: Path, cli: Cli) -> None:
    done = cli("key", "alice", "--portrait", "ferry", "--rate", "5/minute")
    secret = done.err.split()[-1]
    assert secret.startswith("alice.")
    assert secret.partition(".")[2] not in done.out
    (tmp_path / "keys.toml").write_text(done.out)
    key = keys.read_keys(tmp_path / "keys.toml").find(secret)
    assert (key.name, key.portraits, key.rate, key.revoked) == ("alice", ("ferry",), "5/minute", False)
    assert keys.new_key("alice")[0] != secret


def test_all_wrong_keys_are_refused_with_the_same_words(tmp_path: Path) -> None:
    (alice, kept), (bob, gone) = keys.new_key("alice"), keys.new_key("bob")
    file = tmp_path / "keys.toml"
    file.write_text(f"{kept.to_line()}\n{gone.to_line().replace(' }', ', revoked = true }')}\n")
    ring = keys.read_keys(file)
    assert ring.find(alice).name == "alice"
    said = set()
    for wrong in (None, "", "alice", "alice.", f"{alice}x", alice[:-1], f"bob.{alice}", bob, "\udc80", "é.x"):
        with pytest.raises(errors.UnauthorizedError) as caught:
            ring.find(wrong)
        said.add(str(caught.value))
    assert len(said) == 1


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
        "\xff",
    ],
)
def test_a_file_of_keys_that_is_wrong_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(portrait.SpecError, match=r"keys\.toml"):
        keys.read_keys(file)


@pytest.mark.parametrize(("name", "rate"), [("a b", None), ("", None), ("a.b", None), ("a", "x"), ("a", "0")])
def test_a_key_that_could_not_be_used_is_not_made(name: str, rate: str | None) -> None:
    with pytest.raises(portrait.SpecError):
        keys.new_key(name, rate=rate)


def test_two_keys_see_different_portraits(tmp_path: Path) -> None:
    paths = [build(tmp_path / "ferry.portrait", FERRY), build(tmp_path / "bread.portrait", BREAD)]
    made = [keys.new_key("alice", ("ferry",)), keys.new_key("bob", ("bread",))]
    file = tmp_path / "keys.toml"
    file.write_text("".join(f"{key.to_line()}\n" for _, key in made))
    client = create_app({"PORTRAITS": paths, "KEYS": file}).test_client()
    for (secret, key), other in zip(made, ("bread", "ferry"), strict=True):
        for headers in ({"Authorization": f"Bearer {secret}"}, {"X-API-Key": secret}):
            listed = client.get("/v1/portraits", headers=headers).get_json()["portraits"]
            assert [one["name"] for one in listed] == list(key.portraits)
            answered = client.post("/v1/query", json={"text": FERRY}, headers=headers).get_json()
            assert [layer["portrait"] for layer in answered["answers"][0]["layers"]] == list(key.portraits)
            hidden, missing = (
                client.get(f"/v1/portraits/{name}", headers=headers).get_json()["detail"].replace(name, "")
                for name in (other, "none")
            )
            assert hidden == missing
            line = b'{"text": "x", "portraits": ["%s"]}' % other.encode()
            bulk = client.post("/v1/query", data=line, content_type="application/x-ndjson", headers=headers)
            assert b'"status":404' in bulk.data
    for path in ("/v1/portraits", "/v1/version", "/metrics"):
        response = client.get(path)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200
    assert b"ferry" not in client.get("/readyz").data


def test_every_error_of_the_service_has_a_status_for_clients() -> None:
    family = [
        one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__
    ]
    assert len(family) >= 10
    for error in family:
        assert issubclass(error, portrait.PortraitError)
        assert error.http_status in (400, 401, 404, 408, 413, 415, 429, 503)
        assert error.__doc__
