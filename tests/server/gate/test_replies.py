"""Replies: the responses of the application, and refusals of requests that it never sees."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response
from portrait_server.errors import BusyError, SlowRequestError, TooLargeError
from portrait_server.gate import replies
from support.clients import client_of
from werkzeug.test import create_environ

if TYPE_CHECKING:
    from collections.abc import Iterator


def environ(path: str = "/", **options: Any) -> dict[str, Any]:
    """Return a WSGI environment."""
    return create_environ(path, **options)


def test_a_response_is_read_to_its_end_and_closed() -> None:
    app = Flask(__name__)
    closings = []

    @app.get("/")
    def view() -> Response:
        response = Response(iter([b"a", b"b"]), headers={"X-Own": "1"})
        response.call_on_close(lambda: closings.append(True))
        return response

    reply = replies.whole(app, environ())
    assert (reply.status, reply.body, dict(reply.headers)["x-own"]) == (200, b"ab", "1")
    assert closings == [True]
    with replies.streamed(app, environ()) as reply_in_pieces:
        assert next(iter(reply_in_pieces.pieces)) == b"a"
        assert closings == [True]
    assert closings == [True, True]


def test_a_stream_that_breaks_is_closed() -> None:
    app = Flask(__name__)
    endings = []

    @app.get("/")
    def view() -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                yield b"a"
                yield b"b"
            finally:
                endings.append(True)

        return Response(pieces())

    def break_off() -> None:
        with replies.streamed(app, environ()) as reply:
            next(iter(reply.pieces))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        break_off()
    assert endings == [True]


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (BusyError("busy", retry_after=5), 503, ("retry-after", "5")),
        (SlowRequestError("slow"), 408, ("connection", "close")),
        (TooLargeError("large"), 413, ("cache-control", "no-store")),
    ],
)
def test_a_refusal_has_headers_and_is_logged_and_counted_like_any_response(
    error: BusyError, status: int, header: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of([], CORS_ORIGINS=["*"])
    request = environ("/v1/query", method="POST", data=b"x" * 99, headers={"Origin": "https://example.org"})
    with caplog.at_level(logging.INFO, "portrait_server.access"):
        reply = replies.refusal(client.application, request, error)
    problem = json.loads(reply.body)
    assert (reply.status, problem["status"], problem["detail"]) == (status, status, str(error))
    headers = dict(reply.headers)
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["access-control-allow-origin"] == "*"
    assert headers[header[0]] == header[1]
    (line,) = [json.loads(record.getMessage()) for record in caplog.records]
    assert (line["path"], line["status"], line["bytes"]) == ("/v1/query", status, len(reply.body))
    counters = client.get("/metrics").get_data(as_text=True)
    assert f'portrait_requests_total{{method="POST",path="/v1/query",status="{status}"}} 1.0' in counters


def test_a_refused_form_gets_the_page() -> None:
    app = client_of([]).application
    request = environ("/", method="POST", data={"text": "x" * 99})
    reply = replies.refusal(app, request, TooLargeError("a body of 99 bytes: at most 9"))
    assert (reply.status, dict(reply.headers)["content-type"]) == (413, "text/html; charset=utf-8")
    assert b"A body of 99 bytes: at most 9." in reply.body


def test_a_refused_path_need_not_exist() -> None:
    reply = replies.refusal(client_of([]).application, environ("/nowhere"), BusyError("busy"))
    assert json.loads(reply.body)["code"] == "busy"


def test_a_refused_head_request_has_no_body() -> None:
    app = client_of([]).application
    reply = replies.refusal(app, environ("/healthz", method="HEAD"), BusyError("busy"))
    assert (reply.status, reply.body) == (503, b"")


def test_a_refusal_is_sent_even_where_a_hook_of_the_application_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = client_of([]).application

    def fail(_: Response) -> Response:
        raise RuntimeError("a hook fails")

    app.after_request_funcs.setdefault(None, []).append(fail)
    reply = replies.refusal(app, environ("/v1/query", method="POST"), BusyError("busy", retry_after=5))
    assert (reply.status, json.loads(reply.body)["code"]) == (503, "busy")
    assert "a hook fails" in caplog.text
