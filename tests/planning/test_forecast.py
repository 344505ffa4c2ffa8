"""Sizes and times that a forecast extrapolates."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

import portrait
from portrait.building.request import Request
from portrait.engines.execution import Execution
from portrait.filters import kinds as filters
from portrait.keys.maker import keys_within
from portrait.planning.forecast import Forecast
from portrait.planning.sample import take
from portrait.spec import FilterSpec, WindowSpec

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["bloom", "fuse"])
@pytest.mark.parametrize("n_keys", [1, 100, 7000, 200_000, 400_000, 3_000_000])
def test_a_filter_is_as_large_as_expected(kind: Any, n_keys: int) -> None:
    spec = portrait.FilterSpec(kind, 0.01)
    layout = filters.layout(spec, n_keys)
    keys = random.Random(n_keys).randbytes(8 * n_keys)
    parts = [layout.build([keys_within(keys, *within[2:])], within) for within in layout.ranges(4)]
    n_bytes = sum(memoryview(buffer).nbytes for part in parts for buffer in part.buffers)
    assert filters.expected(spec, n_keys)[0] == pytest.approx(n_bytes, rel=0.02, abs=40)


@pytest.mark.parametrize("way", ["memory", "disk"])
def test_a_forecast_depends_on_the_way(way: Any, tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.jsonl").write_text('{"text": "some text"}\n' * 100)
    request = Request.of(WindowSpec(), FilterSpec("bloom"), column="text")
    sources = request.resolve(tmp_path)
    sample = take(sources, request.reading, 1 << 20, 1.0, of_windows=False)
    forecast = Forecast(request, sources, Execution(workers=2), way, sample)
    size = forecast.bundle_bytes("bloom")
    assert size is not None
    assert forecast.n_keys == 300  # one key for each document, none for windows
    assert forecast.seconds(size) > 0
    assert forecast.memory_bytes(size) > size
    if way == "memory":
        assert (forecast.n_tasks, forecast.n_workers, forecast.task_seconds) == (1, 1, [])
        assert forecast.work_dir_bytes(size) == 0
    else:
        assert (forecast.n_tasks, forecast.n_workers) == (3, 2)
        assert [label for label, _ in forecast.task_seconds] == [
            str(tmp_path / f"{i}.jsonl") for i in range(3)
        ]
        assert forecast.work_dir_bytes(size) > 300 * 8 + size


def test_a_filter_that_does_not_suit_the_windows_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some text")
    request = Request.of(WindowSpec(unit="byte"), FilterSpec("bloom"), column="text")
    sources = request.resolve(tmp_path)
    sample = take(sources, request.reading, 1 << 20, 1.0, of_windows=False)
    forecast = Forecast(request, sources, Execution(), "memory", sample)
    assert forecast.bundle_bytes("pybloom") is None
