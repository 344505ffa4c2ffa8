"""The access log, a JSON line for each request, and the counters of requests.

A line has the route instead of the path: the path may contain what somebody asks about.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from flask import g, request

from ..state import current_state
from . import admission

if TYPE_CHECKING:
    from flask import Flask, Response

logger = logging.getLogger("portrait_server.access")


class Stream(Protocol):
    """A streamed body that counts its bytes."""

    n_bytes: int


def register(app: Flask) -> None:
    """Make ``app`` log and count every request once its response has been sent."""
    app.before_request(_start)
    app.after_request(_finish_on_close)


def count_bytes(stream: Stream) -> None:
    """Make the log take the size of the current response from a stream."""
    g.stream = stream


def _start() -> None:
    g.started = time.perf_counter()


def _finish_on_close(response: Response) -> Response:
    # The request is gone when a streamed response is closed, so everything is read now.
    started = getattr(g, "started", None) or time.perf_counter()
    state, method = current_state(), request.method
    route = "-" if request.url_rule is None else request.url_rule.rule
    key = admission.current_caller().key if admission.identified() else None
    stream: Stream | None = getattr(g, "stream", None)

    def finish() -> None:
        seconds = time.perf_counter() - started
        state.metrics.count_request(route, method, response.status_code, seconds)
        if state.settings.access_log:
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": method,
                "path": route,
                "status": response.status_code,
                "ms": round(seconds * 1e3, 2),
                "bytes": response.content_length if stream is None else stream.n_bytes,
                "key": key,
            }
            logger.info("%s", json.dumps(line))

    response.call_on_close(finish)
    return response
