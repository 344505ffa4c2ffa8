"""Delivery of whole responses: large ones in pieces, within a budget and against a deadline.

granian takes a response at once and keeps it until the client has received it, however long that takes. So a
large response counts against a budget of its client until it has left, and one that does not leave in time
ends with its connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..errors import BusyError
from . import connections
from .budgets import Allotment, Budget

if TYPE_CHECKING:
    from granian.rsgi import Scope

    from .replies import Reply

#: A response up to this size is handed to granian at once: it fits into the buffers of its connection.
_SMALL_BYTES = 64 << 10
#: The size of all larger responses that a worker sends at the same time.
_MAX_LEAVING_BYTES = 64 << 20


class Delivery:
    """The delivery of whole responses to all clients of a worker.

    Args:
        seconds: How long a client may take to receive a response.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._leaving = Budget(_MAX_LEAVING_BYTES)

    async def send(self, scope: Scope, protocol: Any, reply: Reply, client: str) -> None:
        """Send a response, and return when it has left or its connection has ended.

        Raises:
            BusyError: The client already has too many responses that it does not receive.
        """
        n_bytes = len(reply.body)
        if n_bytes <= _SMALL_BYTES:
            protocol.response_bytes(*reply)
            return
        with Allotment(self._leaving, client) as share:
            if not share.take(n_bytes):
                raise BusyError("large answers wait for this client to receive them", retry_after=5)
            try:
                async with asyncio.timeout(self._seconds):
                    await _send_in_pieces(protocol, reply)
            except TimeoutError:
                await asyncio.to_thread(connections.abort, scope.client, scope.server)


async def _send_in_pieces(protocol: Any, reply: Reply) -> None:
    """Queue all pieces, and wait until the last one has left the queue.

    The connection's buffer takes a piece whenever it has room. A single piece would leave the queue at once.
    """
    transport = protocol.response_stream(reply.status, reply.headers)
    body = memoryview(reply.body)
    for start in range(0, len(body), _SMALL_BYTES):
        await transport.send_bytes(bytes(body[start : start + _SMALL_BYTES]))
    # The response ends when nobody can send more of it.
    del transport
    await protocol.client_disconnect()
