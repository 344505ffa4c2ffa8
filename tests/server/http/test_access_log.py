"""The access log: one line for each request, without its content."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from portrait_server.access import keys
from support.clients import NDJSON, client_of
from support.live import FERRY, build

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LOGGER = "portrait_server.access"


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """Return the lines of the access log."""
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == LOGGER]


def test_a_line_has_the_route_and_not_the_path(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret, key = keys.new_key("alice")
    (tmp_path / "keys.toml").write_text(key.to_line())
    client = client_of([build(tmp_path / "ferry.portrait", FERRY)], KEYS=tmp_path / "keys.toml")
    with caplog.at_level(logging.INFO, LOGGER):
        response = client.get("/v1/portraits/ferry?q=secret", headers={"X-API-Key": secret}, buffered=True)
        client.get("/secret", buffered=True)
        client.get("/v1/portraits/secret", buffered=True)
    first, second, third = lines(caplog)
    assert set(first) == {"time", "method", "path", "status", "ms", "bytes", "key"}
    assert (first["method"], first["path"], first["status"]) == ("GET", "/v1/portraits/<name>", 200)
    assert (first["bytes"], first["key"]) == (len(response.data), "alice")
    assert first["ms"] > 0
    assert (second["path"], second["status"], second["key"]) == ("-", 404, None)
    assert (third["path"], third["status"], third["key"]) == ("/v1/portraits/<name>", 401, None)
    assert "secret" not in caplog.text.replace(secret, "")


def test_a_streamed_response_is_logged_at_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = client_of([build(tmp_path / "ferry.portrait", FERRY)])
    with caplog.at_level(logging.INFO, LOGGER):
        response = client.post("/v1/query", data=b'{"text": "x"}\n' * 3, content_type=NDJSON, buffered=True)
    (line,) = lines(caplog)
    assert line["bytes"] == len(response.data) > 300


def test_the_log_can_be_turned_off(caplog: pytest.LogCaptureFixture) -> None:
    client = client_of([], ACCESS_LOG=False)
    with caplog.at_level(logging.INFO, LOGGER):
        client.get("/healthz", buffered=True)
    assert lines(caplog) == []
    assert 'path="/healthz"' in client.get("/metrics").get_data(as_text=True)
