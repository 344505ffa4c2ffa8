"""Clients of an application in this process, and the check of its error responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait_server import create_app

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

PROBLEM = "application/problem+json"
NDJSON = "application/x-ndjson"


def client_of(paths: Sequence[Path], **settings: Any) -> FlaskClient:
    """Return a client of an application that serves the portraits at ``paths`` with these settings."""
    return create_app({"TESTING": True, "PORTRAITS": paths, **settings}).test_client()


def refused(response: TestResponse, status: int) -> Any:
    """Check that a response is a problem document with this status, and return the document."""
    assert (response.status_code, response.mimetype) == (status, PROBLEM), response.data
    problem = response.get_json(force=True)
    assert problem["status"] == status
    assert set(problem) == {"type", "title", "status", "detail", "code"}
    return problem
