"""Counters for Prometheus: how many requests, texts and characters, never their content.

:mod:`.counters` makes those of all workers add up.
"""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

import portrait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from portrait import Answer

MEDIA_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
#: Clients choose the method: counting any other under its own name would let them create counters.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class _Present(Collector):
    """What is true of this worker now: unlike counters, it is not added up over workers."""

    def __init__(self, portraits: Callable[[], Mapping[str, int]]) -> None:
        self._portraits = portraits

    def collect(self) -> Iterator[Metric]:
        version = {"version": portrait.__version__, "python": platform.python_version()}
        yield InfoMetricFamily("portrait_build", "What answers", version)
        family = GaugeMetricFamily("portrait_portraits", "Portraits of the settings", labels=["state"])
        for state, n in self._portraits().items():
            family.add_metric([state], n)
        yield family


class Metrics:
    """The counters of one application.

    Args:
        portraits: Returns how many portraits are in each state now.
    """

    def __init__(self, portraits: Callable[[], Mapping[str, int]] = dict) -> None:
        self._present = _Present(portraits)
        self.registry = CollectorRegistry()
        labels = ["path", "method", "status"]
        self._requests = Counter("portrait_requests", "Requests answered", labels, registry=self.registry)
        self._seconds = Histogram(
            "portrait_request_seconds", "Time to answer", ["path"], buckets=_SECONDS, registry=self.registry
        )
        self._texts = Counter("portrait_texts", "Texts asked", ["verdict"], registry=self.registry)
        self._chars = Counter("portrait_characters", "Characters asked", registry=self.registry)
        self._refusals = Counter(
            "portrait_rate_refusals", "Requests and lines refused by a rate", registry=self.registry
        )

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

    def count_rate_refusal(self) -> None:
        """Count a request, or a line of NDJSON, that was refused because a rate is used up."""
        self._refusals.inc()

    def exposition(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        counters = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            counters = CollectorRegistry()
            MultiProcessCollector(counters)  # type: ignore[no-untyped-call]
        present = CollectorRegistry()
        present.register(self._present)
        return generate_latest(counters) + generate_latest(present)
