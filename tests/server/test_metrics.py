"""Metrics, of one process and shared by several."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING

from portrait_server.metrics import Metrics
from support.live import FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path

COUNT = """
import os
from portrait_server.counters import SharedCounters
from portrait_server.metrics import Metrics
shared = SharedCounters()
counters = Metrics(lambda: {"current": 3, "withdrawn": 0})
for _ in range(2):
    if os.fork() == 0:
        counters.count_request("/v1/query", "GET", 200, 0.25)
        os._exit(0)
    os.wait()
print(counters.exposition().decode())
shared.remove()
"""


def test_only_known_methods_have_a_counter_of_their_own() -> None:
    metrics = Metrics()
    for method in ("GET", "PLUGH", "XYZZY"):
        metrics.count_request("/docs", method, 200, 0.002)
    exposition = metrics.exposition().decode()
    assert 'portrait_requests_total{method="GET",path="/docs",status="200"} 1.0' in exposition
    assert 'portrait_requests_total{method="other",path="/docs",status="200"} 2.0' in exposition
    assert 'portrait_request_seconds_count{path="/docs"} 3.0' in exposition
    assert "PLUGH" not in exposition


def test_texts_are_counted_by_verdict(tmp_path: Path) -> None:
    metrics = Metrics()
    opened = portrait.open(build(tmp_path / "ferry.portrait", FERRY))
    for text in (FERRY, "short"):
        metrics.count_answer(opened.query(text), len(text))
    exposition = metrics.exposition().decode()
    assert 'portrait_texts_total{verdict="found"} 1.0' in exposition
    assert 'portrait_texts_total{verdict="inconclusive"} 1.0' in exposition
    assert f"portrait_characters_total {len(FERRY) + 5}.0" in exposition


def test_processes_count_together(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'portrait_requests_total{method="GET",path="/v1/query",status="200"} 2.0' in result.stdout
    assert 'portrait_portraits{state="current"} 3.0' in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_build_and_the_portraits_are_shown() -> None:
    states = {"current": 2, "withdrawn": 0}
    metrics = Metrics(lambda: states)
    assert (
        f'portrait_build_info{{python="{platform.python_version()}",version="{portrait.__version__}"}} 1.0'
        in (metrics.exposition().decode())
    )
    states["withdrawn"] = 1
    assert 'portrait_portraits{state="withdrawn"} 1.0' in metrics.exposition().decode()


def test_refusals_by_rate_are_counted() -> None:
    metrics = Metrics()
    metrics.count_rate_refusal()
    assert "portrait_rate_refusals_total 1.0" in metrics.exposition().decode()
