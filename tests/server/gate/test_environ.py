"""The WSGI environment that the gate makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from portrait_server.errors import MalformedRequestError
from portrait_server.gate.environ import (
    announced_bytes,
    environ_of,
    media_type,
    require_clear_framing,
    set_body,
)
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response


def scope(**changes: Any) -> Any:
    """Return a request scope like granian's, with these changes."""
    fields = {
        "proto": "http",
        "http_version": "1.1",
        "server": "127.0.0.1:8000",
        "client": "192.0.2.7:54321",
        "scheme": "http",
        "method": "POST",
        "path": "/v1/query",
        "query_string": "a=%20b",
        "headers": {},
    }
    return SimpleNamespace(**{**fields, **changes})


def test_werkzeug_reads_the_environment() -> None:
    headers = {"host": "example.org", "content-type": "text/plain", "x-api-key": "k", "content-length": "3"}
    environ = environ_of(scope(headers=headers))
    set_body(environ, b"abc")
    request = Request(environ)
    assert (request.method, request.path, request.args["a"]) == ("POST", "/v1/query", " b")
    assert (request.host, request.remote_addr, request.scheme) == ("example.org", "192.0.2.7", "http")
    assert (request.mimetype, request.headers["X-API-Key"]) == ("text/plain", "k")
    assert request.get_data() == b"abc"


def test_the_environment_satisfies_the_standard() -> None:
    from wsgiref.validate import validator

    environ = environ_of(scope())
    set_body(environ, b"abc")
    for name in ("wsgi.input_terminated", "REQUEST_URI"):
        assert name in environ
    body, status, _ = run_wsgi_app(
        validator(Response("answer", mimetype="text/plain")), environ, buffered=True
    )
    assert (b"".join(body), status) == (b"answer", "200 OK")


def test_the_environment_says_how_the_application_is_called() -> None:
    environ = environ_of(scope())
    assert {name: value for name, value in environ.items() if isinstance(value, bool | tuple)} == {
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", "8000")
    assert (environ["SERVER_PROTOCOL"], environ["SCRIPT_NAME"]) == ("HTTP/1.1", "")


@pytest.mark.parametrize(
    ("client", "address"), [("192.0.2.7:1", "192.0.2.7"), ("[2001:db8::1]:1", "2001:db8::1")]
)
def test_the_client_s_address_has_no_port(client: str, address: str) -> None:
    assert environ_of(scope(client=client))["REMOTE_ADDR"] == address


def test_paths_are_utf_8_bytes_decoded_as_latin_1() -> None:
    environ = environ_of(scope(path="/é漢"))
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/é漢"
    assert environ["REQUEST_URI"] == "/%C3%A9%E6%BC%A2"
    assert Request(environ).path == "/é漢"


def test_repeated_headers_are_joined() -> None:
    class Headers:
        def items(self) -> list[tuple[str, str]]:
            return [("accept", "a"), ("accept", "b")]

    assert environ_of(scope(headers=Headers()))["HTTP_ACCEPT"] == "a,b"


def test_headers_with_an_underscore_are_left_out() -> None:
    headers = {"x_forwarded_for": "192.0.2.1", "content_length": "-5", "x-forwarded-for": "192.0.2.2"}
    environ = environ_of(scope(headers=headers))
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.2"
    assert "CONTENT_LENGTH" not in environ


@pytest.mark.parametrize(
    ("headers", "kind", "n_bytes"),
    [
        ({}, "", 0),
        ({"content-type": "Application/X-NDJSON; charset=utf-8"}, "application/x-ndjson", 0),
        ({"content-length": "3"}, "", 3),
        ({"content-length": "0"}, "", 0),
        ({"transfer-encoding": "chunked"}, "", None),
    ],
)
def test_headers_say_how_large_the_body_is(headers: dict[str, str], kind: str, n_bytes: int | None) -> None:
    environ = environ_of(scope(headers=headers))
    require_clear_framing(environ)
    assert (media_type(environ), announced_bytes(environ)) == (kind, n_bytes)


@pytest.mark.parametrize(
    "headers",
    [
        [("content-length", "+3")],
        [("content-length", "-3")],
        [("content-length", "three")],
        [("content-length", "9" * 20)],
        [("content-length", "3"), ("content-length", "3")],
        [("content-length", "3"), ("transfer-encoding", "chunked")],
        [("transfer-encoding", "gzip, chunked")],
        [("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        [("host", "a"), ("host", "b")],
    ],
)
def test_headers_that_leave_a_doubt_are_refused(headers: list[tuple[str, str]]) -> None:
    environ = environ_of(scope(headers=SimpleNamespace(items=lambda: headers)))
    with pytest.raises(MalformedRequestError):
        require_clear_framing(environ)
