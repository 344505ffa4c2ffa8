"""Responses of a WSGI application, in the form that granian sends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from .environ import set_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flask import Flask
    from werkzeug.wrappers import Response

    from ..errors import ServiceError
    from .environ import Environ

Headers = list[tuple[str, str]]


class Reply(NamedTuple):
    """A response whose body is complete."""

    status: int
    headers: Headers
    body: bytes


class StreamedReply(NamedTuple):
    """A response whose body comes in pieces."""

    status: int
    headers: Headers
    pieces: Iterable[bytes]


@contextmanager
def streamed(app: Flask | Response, environ: Environ) -> Iterator[StreamedReply]:
    """Call a WSGI application, and close its response at the end of the block."""
    start = _Start()
    pieces = app(environ, start)
    try:
        yield StreamedReply(start.status, start.headers, pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def whole(app: Flask | Response, environ: Environ) -> Reply:
    """Call a WSGI application, and return its complete response."""
    with streamed(app, environ) as reply:
        return Reply(reply.status, reply.headers, b"".join(reply.pieces))


def refusal(app: Flask, environ: Environ, error: ServiceError) -> Reply:
    """Return the response to a request that the gate does not pass on.

    The application's error handlers make it, and its response hooks complete, log and count it, as they do
    with an error that a view raises.
    """
    set_body(environ, b"")
    with app.request_context(environ):
        response = app.finalize_request(app.handle_user_exception(error), from_error_handler=True)
    return whole(response, environ)


class _Start:
    """WSGI's ``start_response``."""

    status: int
    headers: Headers

    def __call__(self, status: str, headers: Headers, exc_info: object = None) -> Any:  # noqa: ARG002
        self.status = int(status[:3])
        self.headers = [(name.lower(), value) for name, value in headers]
        return None
