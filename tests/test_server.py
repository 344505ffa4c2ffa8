"""The service: its application in this process, and once as a server of its own."""

from __future__ import annotations

import http.client
import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

#: Installed under this name; type checkers see it as ``server``.
create_app: Callable[..., Flask] = importlib.import_module("portrait_server").create_app

ALIVE = {"status": "ok", "version": portrait.__version__}

SERVE = """
from portrait_server import create_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, create_app())
print(server.port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def app() -> Flask:
    return create_app({"TESTING": True})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a running server."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def test_the_service_says_that_it_is_alive(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.mimetype, response.get_json()) == (200, "application/json", ALIVE)


@pytest.mark.parametrize("path", ["/health", "/healthz/", "/static/app.js", "/../healthz", "/%00"])
def test_what_is_not_there_is_not_found(path: str, client: FlaskClient) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_health_is_only_read(method: str, client: FlaskClient) -> None:
    assert client.open("/healthz", method=method).status_code == 405


def test_the_configuration_given_overrides_the_defaults() -> None:
    named = create_app({"SERVER_NAME": "portraits.example", "PREFERRED_URL_SCHEME": "https", "TESTING": True})
    with named.app_context():
        assert named.url_for("health.healthz") == "https://portraits.example/healthz"
    assert named.testing
    assert named.test_client().get("/healthz").get_json() == ALIVE


def test_applications_share_no_configuration() -> None:
    create_app({"TESTING": True, "OWN": 1})
    assert not create_app().testing
    assert "OWN" not in create_app().config


def test_a_server_answers_over_the_network(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for path, status in [("/healthz", 200), ("/nowhere", 404)]:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            assert response.status == status
            if status == 200:
                assert json.loads(body) == ALIVE
    finally:
        connection.close()
