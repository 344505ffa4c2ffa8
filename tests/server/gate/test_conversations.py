"""Conversations: NDJSON requests, which wait for turns and not for each other's clients."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Response
from portrait_server import create_app
from portrait_server.errors import BusyError
from portrait_server.gate.conversations import Conversations
from portrait_server.gate.environ import environ_of
from portrait_server.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SCOPE: Any = SimpleNamespace(
    http_version="1.1",
    server="127.0.0.1:8000",
    client="192.0.2.7:1",
    scheme="http",
    method="POST",
    path="/v1/query",
    query_string="",
    headers={"content-type": "application/x-ndjson", "transfer-encoding": "chunked"},
)


class Wire:
    """granian's side of a request, which sends a line and then waits."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.body = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{}\n"
        await self.ended.wait()

    def response_stream(self, status: int, headers: object) -> Wire:
        return self

    async def send_bytes(self, piece: bytes) -> None:
        self.body += piece


def test_slow_clients_keep_nobody_waiting_and_have_a_limit() -> None:
    app = create_app({"TESTING": True})
    conversations = Conversations(app, settings_of({"bulk_concurrency": 1, "bulk_connections": 8}))

    async def main() -> None:
        wires = [Wire() for _ in range(5)]
        tasks = []
        for wire in wires[:4]:
            tasks.append(asyncio.ensure_future(conversations.answer(environ_of(SCOPE), SCOPE, wire, "slow")))
            while not wire.body:
                await asyncio.sleep(0.01)
        with pytest.raises(BusyError) as caught:
            await conversations.answer(environ_of(SCOPE), SCOPE, Wire(), "slow")
        assert caught.value.retry_after == 5
        wires[4].ended.set()
        await asyncio.wait_for(conversations.answer(environ_of(SCOPE), SCOPE, wires[4], "other"), 5)
        for wire in wires:
            wire.ended.set()
        await asyncio.gather(*tasks)
        assert [wire.body.count(b"\n") for wire in wires] == [1] * 5

    asyncio.run(main())


def test_who_gets_no_turn_in_time_is_refused() -> None:
    app = create_app({"TESTING": True})
    event = threading.Event()

    @app.post("/wait")
    def wait() -> Response:
        event.wait(30)
        return Response(b"waited")

    conversations = Conversations(app, settings_of({"bulk_concurrency": 1, "idle_seconds": 0.2}))
    waiting: Any = SimpleNamespace(**{**vars(SCOPE), "path": "/wait"})

    async def main() -> None:
        first = Wire()
        running = asyncio.ensure_future(conversations.answer(environ_of(waiting), waiting, first, "a"))
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError, match="too many NDJSON requests at the same time"):
            await conversations.answer(environ_of(SCOPE), SCOPE, Wire(), "b")
        event.set()
        await running
        assert first.body == b"waited"

    asyncio.run(main())


def test_a_client_that_leaves_ends_its_conversation() -> None:
    class Leaving(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{}\n"
            raise ConnectionError("reset")

    class Deaf(Wire):
        async def send_bytes(self, piece: bytes) -> None:
            raise ConnectionError("reset")

    conversations = Conversations(create_app({"TESTING": True}), settings_of({"bulk_connections": 2}))

    async def main() -> None:
        for wire in (Leaving(), Deaf(), Leaving(), Deaf()):
            await asyncio.wait_for(conversations.answer(environ_of(SCOPE), SCOPE, wire, "a"), 30)

    asyncio.run(main())
