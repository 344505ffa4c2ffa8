"""Problem documents: every error has one, and none reveals internals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from portrait_server import create_app, errors
from portrait_server.http import problems
from support.clients import client_of, refused
from support.live import FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """The path of one portrait, ``ferry``."""
    return [build(tmp_path / "ferry.portrait", FERRY)]


def test_errors_of_every_kind_have_problem_documents(paths: list[Path]) -> None:
    client = client_of(paths)
    refused(client.get("/nowhere"), 404)
    assert refused(client.get("/v1/portraits/none"), 404)["code"] == "unknown_portrait"
    refused(client.post("/v1/query", json={"text": "x", "portraits": ["none"]}), 404)
    response = client.delete("/v1/query")
    assert refused(response, 405)["detail"].startswith("this address takes only ")
    assert "POST" in response.headers["Allow"]


def test_an_unexpected_error_is_logged_and_not_revealed(
    paths: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app({"PORTRAITS": paths})
    shelf: Any = app.extensions["shelf"]
    shelf.asker = lambda *_: 1 / 0
    problem = refused(app.test_client().post("/v1/query", json={"text": "secret words"}), 500)
    assert problem["code"] == "internal"
    assert "ZeroDivisionError" in caplog.text
    assert "secret words" not in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (errors.MalformedRequestError("x"), 400, "malformed_request", {}),
        (errors.UnauthorizedError("x"), 401, "unauthorized", {"WWW-Authenticate": "Bearer"}),
        (errors.SlowRequestError("x"), 408, "slow_request", {"Connection": "close"}),
        (errors.BusyError("x", retry_after=7), 503, "busy", {"Retry-After": "7"}),
        (errors.WithdrawnPortraitError("x"), 503, "withdrawn_portrait", {}),
        (portrait.SpecError("x"), 400, "spec", {}),
    ],
)
def test_the_class_of_an_error_decides_status_code_and_headers(
    error: Exception, status: int, code: str, headers: dict[str, str]
) -> None:
    if isinstance(error, portrait.SpecError):
        status = error.http_status
    response = problems.of_error(error)
    problem = json.loads(response.get_data())
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["detail"] == "x"
    names = {"WWW-Authenticate", "Connection", "Retry-After"}
    assert {name: value for name, value in response.headers.items() if name in names} == headers


def test_an_internal_error_of_the_library_is_not_revealed() -> None:
    class BrokenError(portrait.PortraitError):
        http_status = 500

    problem = problems.describe(BrokenError("a path that clients need not know"))
    assert (problem["status"], problem["code"]) == (500, "internal")
    assert "path" not in problem["detail"]
