"""Delivery: large responses count until they have left."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from portrait_server.errors import BusyError
from portrait_server.gate.delivery import Delivery
from portrait_server.gate.replies import Reply

SCOPE: Any = SimpleNamespace(client="192.0.2.7:1", server="192.0.2.1:2")


class Wire:
    """granian's side of a request whose response leaves at some time, or never."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.body = bytearray()
        #: The sizes of the pieces; none of a response that is sent at once.
        self.sizes: list[int] = []

    def response_bytes(self, status: int, headers: object, body: bytes) -> None:
        self.body += body

    def response_stream(self, status: int, headers: object) -> Wire:
        return self

    async def send_bytes(self, piece: bytes) -> None:
        assert len(piece) <= 1 << 16
        self.body += piece
        self.sizes.append(len(piece))

    async def client_disconnect(self) -> None:
        await self.left.wait()


def test_a_small_response_is_sent_at_once() -> None:
    async def main() -> bytearray:
        wire = Wire()
        await asyncio.wait_for(Delivery(60).send(SCOPE, wire, Reply(200, [], b"abc"), "a"), 1)
        return wire.body

    assert asyncio.run(main()) == b"abc"


def test_large_responses_count_against_the_share_of_a_client_until_they_have_left() -> None:
    async def main() -> None:
        delivery, body = Delivery(60), bytes(range(256)) * (120 << 10)  # 31 MB
        first = Wire()
        sending = asyncio.ensure_future(delivery.send(SCOPE, first, Reply(200, [], body), "a"))
        await asyncio.sleep(0.01)
        assert first.body == body
        with pytest.raises(BusyError):
            await delivery.send(SCOPE, Wire(), Reply(200, [], body), "a")
        other = Wire()
        other.left.set()
        await delivery.send(SCOPE, other, Reply(200, [], body), "b")
        first.left.set()
        await sending
        await delivery.send(SCOPE, other, Reply(200, [], body), "a")

    asyncio.run(main())


def test_a_response_that_does_not_leave_is_given_up() -> None:
    async def main() -> None:
        delivery = Delivery(0.05)
        body = bytes(30 << 20)
        for _ in range(3):
            await asyncio.wait_for(delivery.send(SCOPE, Wire(), Reply(200, [], body), "a"), 5)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("n_bytes", "sizes"),
    [(0, []), (64 << 10, []), ((64 << 10) + 1, [64 << 10, 1]), (200_000, [65_536, 65_536, 65_536, 3_392])],
)
def test_responses_above_64_kib_are_sent_in_pieces(n_bytes: int, sizes: list[int]) -> None:
    async def main() -> Wire:
        wire = Wire()
        wire.left.set()
        await asyncio.wait_for(Delivery(60).send(SCOPE, wire, Reply(200, [], b"x" * n_bytes), "a"), 5)
        return wire

    wire = asyncio.run(main())
    assert (wire.sizes, len(wire.body)) == (sizes, n_bytes)


def test_64_mib_may_leave_at_the_same_time() -> None:
    async def main() -> None:
        wire = Wire()
        wire.left.set()
        await Delivery(60).send(SCOPE, wire, Reply(200, [], bytes(64 << 20)), "a")
        with pytest.raises(BusyError) as caught:
            await Delivery(60).send(SCOPE, wire, Reply(200, [], bytes((64 << 20) + 1)), "a")
        assert caught.value.retry_after == 5
        assert str(caught.value) == "large answers wait for this client to receive them"

    asyncio.run(main())
