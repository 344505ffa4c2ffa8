"""Endpoints for liveness, readiness, metrics and the version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from portrait_server.access import keys
from portrait_server.api import answers
from support.clients import client_of, refused
from support.live import FERRY, build, free_port

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

ALIVE = {"status": "ok", "version": portrait.__version__}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The path of one portrait, ``ferry``."""
    return [build(tmp_path_factory.mktemp("portraits") / "ferry.portrait", FERRY)]


@pytest.fixture
def client() -> FlaskClient:
    """A client of an application without portraits."""
    return client_of([])


def test_a_running_service_is_alive(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.mimetype, response.get_json()) == (200, "application/json", ALIVE)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_health_is_read_only(method: str, client: FlaskClient) -> None:
    assert client.open("/healthz", method=method).status_code == 405


def test_version_and_readiness_fit_their_models(paths: list[Path]) -> None:
    client = client_of(paths, MAX_TEXTS=5)
    version = answers.Version.model_validate(client.get("/v1/version").get_json())
    assert version.limits["max_texts"] == 5
    ready = answers.Ready.model_validate(client.get("/readyz").get_json())
    assert (ready.portraits, ready.problems, ready.rates.counted) == ({"ferry": "ready"}, {}, "off")


def test_a_damaged_portrait_is_not_ready(tmp_path: Path) -> None:
    paths = [build(tmp_path / "ferry.portrait", FERRY)]
    (paths[0] / "portrait.json").write_text("{}")
    problem = refused(client_of(paths, LENIENT=True).get("/readyz"), 503)
    assert (problem["code"], problem["detail"][:33]) == (
        "withdrawn_portrait",
        "1 of 1 portraits cannot be asked:",
    )


def test_a_dead_store_is_not_ready(paths: list[Path]) -> None:
    pytest.importorskip("redis")
    client = client_of(paths, RATE="5/day", STORE=f"redis://127.0.0.1:{free_port()}")
    assert refused(client.get("/readyz"), 503)["code"] == "store"


def test_names_of_portraits_are_hidden_from_callers_without_a_key(paths: list[Path], tmp_path: Path) -> None:
    secret, key = keys.new_key("alice", rate="7/day")
    (tmp_path / "keys.toml").write_text(key.to_line())
    client = client_of(paths, KEYS=tmp_path / "keys.toml")
    assert client.get("/readyz").get_json()["portraits"] == {}
    assert b"ferry" not in client.get("/readyz").data
    version = client.get("/v1/version", headers={"X-API-Key": secret}).get_json()
    assert version["rates"] == {"counted": "in this process", "keys": True, "rate": "7/day"}


def test_metrics_count_requests_and_texts(paths: list[Path]) -> None:
    client = client_of(paths)
    client.post("/v1/query", json={"text": FERRY}, buffered=True)
    client.get("/nowhere", buffered=True)
    counters = client.get("/metrics").get_data(as_text=True)
    assert 'portrait_requests_total{method="POST",path="/v1/query",status="200"} 1.0' in counters
    assert 'portrait_requests_total{method="GET",path="-",status="404"} 1.0' in counters
    assert 'portrait_texts_total{verdict="found"} 1.0' in counters
    assert f"portrait_characters_total {len(FERRY)}.0" in counters
