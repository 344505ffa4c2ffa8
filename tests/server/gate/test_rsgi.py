"""The gate in front of an application, with requests as granian hands them over."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Response, request
from portrait_server import create_app
from portrait_server.gate.rsgi import Gate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from flask import Flask

JSON = "application/json"
NDJSON = "application/x-ndjson"


class Wire:
    """granian's side of a request; ``None`` among the pieces stands for a client that stops sending."""

    def __init__(self, *pieces: bytes | None) -> None:
        self.pieces = pieces
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if piece is None:
                await asyncio.sleep(3600)
            else:
                yield piece

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Wire:
        self.status, self.headers = status, dict(headers)
        return self

    async def send_bytes(self, piece: bytes) -> None:
        self.body += piece

    @property
    def code(self) -> Any:
        """The code of the problem document in the response."""
        return json.loads(self.body)["code"]


def scope(path: str, *, length: int | None = None, kind: str = JSON, proto: str = "http") -> Any:
    """Return a request scope like granian's; without a length, the body is chunked."""
    headers = {"host": "x", "content-type": kind}
    headers |= {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
    return SimpleNamespace(
        proto=proto,
        http_version="1.1",
        server="127.0.0.1:8000",
        client="192.0.2.7:1",
        scheme="http",
        method="POST",
        path=path,
        query_string="",
        headers=headers,
    )


def app_of(**settings: Any) -> Flask:
    """Return an application with a view that waits for ``app.extensions["event"]``, and one that echoes."""
    app = create_app({"TESTING": True, "RELOAD_SECONDS": 3600, **settings})
    event = app.extensions["event"] = threading.Event()

    @app.post("/wait")
    def wait() -> Response:
        event.wait(10)
        return Response(b"waited")

    @app.post("/echo")
    def echo() -> Response:
        body = request.environ["wsgi.input"]

        def pieces() -> Any:
            while piece := body.read(100):
                yield piece

        return Response(pieces(), content_type=NDJSON)

    return app


def run(app: Flask, work: Callable[[Gate], Coroutine[Any, Any, None]]) -> None:
    """Run ``work`` with a gate in front of ``app``."""
    loop = asyncio.new_event_loop()
    gate = Gate(app)
    try:
        gate.__rsgi_init__(loop)
        loop.run_until_complete(work(gate))
        gate.__rsgi_del__(loop)
    finally:
        loop.close()


def ask(app: Flask, request_scope: Any, *pieces: bytes | None) -> Wire:
    """Send one request through a gate, and return the wire with its response."""
    wire = Wire(*pieces)

    async def work(gate: Gate) -> None:
        await gate.__rsgi__(request_scope, wire)

    run(app, work)
    return wire


def test_a_whole_body_reaches_the_application() -> None:
    for length in (None, 6):
        wire = ask(app_of(), scope("/echo", length=length), b"abc", b"def")
        assert (wire.status, wire.body) == (200, b"abcdef")


def test_the_response_to_ndjson_is_streamed() -> None:
    wire = ask(app_of(), scope("/echo", kind=NDJSON), b"abc", b"def")
    assert (wire.status, wire.headers["content-type"], wire.body) == (200, NDJSON, b"abcdef")


def test_ndjson_that_the_application_refuses_gets_a_problem_document() -> None:
    wire = ask(app_of(), scope("/nowhere", kind=NDJSON), b"abc")
    assert (wire.status, wire.code) == (404, "not_found")


def test_other_protocols_are_ignored() -> None:
    assert ask(app_of(), scope("/echo", proto="ws")).status == 0


@pytest.mark.parametrize(
    ("length", "pieces", "status", "code"),
    [
        (1001, [], 413, "too_large"),
        (None, [b"x" * 600, b"x" * 600], 413, "too_large"),
        (10, [b"x", None], 408, "slow_request"),
    ],
)
def test_bad_bodies_never_reach_the_application(
    length: int | None, pieces: list[bytes | None], status: int, code: str
) -> None:
    app = app_of(MAX_BODY_BYTES=1000, BODY_SECONDS=0.1)
    wire = ask(app, scope("/echo", length=length), *pieces)
    assert (wire.status, wire.code, wire.headers["content-type"]) == (
        status,
        code,
        "application/problem+json",
    )


def test_a_busy_server_refuses_and_recovers() -> None:
    app = app_of(CONCURRENCY=1)

    async def work(gate: Gate) -> None:
        first, second, third = Wire(), Wire(), Wire()
        running = asyncio.ensure_future(gate.__rsgi__(scope("/wait", length=0), first))
        await asyncio.sleep(0.05)
        await gate.__rsgi__(scope("/echo", length=0), second)
        assert (second.status, second.code, second.headers["retry-after"]) == (503, "busy", "1")
        app.extensions["event"].set()
        await running
        await gate.__rsgi__(scope("/echo", length=0), third)
        assert (first.body, third.status) == (b"waited", 200)

    run(app, work)


def test_slow_bodies_do_not_occupy_threads() -> None:
    app = app_of(THREADS=1, BODY_SECONDS=5)

    async def work(gate: Gate) -> None:
        slow = [
            asyncio.ensure_future(gate.__rsgi__(scope("/echo", length=9), Wire(b"x", None))) for _ in range(9)
        ]
        await asyncio.sleep(0.01)
        wire = Wire(b"abc")
        await asyncio.wait_for(gate.__rsgi__(scope("/echo", length=3), wire), 2)
        assert wire.body == b"abc"
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    run(app, work)


def test_ndjson_waits_for_its_turn_up_to_a_limit() -> None:
    app = app_of(BULK_CONCURRENCY=1, IDLE_SECONDS=0.3)

    async def work(gate: Gate) -> None:
        first, second = Wire(), Wire()
        running = asyncio.ensure_future(gate.__rsgi__(scope("/wait", kind=NDJSON), first))
        await asyncio.sleep(0.05)
        await gate.__rsgi__(scope("/echo", kind=NDJSON), second)
        assert (second.status, second.code, second.headers["retry-after"]) == (503, "busy", "5")
        app.extensions["event"].set()
        await running
        assert first.status == 200

    run(app, work)


def test_open_requests_finish_before_the_worker_ends() -> None:
    app = app_of()
    wire = Wire()
    tasks = []

    async def work(gate: Gate) -> None:
        tasks.append(asyncio.ensure_future(gate.__rsgi__(scope("/wait", length=0), wire)))
        await asyncio.sleep(0.05)
        threading.Timer(0.2, app.extensions["event"].set).start()

    start = time.monotonic()
    run(app, work)
    assert wire.body == b"waited"
    assert time.monotonic() - start < 5
    assert tasks[0].done()
