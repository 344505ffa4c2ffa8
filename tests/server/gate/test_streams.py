"""Bodies on the wire: clients that are slow, leave early or send too much."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from portrait_server.errors import BusyError, CutOffError, SlowRequestError, TooLargeError
from portrait_server.gate.replies import Reply
from portrait_server.gate.streams import GoneError, Inflow, Outflow, discard, read_whole
from portrait_server.gate.turns import Turn, Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Wire:
    """granian's side of a request; ``None`` among the pieces stands for a client that stops sending."""

    def __init__(self, *pieces: bytes | Exception | None) -> None:
        self.pieces = pieces
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
        if piece == b"broken":
            raise RuntimeError
        self.sent.append(piece)


def in_thread(work: Callable[[asyncio.AbstractEventLoop], Any]) -> Any:
    """Run ``work`` in a thread while an event loop runs, and return its result."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, work, loop)

    return asyncio.run(main())


def turn() -> Turn:
    """Return a turn of its own."""
    return Turn(Turns(1), "client")


def test_a_whole_body_is_joined_and_counted() -> None:
    counts: list[int] = []
    assert asyncio.run(read_whole(Wire(b"ab", b"c", b""), None, 3, counts.append)) == b"abc"
    assert counts == [2, 1]
    with pytest.raises(TooLargeError, match="1,000 bytes"):
        asyncio.run(read_whole(Wire(b"x" * 600, b"x" * 600), None, 1000, counts.append))
    with pytest.raises(GoneError):
        asyncio.run(read_whole(Wire(b"ab", RuntimeError()), 3, 1000, counts.append))


def test_the_count_may_end_the_reading() -> None:
    def count(_: int) -> None:
        raise BusyError("busy")

    with pytest.raises(BusyError):
        asyncio.run(read_whole(Wire(b"ab"), 2, 1000, count))


def test_a_body_that_is_cut_off_is_an_error() -> None:
    for n_announced in (None, 3):
        with pytest.raises(CutOffError):
            asyncio.run(read_whole(Wire(b"ab", b"", b""), n_announced, 1000, lambda _: None))

    def work(loop: asyncio.AbstractEventLoop) -> None:
        inflow = Inflow(Wire(b"a", b"", b""), loop, 5, turn())
        assert inflow.read() == b"a"
        with pytest.raises(CutOffError):
            inflow.read()

    in_thread(work)


def test_a_refused_body_is_received_up_to_a_limit() -> None:
    received = []

    class Endless(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                received.append(1 << 20)
                yield bytes(1 << 20)

    asyncio.run(discard(Endless()))
    assert len(received) == 8
    asyncio.run(discard(Wire(b"a", b"", b"")))
    asyncio.run(discard(object()))


def test_nothing_is_asked_for_behind_an_announced_end() -> None:
    assert asyncio.run(read_whole(Wire(b"ab", b"c", RuntimeError()), 3, 1000, lambda _: None)) == b"abc"


def test_pieces_are_read_as_they_arrive() -> None:
    class Slow(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in super().__aiter__():
                await asyncio.sleep(0.05)
                yield piece

    def work(loop: asyncio.AbstractEventLoop) -> list[bytes]:
        inflow = Inflow(Slow(b"abc", b"de", b""), loop, 5, turn())
        return [inflow.read(2), inflow.read(2), inflow.read(100), inflow.read(), inflow.read(5)]

    assert in_thread(work) == [b"ab", b"c", b"de", b"", b""]


def test_what_has_arrived_is_read_at_once_and_not_much_is_received_ahead() -> None:
    received = []

    class Fast(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(1000):
                received.append(1 << 10)
                yield bytes(1 << 10)
            yield b""

    def work(loop: asyncio.AbstractEventLoop) -> None:
        inflow = Inflow(Fast(), loop, 5, turn())
        n_read = len(inflow.read())
        for _ in range(20):
            time.sleep(0.01)
            assert sum(received) <= n_read + (128 << 10)
        assert sum(received) == n_read + (128 << 10)
        n_next = len(inflow.read())
        assert n_next > 64 << 10
        n_read += n_next
        while piece := inflow.read():
            n_read += len(piece)
        assert n_read == 1000 << 10

    in_thread(work)


def test_what_came_before_an_error_is_read_first() -> None:
    def work(loop: asyncio.AbstractEventLoop) -> None:
        inflow = Inflow(Wire(b"a", b"b", OSError()), loop, 5, turn())
        read = b""
        while len(read) < 2:
            read += inflow.read()
        assert read == b"ab"
        for _ in range(2):
            with pytest.raises(GoneError):
                inflow.read()

    in_thread(work)


def test_a_closed_body_is_received_no_further() -> None:
    received = []

    class Endless(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                received.append(1)
                yield b"x"
                await asyncio.sleep(0.01)

    def work(loop: asyncio.AbstractEventLoop) -> None:
        inflow = Inflow(Endless(), loop, 5, turn())
        inflow.read()
        loop.call_soon_threadsafe(inflow.close)
        time.sleep(0.1)
        n_received = len(received)
        time.sleep(0.1)
        assert len(received) == n_received

    in_thread(work)


def test_a_request_that_waits_for_its_client_gives_back_its_turn() -> None:
    turns = Turns(1)

    def work(loop: asyncio.AbstractEventLoop) -> None:
        async def take(one: Turn) -> None:
            await one.take()

        slow, other = Turn(turns, "slow"), Turn(turns, "other")
        asyncio.run_coroutine_threadsafe(take(slow), loop).result(5)
        with pytest.raises(SlowRequestError):
            Inflow(Wire(None), loop, 0.1, slow).read()
        asyncio.run_coroutine_threadsafe(take(other), loop).result(5)

    in_thread(work)


@pytest.mark.parametrize(
    ("pieces", "error"), [((b"a", None), SlowRequestError), ((b"a", OSError()), GoneError)]
)
def test_a_client_that_stops_is_an_error(
    pieces: tuple[bytes | Exception | None, ...], error: type[Exception]
) -> None:
    def work(loop: asyncio.AbstractEventLoop) -> None:
        inflow = Inflow(Wire(*pieces), loop, 0.1, turn())
        assert inflow.read() == b"a"
        with pytest.raises(error):
            inflow.read()

    in_thread(work)


def test_a_response_is_sent_in_pieces() -> None:
    wire = Wire()

    def work(loop: asyncio.AbstractEventLoop) -> None:
        outflow = Outflow(wire, loop, 5, turn(), None)
        outflow.start(200, [("a", "b")])
        outflow.send(b"one")
        outflow.send(b"two")
        with pytest.raises(GoneError):
            outflow.send(b"broken")

    in_thread(work)
    assert wire.sent == [(200, [("a", "b")]), b"one", b"two"]


class Stuck:
    """A connection whose client receives only a part of what is sent."""

    def __init__(self, n_received: int) -> None:
        self.n_acknowledged = n_received
        self.aborted = False

    def abort(self) -> None:
        """End the connection."""
        self.aborted = True


def test_a_client_that_stops_receiving_is_an_error() -> None:
    connection: Any = Stuck(0)

    def work(loop: asyncio.AbstractEventLoop) -> None:
        outflow = Outflow(Wire(), loop, 0.1, turn(), connection)
        outflow.start(200, [])
        outflow.send(bytes(400 << 10))
        with pytest.raises(GoneError):
            outflow.send(bytes(200 << 10))

    in_thread(work)
    assert connection.aborted


def test_a_complete_response_is_sent_at_once() -> None:
    wire = Wire()
    in_thread(lambda loop: Outflow(wire, loop, 5, turn(), None).send_whole(Reply(413, [], b"x")))
    assert wire.sent == [(413, [], b"x")]


def test_no_more_is_received_once_128_kib_are_ahead() -> None:
    def work(loop: asyncio.AbstractEventLoop) -> list[int]:
        pieces = [bytes((128 << 10) - 1), b"x"] * 3
        inflow = Inflow(Wire(*pieces, b""), loop, 5, turn())
        return [len(inflow.read()) for _ in range(4)]

    assert in_thread(work) == [128 << 10] * 3 + [0]


def test_nothing_is_read_where_nothing_is_wanted() -> None:
    def work(loop: asyncio.AbstractEventLoop) -> list[bytes]:
        inflow = Inflow(Wire(b"abc", b""), loop, 5, turn())
        return [inflow.read(0), inflow.read(1), inflow.read(0), inflow.read(), inflow.read()]

    assert in_thread(work) == [b"", b"a", b"", b"bc", b""]


class Clock:
    """A clock whose steps are given: it is looked at before and after each wait for the client."""

    def __init__(self, *waits: float) -> None:
        self.times = [0.0]
        for wait in waits:
            self.times += [self.times[-1], self.times[-1] + wait]
        self.times = self.times[1:]

    def monotonic(self) -> float:
        return self.times.pop(0)


@pytest.mark.parametrize(("second_wait", "alive"), [(1.0, True), (1.0005, False)])
def test_a_client_must_send_1024_bytes_a_second_after_ten_seconds(
    second_wait: float, alive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in super().__aiter__():
                await asyncio.sleep(0.02)
                yield piece

    def work(loop: asyncio.AbstractEventLoop) -> None:
        inflow = Inflow(Slow(bytes(1024), bytes(1024), None), loop, 5, turn())
        # 11 s for the first 1,024 bytes, just in time; 12 s for twice as many.
        assert len(inflow.read()) == 1024
        if alive:
            assert len(inflow.read()) == 1024
        else:
            with pytest.raises(SlowRequestError, match=r"^the client sent less than 1,024 bytes a second$"):
                inflow.read()
        loop.call_soon_threadsafe(inflow.close)

    monkeypatch.setattr("portrait_server.gate.streams.time", Clock(11.0, second_wait))
    in_thread(work)


def test_half_a_mebibyte_may_be_on_its_way_to_the_client() -> None:
    connection: Any = Stuck(0)
    # On the wire with the size in five digits and two line ends.
    whole = bytes((512 << 10) - 9)

    def work(loop: asyncio.AbstractEventLoop) -> None:
        outflow = Outflow(Wire(), loop, 0.2, turn(), connection)
        outflow.start(200, [])
        outflow.send(whole)
        assert not connection.aborted
        # What has been received makes room: all six bytes more.
        threading.Timer(0.05, lambda: setattr(connection, "n_acknowledged", 6)).start()
        outflow.send(b"x")
        with pytest.raises(GoneError):
            outflow.send(b"x")

    in_thread(work)
    assert connection.aborted


def test_what_the_client_had_received_before_does_not_count() -> None:
    connection: Any = Stuck(10 << 20)

    def work(loop: asyncio.AbstractEventLoop) -> None:
        outflow = Outflow(Wire(), loop, 0.05, turn(), connection)
        outflow.start(200, [])
        outflow.send(bytes(500 << 10))
        with pytest.raises(GoneError):
            outflow.send(bytes(20 << 10))

    in_thread(work)


def test_a_connection_that_the_kernel_does_not_count_is_trusted() -> None:
    class Uncounted:
        @property
        def n_acknowledged(self) -> int:
            raise OSError("this kernel does not count acknowledged bytes")

    connection: Any = Uncounted()
    wire = Wire()

    def work(loop: asyncio.AbstractEventLoop) -> None:
        for known in (connection, None):
            outflow = Outflow(wire, loop, 0.05, turn(), known)
            outflow.start(200, [])
            outflow.send(bytes(2 << 20))

    in_thread(work)
    assert [len(piece) for piece in wire.sent if isinstance(piece, bytes)] == [2 << 20] * 2


def test_a_refused_body_that_comes_slowly_is_received() -> None:
    received = []

    class Slow(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for size in ((8 << 20) - 1, 1, 1):
                received.append(size)
                await asyncio.sleep(0.01)
                yield bytes(size)

    asyncio.run(discard(Slow()))
    assert received == [(8 << 20) - 1, 1]


def test_a_refused_body_that_stops_is_given_up() -> None:
    asyncio.run(discard(Wire(b"a", None)))
