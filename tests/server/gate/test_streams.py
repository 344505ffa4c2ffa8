"""Bodies on the wire: clients that are slow, leave early or send too much."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from portrait_server.errors import SlowRequestError, TooLargeError
from portrait_server.gate.replies import Reply
from portrait_server.gate.streams import GoneError, Inflow, Outflow, read_whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Wire:
    """granian's side of a request; ``None`` among the pieces stands for a client that stops sending."""

    def __init__(self, *pieces: bytes | Exception | None, stuck: bool = False) -> None:
        self.pieces = pieces
        self.stuck = stuck
        self.sent: list[Any] = []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if piece is None:
                await asyncio.sleep(3600)
            elif isinstance(piece, Exception):
                raise piece
            else:
                yield piece

    def response_bytes(self, status: int, headers: object, body: bytes) -> None:
        self.sent.append((status, headers, body))

    def response_stream(self, status: int, headers: object) -> Wire:
        self.sent.append((status, headers))
        return self

    async def send_bytes(self, piece: bytes) -> None:
        if self.stuck:
            await asyncio.sleep(3600)
        if piece == b"broken":
            raise RuntimeError
        self.sent.append(piece)


def in_thread(work: Callable[[asyncio.AbstractEventLoop], Any]) -> Any:
    """Run ``work`` in a thread while an event loop runs, and return its result."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, work, loop)

    return asyncio.run(main())


def test_a_whole_body_is_joined() -> None:
    assert asyncio.run(read_whole(Wire(b"ab", b"", b"c"), 3)) == b"abc"
    with pytest.raises(TooLargeError, match="1,000 bytes"):
        asyncio.run(read_whole(Wire(b"x" * 600, b"x" * 600), 1000))
    with pytest.raises(GoneError):
        asyncio.run(read_whole(Wire(b"ab", RuntimeError()), 1000))


def test_pieces_are_read_as_they_arrive() -> None:
    def work(loop: asyncio.AbstractEventLoop) -> list[bytes]:
        inflow = Inflow(Wire(b"abc", b"", b"de"), loop, 5)
        return [inflow.read(2), inflow.read(2), inflow.read(100), inflow.read(), inflow.read(5)]

    assert in_thread(work) == [b"ab", b"c", b"de", b"", b""]


@pytest.mark.parametrize(
    ("pieces", "error"), [((b"a", None), SlowRequestError), ((b"a", OSError()), GoneError)]
)
def test_a_client_that_stops_is_an_error(
    pieces: tuple[bytes | Exception | None, ...], error: type[Exception]
) -> None:
    def work(loop: asyncio.AbstractEventLoop) -> None:
        inflow = Inflow(Wire(*pieces), loop, 0.1)
        assert inflow.read() == b"a"
        with pytest.raises(error):
            inflow.read()

    in_thread(work)


def test_a_response_is_sent_in_pieces() -> None:
    wire = Wire()

    def work(loop: asyncio.AbstractEventLoop) -> None:
        outflow = Outflow(wire, loop, 5)
        outflow.start(200, [("a", "b")])
        outflow.send(b"one")
        outflow.send(b"two")
        with pytest.raises(GoneError):
            outflow.send(b"broken")

    in_thread(work)
    assert wire.sent == [(200, [("a", "b")]), b"one", b"two"]


def test_a_client_that_stops_receiving_is_an_error() -> None:
    def work(loop: asyncio.AbstractEventLoop) -> None:
        outflow = Outflow(Wire(stuck=True), loop, 0.1)
        outflow.start(200, [])
        with pytest.raises(GoneError):
            outflow.send(b"one")

    in_thread(work)


def test_a_complete_response_is_sent_at_once() -> None:
    wire = Wire()
    in_thread(lambda loop: Outflow(wire, loop, 5).send_whole(Reply(413, [], b"x")))
    assert wire.sent == [(413, [], b"x")]
