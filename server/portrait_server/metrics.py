"""Counters for Prometheus: how many requests, texts and characters, never their content.

:func:`share` makes the counters of all workers add up.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from portrait import Answer

MEDIA_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
#: Clients choose the method: counting any other under its own name would let them create counters.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def share(directory: str) -> None:
    """Make the workers of this process count together, in files in ``directory``."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
    # prometheus_client chose how to count when it was imported.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ["path", "method", "status"]
        self._requests = Counter("portrait_requests", "Requests answered", labels, registry=self.registry)
        self._seconds = Histogram(
            "portrait_request_seconds", "Time to answer", ["path"], buckets=_SECONDS, registry=self.registry
        )
        self._texts = Counter("portrait_texts", "Texts asked", ["verdict"], registry=self.registry)
        self._chars = Counter("portrait_characters", "Characters asked", registry=self.registry)

    def count_request(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            path: The route, not the path as sent.
            method: The method as sent.
            status: The HTTP status of the response.
            seconds: The time it took to answer.
        """
        method = method if method in _METHODS else "other"
        self._requests.labels(path, method, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def count_answer(self, answer: Answer, n_chars: int) -> None:
        """Count a text that was answered."""
        self._texts.labels(answer.verdict).inc()
        self._chars.inc(n_chars)

    def exposition(self) -> bytes:
        """Return all counters in the text format of Prometheus."""
        registry = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
