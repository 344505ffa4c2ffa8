"""The check of the host that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from portrait_server.http.hosts import is_allowed
from support.clients import client_of, refused
from support.live import BREAD, build

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = ("portraits.example", "127.0.0.1", "[::1]", "localhost")


@pytest.mark.parametrize(
    "host",
    [
        "portraits.example",
        "portraits.example:8000",
        "PORTRAITS.Example.",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:8000",
        "localhost:",
    ],
)
def test_a_listed_host_is_allowed_at_any_port(host: str) -> None:
    assert is_allowed(host, HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "portraits.example.evil.example",
        "evil-portraits.example",
        "portraits.example@evil.example",
        "portraits.example:8000:9",
        "portraits.example:x",
        "portraits.example/",
        "127.0.0.2",
        "127.0.0.1 evil",
        "[::2]",
        "::1",
        "[portraits.example]",
        "",
        None,
    ],
)
def test_any_other_host_is_not(host: str | None) -> None:
    assert not is_allowed(host, HOSTS)


def test_without_the_setting_every_host_is_allowed() -> None:
    assert is_allowed("evil.example", ())
    assert is_allowed(None, ())


def test_a_page_under_another_name_learns_nothing(tmp_path: Path) -> None:
    client = client_of([build(tmp_path / "bread.portrait", BREAD)], HOSTS=["portraits.example"])
    good, evil = {"Host": "portraits.example:8000"}, {"Host": "evil.example"}
    for method, path in [
        ("GET", "/"),
        ("GET", "/v1/portraits"),
        ("POST", "/v1/query"),
        ("POST", "/"),
        ("OPTIONS", "/v1/query"),
        ("GET", "/static/page.css"),
        ("GET", "/openapi.json"),
        ("GET", "/nowhere"),
        ("GET", "/readyz"),
    ]:
        response = client.open(path, method=method, headers=evil)
        assert refused(response, 421)["code"] == "unknown_host", path
        assert b"bread" not in response.data
        assert b"evil" not in response.data
    assert client.get("/v1/portraits", headers=good).status_code == 200
    assert client.post("/v1/query", json={"text": BREAD}, headers=good).status_code == 200
    assert client.get("/healthz", headers=evil).status_code == 200
