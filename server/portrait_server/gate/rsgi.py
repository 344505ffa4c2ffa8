"""The gate: what granian runs, in front of the WSGI application of a worker.

A WSGI application reads a body itself, so a client that sends one byte a minute occupies one of its
threads. Here one event loop reads the bodies of all clients, each against a deadline, and a thread gets only
complete requests. NDJSON is the exception, because its answers are sent while its questions arrive: it has a
few threads of its own, and a deadline for each piece.

Libraries offer adapters for this. Each was measured in place of this module, with ``benchmarks/service.py``,
in one session on one core. A query and the constant answer are in requests a second, NDJSON is in megabytes
of text a second.

========================  =====  ========  ======  =====================================================
adapter                   query  constant  NDJSON  besides
========================  =====  ========  ======  =====================================================
this one (RSGI)           1,517     1,964    19.6
``a2wsgi`` on ASGI        1,010     1,087    10.6  three trips between threads a response; ``read(n)``
                                                   waits for n bytes, so answers to lines are late; a
                                                   failed send leaves the thread waiting forever
``asgiref`` on ASGI         835       974     9.5  one thread for all requests; no answer before the body
                                                   has ended
granian's own WSGI        2,361     3,425    24.3  a slow body occupies a thread, without a deadline: eight
                                                   idle clients locked out all others for over 30 s
========================  =====  ========  ======  =====================================================

So this module uses granian's RSGI interface, which leaves little to do: :mod:`.environ` makes the WSGI
environment, :mod:`.replies` calls the application, and :mod:`.streams` moves bodies.
"""

from __future__ import annotations

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..errors import BusyError, ServiceError, SlowRequestError, TooLargeError
from ..http.bodies import NDJSON
from ..messages import counted
from ..state import EXTENSION
from . import replies
from .environ import environ_of, has_body, media_type, set_body
from .streams import GoneError, Inflow, Outflow, read_whole

if TYPE_CHECKING:
    from flask import Flask
    from granian.rsgi import Scope

    from ..state import State
    from .environ import Environ

#: The size of all bodies that a worker receives at the same time; it accepts no further ones.
_MAX_ARRIVING_BYTES = 128 << 20
_LET_GO_SECONDS = 0.1


class Gate:
    """The RSGI application of one worker."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._state: State = app.extensions[EXTENSION]
        self._settings = self._state.settings
        self._threads = ThreadPoolExecutor(self._settings.threads, "query")
        self._bulk_threads = ThreadPoolExecutor(self._settings.bulk_concurrency, "bulk")
        self._bulk_turns = asyncio.Semaphore(self._settings.bulk_concurrency)
        self._n_open = 0
        self._n_running = 0
        self._n_waiting_for_turn = 0
        self._n_arriving_bytes = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_signal_handler(signal.SIGHUP, self._refresh_now)
        self._refreshing = loop.create_task(self._refresh())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self._drain())

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        environ = environ_of(scope)
        self._n_open += 1
        try:
            if media_type(environ) == NDJSON:
                await self._answer_stream(environ, protocol)
            else:
                await self._answer_whole(environ, protocol)
        except ServiceError as error:
            protocol.response_bytes(*replies.refusal(self._app, environ, error))
        except GoneError:
            pass
        finally:
            self._n_open -= 1

    async def _answer_whole(self, environ: Environ, protocol: Any) -> None:
        """Answer a request whose body is read to its end first."""
        if has_body(environ):
            set_body(environ, await self._body(environ, protocol))
        if self._n_running >= self._settings.concurrency:
            raise _busy()
        self._n_running += 1
        try:
            reply = await self._loop.run_in_executor(self._threads, replies.whole, self._app, environ)
        finally:
            self._n_running -= 1
        protocol.response_bytes(*reply)

    async def _body(self, environ: Environ, protocol: Any) -> bytes:
        max_bytes, seconds = self._settings.max_body_bytes, self._settings.body_seconds
        n_bytes = int(environ.get("CONTENT_LENGTH") or max_bytes)
        if n_bytes > max_bytes:
            raise TooLargeError(f"a body of {counted(n_bytes, 'byte')}: at most {max_bytes:,}")
        if self._n_arriving_bytes + n_bytes > _MAX_ARRIVING_BYTES:
            raise _busy()
        self._n_arriving_bytes += n_bytes
        try:
            async with asyncio.timeout(seconds):
                return await read_whole(protocol, max_bytes)
        except TimeoutError:
            # granian closes a connection when it notices that nothing waits for the rest of its body: give
            # it time to notice before the response.
            await asyncio.sleep(_LET_GO_SECONDS)
            raise SlowRequestError(f"the body did not arrive within {seconds:g} s") from None
        finally:
            self._n_arriving_bytes -= n_bytes

    async def _answer_stream(self, environ: Environ, protocol: Any) -> None:
        """Answer a request while its body arrives."""
        await self._take_turn()
        seconds = self._settings.idle_seconds
        environ["wsgi.input"] = Inflow(protocol, self._loop, seconds)
        outflow = Outflow(protocol, self._loop, seconds)
        try:
            await self._loop.run_in_executor(self._bulk_threads, self._converse, environ, outflow)
        finally:
            self._bulk_turns.release()

    async def _take_turn(self) -> None:
        # Waiting takes no memory: what has not been read stays with the client.
        busy = BusyError("too many NDJSON requests at the same time: try again in 5 seconds", retry_after=5)
        if self._n_waiting_for_turn >= self._settings.concurrency:
            raise busy
        self._n_waiting_for_turn += 1
        try:
            async with asyncio.timeout(self._settings.idle_seconds):
                await self._bulk_turns.acquire()
        except TimeoutError:
            raise busy from None
        finally:
            self._n_waiting_for_turn -= 1

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

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._settings.reload_seconds)
            await self._loop.run_in_executor(None, self._state.refresh)

    def _refresh_now(self) -> None:
        self._loop.run_in_executor(None, lambda: self._state.refresh(force=True))

    async def _drain(self) -> None:
        self._refreshing.cancel()
        deadline = time.monotonic() + self._settings.shutdown_seconds
        while self._n_open and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


def _busy() -> BusyError:
    return BusyError("the server is busy: try again in 1 second", retry_after=1)
