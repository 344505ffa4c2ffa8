"""Bodies on the wire: the event loop receives and sends them, each step against a deadline.

``Inflow`` and ``Outflow`` are the two directions of a streamed request, for a thread that reads and writes
while the loop receives and sends. Whenever they wait for the client, the request gives back its turn.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ..errors import CutOffError, SlowRequestError, TooLargeError
from ..messages import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from .connections import Connection
    from .replies import Headers, Reply
    from .turns import Turn

#: After this time, a client must have sent a minimum of bytes a second.
_GRACE_SECONDS = 10.0
_MIN_BYTES_PER_SECOND = 1024
#: How much of a streamed body is received before it is read.
_MAX_AHEAD_BYTES = 128 << 10
#: How much of a streamed response may be on its way to the client.
_MAX_IN_FLIGHT_BYTES = 512 << 10
_LOOK_AGAIN_SECONDS = 0.01
_LET_GO_SECONDS = 0.1
_MAX_DISCARDED_BYTES, _DISCARD_SECONDS = 8 << 20, 1.0


class GoneError(Exception):
    """The client has left, or does not receive what it asked for."""


async def read_whole(
    protocol: Any, n_announced: int | None, max_bytes: int, count: Callable[[int], None]
) -> bytes:
    """Return a whole body.

    Args:
        protocol: granian's side of the request.
        n_announced: The size of the body, if the request announces it.
        max_bytes: The size of the largest body.
        count: Called with the size of each piece that has arrived; what it raises ends the reading.

    Raises:
        TooLargeError: The body turns out to be larger.
        CutOffError: The body ends too early.
        GoneError: The client has left.
    """
    pieces = protocol.__aiter__()
    arrived, n_bytes = [], 0
    # At the announced end, granian is not asked for the end: every question costs a change of threads.
    while n_bytes != n_announced and (piece := await next_piece(pieces)):
        n_bytes += len(piece)
        if n_bytes > max_bytes:
            raise TooLargeError(f"a body of more than {counted(max_bytes, 'byte')}")
        count(len(piece))
        arrived.append(piece)
    return b"".join(arrived)


async def discard(protocol: Any) -> None:
    """Receive the body of a request that has been refused, up to a limit, and forget it.

    If a server closes a connection on which data arrives, the client may never see the response.
    """
    try:
        pieces = protocol.__aiter__()
    except Exception:  # the body has been read
        return
    n_bytes = 0
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while n_bytes < _MAX_DISCARDED_BYTES and (piece := await next_piece(pieces)):
                n_bytes += len(piece)
    except (CutOffError, GoneError):
        return
    except TimeoutError:
        await let_go()


async def next_piece(pieces: AsyncIterator[bytes]) -> bytes:
    """Return the next piece of a body; an empty one at the end.

    Raises:
        CutOffError: The body ends before its announced end.
        GoneError: The connection broke.
    """
    try:
        piece = bytes(await anext(pieces))
        if piece:
            return piece
        # granian ends a complete body with an empty piece. In place of an error, and of trailers, it has an
        # empty piece too, so that a broken body has two of them.
        await anext(pieces)
    except StopAsyncIteration:
        return b""
    except Exception:  # granian has no class of its own for a connection that breaks
        raise GoneError from None
    raise CutOffError("the body ends before its announced end, or has trailers")


async def let_go() -> None:
    """Give granian time to notice that nothing waits for the rest of a body.

    Only then does it close the connection at the end of the request.
    """
    await asyncio.sleep(_LET_GO_SECONDS)


class Inflow:
    """The body of a request, for a thread that reads it while the event loop receives it.

    The loop receives a little ahead, so that the thread rarely waits and takes many pieces at once: each
    question to the loop costs two changes of threads.

    Args:
        protocol: granian's side of the request.
        loop: The event loop.
        seconds: How long the next piece may take.
        turn: The request's turn.
    """

    def __init__(self, protocol: Any, loop: asyncio.AbstractEventLoop, seconds: float, turn: Turn) -> None:
        self._protocol = protocol
        self._loop = loop
        self._seconds = seconds
        self._turn = turn
        self._rest = b""
        self._n_bytes = 0
        self._waited = 0.0
        # All of this is for the loop's thread.
        self._ahead: list[bytes] = []
        self._n_ahead = 0
        self._has_ended = False
        self._failure: CutOffError | GoneError | None = None
        self._changed = asyncio.Event()
        self._receiving: asyncio.Task[None] | None = None

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes that have arrived; wait only if there are none.

        Raises:
            SlowRequestError: The client sends nothing, or too little.
            CutOffError: The body ends too early.
            GoneError: The client has left.
        """
        if not self._rest:
            self._rest = asyncio.run_coroutine_threadsafe(self._take(), self._loop).result()
        if size < 0:
            size = len(self._rest)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def close(self) -> None:
        """Receive no more; for the loop's thread."""
        if self._receiving is not None:
            self._receiving.cancel()

    async def _take(self) -> bytes:
        """Return what has arrived: at least one byte, unless the body has ended."""
        if self._receiving is None:
            self._receiving = self._loop.create_task(self._receive())
        # Others may be waiting for the turn, even if this request need not wait.
        self._turn.give_back()
        if not self._ahead and not self._has_ended:
            await self._wait()
        if not self._ahead and self._failure is not None:
            raise self._failure
        await self._turn.take()
        taken = b"".join(self._ahead)
        self._ahead, self._n_ahead = [], 0
        self._changed.set()
        return taken

    async def _receive(self) -> None:
        """Receive piece after piece, but not far ahead."""
        pieces = self._protocol.__aiter__()
        try:
            while piece := await next_piece(pieces):
                self._ahead.append(piece)
                self._n_ahead += len(piece)
                self._n_bytes += len(piece)
                self._changed.set()
                while self._n_ahead >= _MAX_AHEAD_BYTES:
                    self._changed.clear()
                    await self._changed.wait()
        except (CutOffError, GoneError) as error:
            self._failure = error
        self._has_ended = True
        self._changed.set()

    async def _wait(self) -> None:
        """Wait until something has arrived or the body has ended."""
        start = time.monotonic()
        self._changed.clear()
        try:
            async with asyncio.timeout(self._seconds):
                await self._changed.wait()
        except TimeoutError:
            self.close()
            await let_go()
            raise SlowRequestError(f"the client sent nothing for {self._seconds:g} s") from None
        self._waited += time.monotonic() - start
        if self._ahead and self._waited > _GRACE_SECONDS + self._n_bytes / _MIN_BYTES_PER_SECOND:
            raise SlowRequestError(f"the client sent less than {_MIN_BYTES_PER_SECOND:,} bytes a second")


class Outflow:
    """The response to a request, for a thread that writes it while the event loop sends it.

    Args:
        protocol: granian's side of the request.
        loop: The event loop.
        seconds: How long the client may take to receive a piece.
        turn: The request's turn.
        connection: The request's connection; ``None`` if it is not known how much the client has received.
    """

    def __init__(
        self,
        protocol: Any,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        turn: Turn,
        connection: Connection | None,
    ) -> None:
        self._protocol = protocol
        self._loop = loop
        self._seconds = seconds
        self._turn = turn
        self._connection = connection
        self._transport: Any = None
        self._n_sent = 0
        self._n_sent = self._n_acknowledged()

    def send_whole(self, reply: Reply) -> None:
        """Send a complete response."""
        self._loop.call_soon_threadsafe(self._protocol.response_bytes, *reply)

    def start(self, status: int, headers: Headers) -> None:
        """Send the head of a streamed response."""
        asyncio.run_coroutine_threadsafe(self._start(status, headers), self._loop).result()

    def send(self, piece: bytes) -> None:
        """Send a piece of a streamed response.

        Raises:
            GoneError: The client has left, or does not receive the response in time.
        """
        asyncio.run_coroutine_threadsafe(self._send(piece), self._loop).result()

    async def _start(self, status: int, headers: Headers) -> None:
        self._transport = self._protocol.response_stream(status, headers)

    async def _send(self, piece: bytes) -> None:
        try:
            await self._transport.send_bytes(piece)
        except Exception:
            raise GoneError from None
        # On the wire, each piece follows its size in hexadecimal digits.
        self._n_sent += len(piece) + len(f"{len(piece):x}\r\n\r\n")
        if self._n_sent - self._n_acknowledged() <= _MAX_IN_FLIGHT_BYTES:
            return
        self._turn.give_back()
        try:
            async with asyncio.timeout(self._seconds):
                while self._n_sent - self._n_acknowledged() > _MAX_IN_FLIGHT_BYTES:
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError:
            if self._connection is not None:
                self._connection.abort()
            raise GoneError from None
        await self._turn.take()

    def _n_acknowledged(self) -> int:
        """Return how many bytes of the connection the client has received."""
        if self._connection is not None:
            try:
                return self._connection.n_acknowledged
            except OSError:
                self._connection = None
        return self._n_sent
