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
environment, :mod:`.replies` calls the application, :mod:`.streams` and :mod:`.delivery` move bodies.

Nothing is read before the headers say whom it is from, and what a request announces reserves nothing. Every
client has its share (:mod:`.budgets`) of requests, bytes and conversations, and takes turns (:mod:`.turns`)
with the others. Health is answered on the event loop, behind no other work.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..access.keys import refusal
from ..errors import BusyError, ServiceError, SlowRequestError, TooLargeError
from ..http.bodies import NDJSON
from ..messages import counted
from ..state import EXTENSION
from . import connections, replies
from .budgets import Allotment, Budget
from .conversations import Conversations
from .delivery import Delivery
from .environ import announced_bytes, environ_of, media_type, require_clear_framing, set_body
from .streams import GoneError, discard, let_go, read_whole
from .turns import Turns
from .visitors import Visitor, visitor_of

if TYPE_CHECKING:
    from flask import Flask
    from granian.rsgi import Scope

    from ..state import State
    from .environ import Environ

#: The size of all bodies that a worker has at the same time.
_MAX_BODY_BYTES = 128 << 20
#: The same for visitors who are not identified, which may be because the key is in the page's form, and the
#: number of their requests.
_MAX_STRANGER_BYTES, _MAX_STRANGERS = 16 << 20, 64
#: Requests for the state and the counters that wait at the same time.
_MAX_OPERATIONS = 64
#: How long a thread may keep the interpreter's lock while another one waits for it. The event loop waits
#: for it several times a request: Python's default of 5 ms would add up.
_SWITCH_SECONDS = 0.0005

_HEALTH = "/healthz"
_OPERATIONS = ("/readyz", "/metrics")
_FORM_PATH, _FORM_TYPES = "/", ("application/x-www-form-urlencoded", "multipart/form-data")


class Gate:
    """The RSGI application of one worker."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._state: State = app.extensions[EXTENSION]
        settings = self._settings = self._state.settings
        self._threads = ThreadPoolExecutor(settings.threads, "query")
        self._operation_threads = ThreadPoolExecutor(len(_OPERATIONS), "operation")
        self._turns = Turns(settings.threads)
        self._requests = Budget(settings.concurrency)
        self._bodies = Budget(_MAX_BODY_BYTES)
        self._strangers = Budget(_MAX_STRANGERS)
        self._stranger_bodies = Budget(_MAX_STRANGER_BYTES)
        self._operations = Budget(_MAX_OPERATIONS)
        self._conversations = Conversations(app, settings)
        self._delivery = Delivery(settings.response_seconds)
        self._watch = connections.Watch(settings.response_seconds)
        self._n_open = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        sys.setswitchinterval(_SWITCH_SECONDS)
        loop.add_signal_handler(signal.SIGHUP, self._refresh_now)
        self._tasks = [loop.create_task(self._refresh()), loop.create_task(self._sweep())]

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self._drain())

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        environ = environ_of(scope)
        self._watch.add(scope.server)
        self._n_open += 1
        try:
            require_clear_framing(environ)
            if scope.path == _HEALTH:
                protocol.response_bytes(*replies.whole(self._app, environ))
                return
            visitor = visitor_of(environ, self._state)
            if scope.path in _OPERATIONS:
                await self._operate(environ, scope, protocol, visitor)
            elif media_type(environ) == NDJSON:
                if not visitor.identified:
                    raise refusal()
                await self._conversations.answer(environ, scope, protocol, visitor.client)
            else:
                await self._answer_whole(environ, scope, protocol, visitor)
        except ServiceError as error:
            protocol.response_bytes(*replies.refusal(self._app, environ, error))
            await discard(protocol)
        except GoneError:
            pass
        finally:
            self._n_open -= 1

    async def _operate(self, environ: Environ, scope: Scope, protocol: Any, visitor: Visitor) -> None:
        """Answer an operator in a thread that does no other work; a body is not read."""
        with Allotment(self._operations, visitor.client) as share:
            if not share.take(1):
                raise _busy()
            reply = await self._loop.run_in_executor(
                self._operation_threads, replies.whole, self._app, environ
            )
            await self._delivery.send(scope, protocol, reply, visitor.client)

    async def _answer_whole(self, environ: Environ, scope: Scope, protocol: Any, visitor: Visitor) -> None:
        """Answer a request whose body is read to its end first."""
        client, n_announced = visitor.client, announced_bytes(environ)
        if n_announced is not None and n_announced > self._settings.max_body_bytes:
            raise TooLargeError(
                f"a body of {counted(n_announced, 'byte')}: at most {self._settings.max_body_bytes:,}"
            )
        if not visitor.identified and n_announced != 0 and not _is_form(scope, environ):
            raise refusal()
        requests = self._requests if visitor.identified else self._strangers
        bodies = self._bodies if visitor.identified else self._stranger_bodies
        with Allotment(requests, client) as share, Allotment(bodies, client) as arrived:
            if not share.take(1):
                raise _busy()
            if n_announced != 0:
                set_body(environ, await self._body(protocol, n_announced, arrived))
            reply = await self._answer(environ, client)
        del environ
        await self._delivery.send(scope, protocol, reply, client)

    async def _answer(self, environ: Environ, client: str) -> replies.Reply:
        """Wait for a thread, and answer a complete request in it."""
        # Mostly a thread is free, and waiting against a deadline takes time itself.
        if not self._turns.take_free(client):
            try:
                async with asyncio.timeout(self._settings.request_seconds):
                    await self._turns.take(client)
            except TimeoutError:
                raise _busy() from None
        try:
            return await self._loop.run_in_executor(self._threads, replies.whole, self._app, environ)
        finally:
            self._turns.give_back(client)

    async def _body(self, protocol: Any, n_announced: int | None, arrived: Allotment) -> bytes:
        def count(n_bytes: int) -> None:
            if not arrived.take(n_bytes):
                raise _busy()

        seconds = self._settings.body_seconds
        try:
            async with asyncio.timeout(seconds):
                return await read_whole(protocol, n_announced, self._settings.max_body_bytes, count)
        except TimeoutError:
            await let_go()
            raise SlowRequestError(f"the body did not arrive within {seconds:g} s") from None

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._settings.reload_seconds)
            await self._loop.run_in_executor(None, self._state.refresh)

    def _refresh_now(self) -> None:
        self._loop.run_in_executor(None, lambda: self._state.refresh(force=True))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._settings.response_seconds / 4)
            await self._loop.run_in_executor(None, self._watch.sweep)

    async def _drain(self) -> None:
        for task in self._tasks:
            task.cancel()
        deadline = time.monotonic() + self._settings.shutdown_seconds
        while self._n_open and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


def _is_form(scope: Scope, environ: Environ) -> bool:
    """Return whether a request is the page's form, in which browsers without scripts send the key."""
    return scope.method == "POST" and scope.path == _FORM_PATH and media_type(environ) in _FORM_TYPES


def _busy() -> BusyError:
    return BusyError("the server is busy: try again in 1 second", retry_after=1)
