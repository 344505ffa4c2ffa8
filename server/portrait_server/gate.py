"""Between granian and the application: bodies are read here, before a thread is spent on a request.

A WSGI application reads the body itself, so a client that sends one byte a minute would hold one of its
threads. Here one event loop reads the bodies of all clients, each against a deadline; a thread gets a
request that is complete. NDJSON is the exception, as its answers go out while it comes in: it has a few
threads of its own, and a deadline for each piece.

Requests that are not let in go through the application all the same, with the error that it is to
raise, so that refusals look, and are logged, like all others.
"""

from __future__ import annotations

import asyncio
import io
import logging
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import bulk
from .errors import BusyError, ServiceError, SlowRequestError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from flask import Flask

    from .state import State

logger = logging.getLogger("portrait_server")

#: Of bodies that a worker holds while they come in; beyond that it takes no new ones.
_MAX_WAITING_BYTES = 128 << 20
_LETTING_GO_SECONDS = 0.1
#: Once a client has had that long, it must have sent so much a second.
_GRACE_SECONDS = 10.0
_MIN_BYTES_PER_SECOND = 1024


class Gate:
    """The RSGI application of one worker."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._held: State = app.extensions["portrait_server"]
        self._settings = self._held.settings
        self._threads = ThreadPoolExecutor(self._settings.threads, "query")
        self._bulk_threads = ThreadPoolExecutor(self._settings.bulk_concurrency, "bulk")
        self._n_running = 0
        self._bulk_turns = asyncio.Semaphore(self._settings.bulk_concurrency)
        self._n_bulk = 0  # that wait for a turn
        self._waiting_bytes = 0
        self._open = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        self._refreshing = loop.create_task(self._refresh())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self._drain())

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        environ = _environ(scope)
        self._open += 1
        try:
            if environ["CONTENT_TYPE"].partition(";")[0].strip().lower() == bulk.MEDIA_TYPE:
                await self._stream(environ, protocol)
            else:
                await self._whole(environ, protocol)
        except _GoneError:
            pass
        finally:
            self._open -= 1

    async def _whole(self, environ: dict[str, Any], protocol: Any) -> None:
        """A request whose body is read to its end before it is looked at."""
        try:
            body = await self._body(environ, protocol)
            if self._n_running >= self._settings.concurrency:
                raise BusyError("this server is busy: try again in a second", retry_after=1)
        except ServiceError as error:
            if isinstance(error, SlowRequestError):
                # The server closes a connection when it finds nobody waiting for the rest of a body:
                # let it see that this one has given up.
                await asyncio.sleep(_LETTING_GO_SECONDS)
            self._refuse(environ, protocol, error)
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        self._n_running += 1
        try:
            status, headers, answer = await self._loop.run_in_executor(self._threads, self._call, environ)
        finally:
            self._n_running -= 1
        protocol.response_bytes(status, headers, answer)

    async def _body(self, environ: dict[str, Any], protocol: Any) -> bytes:
        length = environ.get("CONTENT_LENGTH")
        if not length and "HTTP_TRANSFER_ENCODING" not in environ:
            return b""
        most = self._settings.max_body_bytes
        if length and int(length) > most:
            raise TooLargeError(f"a body of {length} bytes: at most {most}")
        expected = int(length) if length else most
        if self._waiting_bytes + expected > _MAX_WAITING_BYTES:
            raise BusyError("this server is busy: try again in a second", retry_after=1)
        self._waiting_bytes += expected
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                return await _read(protocol, most)
        except TimeoutError:
            raise SlowRequestError(
                f"the body did not arrive within {self._settings.body_seconds:g} s"
            ) from None
        finally:
            self._waiting_bytes -= expected

    def _refuse(self, environ: dict[str, Any], protocol: Any, error: ServiceError) -> None:
        """Answer without a thread, which may be what there are too few of."""
        environ["portrait_server.refusal"] = error
        environ["wsgi.input"] = io.BytesIO()
        environ["CONTENT_LENGTH"] = "0"
        protocol.response_bytes(*self._call(environ))

    def _call(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        started = _Started()
        content = self._app(environ, started)
        try:
            return started.status, started.headers, b"".join(content)
        finally:
            _close(content)

    async def _stream(self, environ: dict[str, Any], protocol: Any) -> None:
        """A request whose answer goes out while its body comes in."""
        # Waiting for a turn costs nothing: what has not been read waits at the client.
        try:
            if self._n_bulk >= self._settings.concurrency:
                raise TimeoutError
            self._n_bulk += 1
            try:
                async with asyncio.timeout(self._settings.idle_seconds):
                    await self._bulk_turns.acquire()
            finally:
                self._n_bulk -= 1
        except TimeoutError:
            busy = BusyError("too many bulk requests at once: try again in 5 seconds", retry_after=5)
            self._refuse(environ, protocol, busy)
            return
        environ["wsgi.input"] = _Inflow(protocol.__aiter__(), self._loop, self._settings.idle_seconds)
        try:
            await self._loop.run_in_executor(self._bulk_threads, self._talk, environ, protocol)
        finally:
            self._bulk_turns.release()

    def _talk(self, environ: dict[str, Any], protocol: Any) -> None:
        started = _Started()
        content = self._app(environ, started)
        try:
            if started.status != HTTPStatus.OK:
                answer = b"".join(content)
                self._loop.call_soon_threadsafe(
                    protocol.response_bytes, started.status, started.headers, answer
                )
                return
            transport = self._wait(_begin(protocol, started))
            for piece in content:
                self._wait(_send(transport, piece))
        except _GoneError:
            pass  # and not further: a traceback would hold the connection, which closes when it is let go
        finally:
            _close(content)

    def _wait(self, what: Any) -> Any:
        """From a thread: let the loop do it, but not for longer than a client may take."""
        future = asyncio.run_coroutine_threadsafe(what, self._loop)
        try:
            return future.result(self._settings.idle_seconds)
        except TimeoutError:
            future.cancel()
            raise _GoneError from None

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._settings.reload_seconds)
            await self._loop.run_in_executor(None, self._held.refresh)

    def _hang_up(self) -> None:
        self._loop.run_in_executor(None, lambda: self._held.refresh(force=True))

    async def _drain(self) -> None:
        self._refreshing.cancel()
        end = time.monotonic() + self._settings.shutdown_seconds
        while self._open and time.monotonic() < end:
            await asyncio.sleep(0.02)


class _GoneError(Exception):
    """The client has left, or does not take what it asked for."""


class _Started:
    """WSGI's ``start_response``."""

    status = 500
    headers: list[tuple[str, str]]

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:  # noqa: ARG002
        self.status = int(status[:3])
        self.headers = [(name.lower(), value) for name, value in headers]
        return None


class _Inflow:
    """The body of a request, for a thread that reads it while the loop receives it."""

    def __init__(self, pieces: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._pieces = pieces
        self._loop = loop
        self._seconds = seconds
        self._rest = b""
        self._n_bytes = 0
        self._waited = 0.0

    def read(self, size: int = -1) -> bytes:
        """What has come, up to ``size`` bytes; waits only where nothing has."""
        if not self._rest:
            self._rest = self._next()
        if size < 0:
            size = len(self._rest)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def _next(self) -> bytes:
        before = time.monotonic()
        future = asyncio.run_coroutine_threadsafe(_next_piece(self._pieces), self._loop)
        try:
            piece = future.result(self._seconds)
        except TimeoutError:
            future.cancel()
            raise SlowRequestError(f"nothing came for {self._seconds:g} s") from None
        self._waited += time.monotonic() - before
        self._n_bytes += len(piece)
        if piece and self._waited > _GRACE_SECONDS + self._n_bytes / _MIN_BYTES_PER_SECOND:
            raise SlowRequestError(f"less than {_MIN_BYTES_PER_SECOND} bytes a second")
        return piece


async def _next_piece(pieces: AsyncIterator[bytes]) -> bytes:
    try:
        while not (piece := await anext(pieces)):
            pass
    except StopAsyncIteration:
        return b""
    except Exception:  # the server has no class of its own for a connection that breaks
        raise _GoneError from None
    return bytes(piece)


async def _read(protocol: Any, most: int) -> bytes:
    """A whole body. Raises :class:`TooLargeError` where it turns out to be longer than ``most``."""
    pieces, n_bytes = [], 0
    try:
        async for piece in protocol:
            n_bytes += len(piece)
            if n_bytes > most:
                raise TooLargeError(f"a body of more than {most} bytes")
            pieces.append(piece)
    except (TooLargeError, asyncio.CancelledError):
        raise
    except Exception:
        raise _GoneError from None
    return b"".join(pieces)


async def _begin(protocol: Any, started: _Started) -> Any:
    return protocol.response_stream(started.status, started.headers)


async def _send(transport: Any, piece: bytes) -> None:
    try:
        await transport.send_bytes(piece)
    except Exception:
        raise _GoneError from None


def _close(content: Iterable[bytes]) -> None:
    close = getattr(content, "close", None)
    if close is not None:
        close()


def _environ(scope: Any) -> dict[str, Any]:
    """A WSGI environment of an RSGI scope."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # WSGI's strings are bytes in Latin-1.
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "REQUEST_URI": quote(scope.path),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "CONTENT_TYPE": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if environ.get(key) else value
    return environ
