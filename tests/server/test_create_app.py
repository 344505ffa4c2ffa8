"""The application as ``create_app`` makes it, in this process and behind a server."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from portrait_server import create_app
from support.live import FERRY, build

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

ALIVE = {"status": "ok", "version": portrait.__version__}

SERVE = """
from portrait_server import create_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, create_app())
print(server.port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def client() -> FlaskClient:
    """A client of an application without portraits."""
    return create_app({"TESTING": True}).test_client()


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


@pytest.mark.parametrize("path", ["/health", "/healthz/", "/static/app.js", "/../healthz", "/%00"])
def test_an_unknown_path_is_not_found(path: str, client: FlaskClient) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/static//page.css",
        "/static//evil.example",
        "//evil.example",
        "//",
        "///healthz",
        "/v1//portraits",
        "/v1/portraits/",
        "/v1/portraits//",
        "/v1/query/",
        "/healthz/",
        "/docs/",
        "/static",
        "/q/",
        "/.//evil.example",
        "/%2f%2fevil.example",
        "/\\evil.example",
    ],
)
def test_no_response_redirects(path: str, method: str, client: FlaskClient) -> None:
    """A redirect would lead to whatever host the request names."""
    response = client.open(
        path, method=method, headers={"Host": "evil.example"}, base_url="http://evil.example"
    )
    assert not 300 <= response.status_code < 400
    assert "Location" not in response.headers


def test_the_configuration_overrides_the_defaults() -> None:
    app = create_app({"SERVER_NAME": "portraits.example", "PREFERRED_URL_SCHEME": "https", "TESTING": True})
    with app.app_context():
        assert app.url_for("health.healthz") == "https://portraits.example/healthz"
    assert app.testing
    assert app.test_client().get("/healthz").get_json() == ALIVE


def test_applications_share_no_configuration() -> None:
    create_app({"TESTING": True, "OWN": 1})
    assert not create_app().testing
    assert "OWN" not in create_app().config


def test_a_lenient_application_starts_with_a_damaged_portrait(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    (ferry / "portrait.json").write_text("{}")
    with pytest.raises(portrait.PortraitError, match=r"portrait\.json"):
        create_app({"PORTRAITS": [ferry]})
    app = create_app({"PORTRAITS": [ferry], "LENIENT": True})
    assert app.extensions["shelf"].names == ("ferry",)


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
