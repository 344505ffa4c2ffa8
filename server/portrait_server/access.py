"""The access log, and the counters that go with it: a JSON line for each request.

The line has the route, not the path: what somebody puts into an address may be what they ask.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import g, request

from .state import state

if TYPE_CHECKING:
    from flask import Flask, Response

logger = logging.getLogger("portrait_server.access")


def register(app: Flask) -> None:
    """Let ``app`` log and count every request when its answer has gone out."""
    app.before_request(_start)
    app.after_request(_end)


def _start() -> None:
    g.started = time.perf_counter()


def route() -> str:
    """The rule that the request matched, or ``-``."""
    return "-" if request.url_rule is None else request.url_rule.rule


def _end(response: Response) -> Response:
    # Whatever is needed later is taken now: a stream is closed when the request is over.
    started = getattr(g, "started", None) or time.perf_counter()
    held, name, method = state(), route(), request.method
    caller = getattr(g, "caller", None)
    counted = getattr(g, "sent", None)

    def finish() -> None:
        seconds = time.perf_counter() - started
        held.metrics.request(name, method, response.status_code, seconds)
        if held.settings.access_log:
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "method": method,
                "path": name,
                "status": response.status_code,
                "ms": round(seconds * 1e3, 2),
                "bytes": response.content_length if counted is None else counted.n_bytes,
                "key": None if caller is None else caller.key,
            }
            logger.info("%s", json.dumps(line))

    response.call_on_close(finish)
    return response
