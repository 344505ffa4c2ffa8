"""The gate in front of an application, with requests as granian hands them over."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Response, request
from portrait_server import create_app
from portrait_server.access.keys import new_key
from portrait_server.gate import connections
from portrait_server.gate.rsgi import Gate
from support.forge import within

from portrait.markup.numbers import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from flask import Flask

JSON = "application/json"
NDJSON = "application/x-ndjson"


class Wire:
    """granian's side of a request.

    Among the pieces, ``None`` stands for a client that stops sending, and an error for one that leaves.
    """

    def __init__(self, *pieces: bytes | Exception | None) -> None:
        self.pieces = pieces
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if piece is None:
                await asyncio.sleep(3600)
            elif isinstance(piece, Exception):
                raise piece
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


def scope(
    path: str,
    *,
    length: int | None = None,
    kind: str = JSON,
    proto: str = "http",
    method: str = "POST",
    client: str = "192.0.2.7:1",
) -> Any:
    """Return a request scope like granian's; without a length, the body is chunked."""
    headers = {"host": "x", "content-type": kind}
    headers |= {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}
    return SimpleNamespace(
        proto=proto,
        http_version="1.1",
        server="127.0.0.1:8000",
        client=client,
        scheme="http",
        method=method,
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


def ask(app: Flask, request_scope: Any, *pieces: bytes | Exception | None) -> Wire:
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
        (10, [b"x", b"", b""], 400, "cut_off"),
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


def test_a_body_may_be_as_large_as_the_limit() -> None:
    app = app_of(MAX_BODY_BYTES=1000)
    for length in (1000, None):
        wire = ask(app, scope("/echo", length=length), b"x" * 1000)
        assert (wire.status, len(wire.body)) == (200, 1000)
    # One byte and none are bodies like any.
    assert ask(app, scope("/echo", length=1), b"x").body == b"x"
    assert ask(app, scope("/echo", length=0)).body == b""


def test_health_and_the_state_are_answered_without_a_body() -> None:
    app = app_of()
    health = ask(app, scope("/healthz", length=0, method="GET"))
    assert (health.status, json.loads(health.body)["status"]) == (200, "ok")
    assert ask(app, scope("/readyz", length=0, method="GET")).status == 200


@pytest.mark.parametrize(("kind", "body"), [(JSON, b""), (NDJSON, b"x")])
def test_a_client_that_leaves_is_sent_no_more(kind: str, body: bytes) -> None:
    wire = ask(app_of(), scope("/echo", kind=kind, length=9), b"x", ConnectionError("reset"))
    assert wire.body == body


def test_headers_that_leave_a_doubt_are_refused() -> None:
    doubtful = scope("/healthz", method="GET")
    doubtful.headers["content-length"] = "3"
    wire = ask(app_of(), doubtful)
    assert (wire.status, wire.code) == (400, "malformed_request")


# Strangers: visitors without a key, where keys are needed.

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with one key, which nobody presents."""
    (tmp_path / "keys.toml").write_text(new_key("alice")[1].to_line())
    return tmp_path / "keys.toml"


@pytest.mark.parametrize(
    "request_scope",
    [
        scope("/echo", length=1),
        scope("/echo", length=2_000_000),
        scope("/echo"),
        scope("/echo", kind=NDJSON),
        scope("/echo", kind=FORM),
        scope("/", kind=JSON),
        scope("/", kind=FORM, method="PUT"),
    ],
    ids=["byte", "long", "chunked", "NDJSON", "form elsewhere", "no form", "PUT"],
)
def test_nothing_of_a_stranger_is_read(request_scope: Any, keys: Path) -> None:
    read = []

    class Unread(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            # What is received after the refusal is forgotten.
            assert self.status
            read.append(self.status)
            yield b""

    wire = Unread()

    async def work(gate: Gate) -> None:
        await gate.__rsgi__(request_scope, wire)

    run(app_of(KEYS=keys), work)
    assert (wire.status, read) == (401, [401])


@pytest.mark.parametrize(
    ("request_scope", "pieces"),
    [
        (scope("/", length=6, kind=FORM), [b"text=a"]),
        (scope("/", kind="multipart/form-data; boundary=x"), [b"--x--"]),
        (scope("/", length=0, method="GET"), []),
        (scope("/healthz", length=0, method="GET"), []),
    ],
    ids=["form", "multipart form", "page", "health"],
)
def test_a_stranger_gets_the_page_and_may_send_the_key_in_its_form(
    request_scope: Any, pieces: list[bytes], keys: Path
) -> None:
    wire = ask(app_of(KEYS=keys), request_scope, *pieces)
    assert wire.status in (200, 401)
    # The page says it, rather than a problem document.
    assert wire.headers["content-type"] != "application/problem+json"


def body_in_pieces(n_bytes: int, piece_bytes: int) -> list[bytes]:
    """Return the pieces of a body."""
    return [bytes(piece_bytes)] * (n_bytes // piece_bytes)


def test_bodies_of_known_visitors_take_128_mib_and_one_client_half_of_it() -> None:
    app = app_of(MAX_BODY_BYTES=1 << 30)
    app.extensions["event"].set()
    for n_bytes, status in ((64 << 20, 200), ((64 << 20) + (512 << 10), 503)):
        assert ask(app, scope("/wait"), *body_in_pieces(n_bytes, 512 << 10)).status == status


def test_bodies_of_strangers_take_16_mib_and_one_client_half_of_it(keys: Path) -> None:
    app = app_of(KEYS=keys, MAX_BODY_BYTES=1 << 30)
    for n_bytes, busy in ((8 << 20, False), ((8 << 20) + (256 << 10), True)):
        wire = ask(app, scope("/", kind=FORM), *body_in_pieces(n_bytes, 256 << 10))
        assert (wire.status == 503) == busy


def n_accepted(app: Flask, request_of: Callable[[str], tuple[Any, Wire]]) -> list[int]:
    """Return how many requests seven clients, one after the other, can have open at the same time."""
    accepted = []

    async def work(gate: Gate) -> None:
        tasks = []
        for i in range(7):
            n = 0
            while True:
                request_scope, wire = request_of(f"192.0.2.{i}:1")
                task = asyncio.ensure_future(gate.__rsgi__(request_scope, wire))
                for _ in range(5):
                    await asyncio.sleep(0)
                if task.done() or wire.status:
                    assert wire.status == 503
                    break
                tasks.append(task)
                n += 1
            accepted.append(n)
        for task in tasks:
            task.cancel()
        app.extensions["event"].set()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(app, work)
    return accepted


def test_64_requests_of_strangers_are_open_at_the_same_time(keys: Path) -> None:
    app = app_of(KEYS=keys)
    accepted = n_accepted(app, lambda client: (scope("/", kind=FORM, client=client), Wire(None)))
    assert accepted == [32, 16, 8, 4, 2, 1, 1]


def test_64_requests_for_the_state_wait_at_the_same_time() -> None:
    app = app_of()

    @app.before_request
    def wait() -> None:
        app.extensions["event"].wait(10)

    accepted = n_accepted(
        app, lambda client: (scope("/readyz", length=0, method="GET", client=client), Wire())
    )
    assert accepted == [32, 16, 8, 4, 2, 1, 1]


def test_a_request_that_gets_no_thread_in_time_is_refused() -> None:
    app = app_of(THREADS=1, REQUEST_SECONDS=0.1)

    async def work(gate: Gate) -> None:
        first, second = Wire(), Wire()
        running = asyncio.ensure_future(gate.__rsgi__(scope("/wait", length=0), first))
        await asyncio.sleep(0.05)
        await gate.__rsgi__(scope("/echo", length=0), second)
        assert (second.status, second.code) == (503, "busy")
        app.extensions["event"].set()
        await running
        # The turn has been given back.
        third = Wire()
        await gate.__rsgi__(scope("/echo", length=0), third)
        assert (first.body, third.status) == (b"waited", 200)

    run(app, work)


# The worker's own tasks.


def test_a_changed_file_is_noticed_again_and_again(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = app_of(KEYS=keys, RELOAD_SECONDS=0.02)

    async def work(_: Gate) -> None:
        for n in range(1, 4):
            keys.write_text("\n".join(new_key(f"key{i}")[1].to_line() for i in range(n)) + "\n" * n)
            message = f"read {counted(n, 'key')}"
            while message not in caplog.messages:
                await asyncio.sleep(0.01)

    with caplog.at_level(logging.INFO), within(30):
        run(app, work)


def test_a_signal_has_all_files_read_again(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = app_of(KEYS=keys)

    async def work(_: Gate) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        while "read 1 key" not in caplog.messages:
            await asyncio.sleep(0.01)

    with caplog.at_level(logging.INFO), within(30):
        run(app, work)


def test_connections_are_looked_at_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def look(watch: connections.Watch) -> None:
        looks.append(watch)

    monkeypatch.setattr(connections.Watch, "sweep", look)

    async def work(_: Gate) -> None:
        while len(looks) < 3:
            await asyncio.sleep(0.01)

    with within(30):
        run(app_of(RESPONSE_SECONDS=0.1), work)


def test_a_worker_that_ends_waits_no_longer_than_it_may_and_leaves_no_task() -> None:
    app = app_of(SHUTDOWN_SECONDS=1)
    wire = Wire()
    tasks: set[asyncio.Task[Any]] = set()

    async def request_for(gate: Gate) -> None:
        tasks.update(asyncio.all_tasks() - {asyncio.current_task()})
        tasks.add(asyncio.ensure_future(gate.__rsgi__(scope("/wait", length=0), wire)))
        await asyncio.sleep(0.05)

    loop = asyncio.new_event_loop()
    try:
        gate = Gate(app)
        gate.__rsgi_init__(loop)
        loop.run_until_complete(request_for(gate))
        with within(30):
            gate.__rsgi_del__(loop)
        assert wire.status == 0
        assert [task.cancelled() for task in tasks].count(True) == 2
        app.extensions["event"].set()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        assert wire.body == b"waited"
    finally:
        loop.close()


def test_threads_change_quickly_so_that_the_event_loop_need_not_wait() -> None:
    before = sys.getswitchinterval()
    try:
        ask(app_of(), scope("/healthz", length=0, method="GET"))
        assert sys.getswitchinterval() == pytest.approx(0.0005)
    finally:
        sys.setswitchinterval(before)
