"""Bodies on the wire: the event loop receives and sends them, each step against a deadline.

``Inflow`` and ``Outflow`` are the two directions of a streamed request, for a thread that reads and writes
while the loop receives and sends.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ..errors import SlowRequestError, TooLargeError
from ..messages import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from .replies import Headers, Reply

#: After this time, a client must have sent a minimum of bytes a second.
_GRACE_SECONDS = 10.0
_MIN_BYTES_PER_SECOND = 1024


class GoneError(Exception):
    """The client has left, or does not receive what it asked for."""


async def read_whole(protocol: Any, max_bytes: int) -> bytes:
    """Return a whole body.

    Args:
        protocol: granian's side of the request.
        max_bytes: The size of the largest body.

    Raises:
        TooLargeError: The body turns out to be larger.
        GoneError: The client has left.
    """
    pieces, n_bytes = [], 0
    try:
        async for piece in protocol:
            n_bytes += len(piece)
            if n_bytes > max_bytes:
                raise TooLargeError(f"a body of more than {counted(max_bytes, 'byte')}")
            pieces.append(piece)
    except (TooLargeError, asyncio.CancelledError):
        raise
    except Exception:  # granian has no class of its own for a connection that breaks
        raise GoneError from None
    return b"".join(pieces)


class Inflow:
    """The body of a request, for a thread that reads it while the event loop receives it.

    Args:
        protocol: granian's side of the request.
        loop: The event loop.
        seconds: How long the next piece may take.
    """

    def __init__(self, protocol: Any, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._pieces: AsyncIterator[bytes] = protocol.__aiter__()
        self._loop = loop
        self._seconds = seconds
        self._rest = b""
        self._n_bytes = 0
        self._waited = 0.0

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes that have arrived; wait only if there are none.

        Raises:
            SlowRequestError: The client sends nothing, or too little.
            GoneError: The client has left.
        """
        if not self._rest:
            self._rest = self._next()
        if size < 0:
            size = len(self._rest)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def _next(self) -> bytes:
        start = time.monotonic()
        future = asyncio.run_coroutine_threadsafe(_next_piece(self._pieces), self._loop)
        try:
            piece = future.result(self._seconds)
        except TimeoutError:
            future.cancel()
            raise SlowRequestError(f"the client sent nothing for {self._seconds:g} s") from None
        self._waited += time.monotonic() - start
        self._n_bytes += len(piece)
        if piece and self._waited > _GRACE_SECONDS + self._n_bytes / _MIN_BYTES_PER_SECOND:
            raise SlowRequestError(f"the client sent less than {_MIN_BYTES_PER_SECOND:,} bytes a second")
        return piece


class Outflow:
    """The response to a request, for a thread that writes it while the event loop sends it.

    Args:
        protocol: granian's side of the request.
        loop: The event loop.
        seconds: How long the client may take to receive a piece.
    """

    def __init__(self, protocol: Any, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._protocol = protocol
        self._loop = loop
        self._seconds = seconds
        self._transport: Any = None

    def send_whole(self, reply: Reply) -> None:
        """Send a complete response."""
        self._loop.call_soon_threadsafe(self._protocol.response_bytes, *reply)

    def start(self, status: int, headers: Headers) -> None:
        """Send the head of a streamed response.

        Raises:
            GoneError: The client does not receive it in time.
        """
        self._wait(self._start(status, headers))

    def send(self, piece: bytes) -> None:
        """Send a piece of a streamed response.

        Raises:
            GoneError: The client has left, or does not receive the piece in time.
        """
        self._wait(self._send(piece))

    async def _start(self, status: int, headers: Headers) -> None:
        self._transport = self._protocol.response_stream(status, headers)

    async def _send(self, piece: bytes) -> None:
        try:
            await self._transport.send_bytes(piece)
        except Exception:
            raise GoneError from None

    def _wait(self, step: Coroutine[Any, Any, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(step, self._loop)
        try:
            future.result(self._seconds)
        except TimeoutError:
            future.cancel()
            raise GoneError from None


async def _next_piece(pieces: AsyncIterator[bytes]) -> bytes:
    """Return the next piece that is not empty; an empty one at the end."""
    try:
        while not (piece := await anext(pieces)):
            pass
    except StopAsyncIteration:
        return b""
    except Exception:
        raise GoneError from None
    return bytes(piece)
