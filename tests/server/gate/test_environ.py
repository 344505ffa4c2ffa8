"""The WSGI environment that the gate makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from portrait_server.gate.environ import environ_of, has_body, media_type, set_body
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


@pytest.mark.parametrize(
    ("headers", "kind", "body"),
    [
        ({}, "", False),
        ({"content-type": "Application/X-NDJSON; charset=utf-8"}, "application/x-ndjson", False),
        ({"content-length": "3"}, "", True),
        ({"transfer-encoding": "chunked"}, "", True),
    ],
)
def test_headers_say_whether_there_is_a_body(headers: dict[str, str], kind: str, body: bool) -> None:
    environ = environ_of(scope(headers=headers))
    assert (media_type(environ), has_body(environ)) == (kind, body)
