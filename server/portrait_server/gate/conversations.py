"""Conversations: NDJSON requests, which are answered while their bodies arrive.

Each has a thread, which mostly waits for its client. Only those that have a turn are answered, so that slow
clients keep nobody waiting.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..errors import BusyError
from . import connections, replies
from .budgets import Allotment, Budget
from .streams import GoneError, Inflow, Outflow
from .turns import Turn, Turns

if TYPE_CHECKING:
    from flask import Flask
    from granian.rsgi import Scope

    from ..settings import Settings
    from .environ import Environ


class Conversations:
    """The conversations of one worker.

    Args:
        app: The application.
        settings: The settings of the server.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._seconds = settings.idle_seconds
        self._open = Budget(settings.bulk_connections)
        self._turns = Turns(settings.bulk_concurrency)
        self._threads = ThreadPoolExecutor(settings.bulk_connections, "bulk")

    async def answer(self, environ: Environ, scope: Scope, protocol: Any, client: str) -> None:
        """Answer a request while its body arrives.

        Raises:
            BusyError: There are too many, or none gives back its turn in time.
        """
        with Allotment(self._open, client) as share:
            if not share.take(1):
                raise _too_many()
            turn = Turn(self._turns, client)
            try:
                async with asyncio.timeout(self._seconds):
                    await turn.take()
            except TimeoutError:
                raise _too_many() from None
            loop = asyncio.get_running_loop()
            connection = connections.find(scope.client, scope.server)
            environ["wsgi.input"] = inflow = Inflow(protocol, loop, self._seconds, turn)
            outflow = Outflow(protocol, loop, self._seconds, turn, connection)
            try:
                await loop.run_in_executor(self._threads, self._converse, environ, outflow)
            finally:
                inflow.close()
                turn.give_back()
                if connection is not None:
                    connection.close()

    def _converse(self, environ: Environ, outflow: Outflow) -> None:
        """In a thread of its own: call the application and send what it answers, piece by piece."""
        try:
            with replies.streamed(self._app, environ) as reply:
                if reply.status != HTTPStatus.OK:
                    body = b"".join(reply.pieces)
                    outflow.send_whole(replies.Reply(reply.status, reply.headers, body))
                    return
                outflow.start(reply.status, reply.headers)
                for piece in reply.pieces:
                    outflow.send(piece)
        except GoneError:
            # Swallow it in this thread: a traceback would keep the connection, which closes when released.
            pass


def _too_many() -> BusyError:
    return BusyError("too many NDJSON requests at the same time: try again in 5 seconds", retry_after=5)
