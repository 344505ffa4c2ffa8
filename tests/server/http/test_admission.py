"""Who is admitted to which endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from portrait_server.access import keys
from support.clients import client_of, refused
from support.live import BREAD, FERRY, build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """The paths of two portraits, ``ferry`` and ``bread``."""
    return [build(tmp_path / "ferry.portrait", FERRY), build(tmp_path / "bread.portrait", BREAD)]


def test_two_keys_see_different_portraits(paths: list[Path], tmp_path: Path) -> None:
    keys_with_secrets = [keys.new_key("alice", ("ferry",)), keys.new_key("bob", ("bread",))]
    file = tmp_path / "keys.toml"
    file.write_text("".join(f"{key.to_line()}\n" for _, key in keys_with_secrets))
    client = client_of(paths, KEYS=file)
    for (secret, key), other in zip(keys_with_secrets, ("bread", "ferry"), strict=True):
        allowed = list(key.portraits or ())
        for headers in ({"Authorization": f"Bearer {secret}"}, {"X-API-Key": secret}):
            portraits = client.get("/v1/portraits", headers=headers).get_json()["portraits"]
            assert [one["name"] for one in portraits] == allowed
            result = client.post("/v1/query", json={"text": FERRY}, headers=headers).get_json()
            assert [layer["portrait"] for layer in result["answers"][0]["layers"]] == allowed
            detail_of_hidden, detail_of_missing = (
                client.get(f"/v1/portraits/{name}", headers=headers).get_json()["detail"].replace(name, "")
                for name in (other, "none")
            )
            assert detail_of_hidden == detail_of_missing
            line = b'{"text": "x", "portraits": ["%s"]}' % other.encode()
            bulk = client.post("/v1/query", data=line, content_type="application/x-ndjson", headers=headers)
            assert b'"status":404' in bulk.data
    for path in ("/v1/portraits", "/v1/version", "/metrics"):
        response = client.get(path)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200
    assert b"ferry" not in client.get("/readyz").data


def test_every_request_that_is_not_public_is_charged(paths: list[Path]) -> None:
    client = client_of(paths, RATE="5/day")
    assert client.post("/v1/query", json={"texts": ["x"] * 4}).status_code == 200
    assert client.get("/v1/version").get_json()["rates"]["counted"] == "in this process"
    response = client.get("/v1/version")
    refused(response, 429)
    assert int(response.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
    assert client.options("/v1/query").status_code == 200


def test_forwarded_addresses_count_only_from_trusted_proxies(paths: list[Path]) -> None:
    def statuses(**settings: Any) -> list[int]:
        client = client_of(paths, RATE="1/day", **settings)
        forwarded = [{"X-Forwarded-For": f"192.0.2.{n}"} for n in range(3)]
        return [client.get("/v1/portraits", headers=one).status_code for one in forwarded]

    assert statuses() == [200, 429, 429]
    assert statuses(TRUSTED_PROXIES=1) == [200, 200, 200]
