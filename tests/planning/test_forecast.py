"""Sizes and times that a forecast extrapolates."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

import portrait
from portrait.building.request import Request
from portrait.engines.execution import Execution
from portrait.filters import kinds as filters
from portrait.keys.maker import Counts, Keys, keys_within
from portrait.planning.forecast import Forecast
from portrait.planning.sample import Sample, take
from portrait.planning.strata import PlaceRead, SampledShard, Stratum
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
    request = Request.of(WindowSpec(), FilterSpec("bloom"), column="text", short_documents=True)
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


def shard(n_bytes: int, read_bytes: int, **numbers: int) -> SampledShard:
    """Return a shard of a file, and the counts of what was read of it at one place."""
    reads = [PlaceRead(read_bytes, {"main": Counts(**numbers)})] if read_bytes else []
    return SampledShard(n_bytes, 1, [], 2, reads=reads)


def half_read(tmp_path: Path, way: Any, kind: Any = "bloom", **execution: Any) -> Forecast:
    """Return the forecast of two JSON files, of 1,000 and 2,000 bytes, half of which was read in 4 s."""
    for name, n_rows in (("a", 10), ("b", 20)):
        (tmp_path / f"{name}.jsonl").write_text(('{"text": "' + "x" * 87 + '"}\n') * n_rows)
    shards = [
        shard(n_bytes, n_bytes // 2, documents=n, windows=40 * n, text_bytes=80 * n)
        for n_bytes, n in ((1000, 5), (2000, 10))
    ]
    stratum = Stratum("main", "jsonl", ".jsonl", 1.0, shards, seconds=4.0)
    request = Request.of(WindowSpec(), FilterSpec(kind), column="text")
    sources = request.resolve([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    return Forecast(request, sources, Execution(**execution), way, Sample([stratum], filter_seconds=3.0))


def test_numbers_of_a_build_in_memory(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "memory")
    assert forecast.n_keys == 2 * 15 * (40 + 1)
    assert forecast.memory_bytes(1000) == 160_000_000 + 1230 * 12 + 1000
    assert half_read(tmp_path, "memory", "fuse").memory_bytes(1000) == 160_000_000 + 1230 * 24 + 1000
    # 4 s for a half are 8 s; a layer takes 0.08 s, a file 50 µs, 3 MB to write 10 ms.
    assert forecast.seconds(3_000_000) == pytest.approx(8 + 0.08 + 2 * 50e-6 + 0.01)


def test_numbers_of_a_build_in_two_passes(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "two_pass", "pybloom")
    assert forecast.n_keys == 1200
    assert forecast.memory_bytes(1000) == 160_000_000 + 1200 * 24 + 1000
    # All text is read twice, and 600 windows of the sample took 3 s to fill in.
    assert forecast.seconds(0) == pytest.approx(2 * 8 + 3 * 1200 / 600 + 0.08 + 2 * 50e-6)


def test_numbers_of_a_build_on_disk(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "disk", workers=2, memory_bytes=1 << 30)
    assert (forecast.n_tasks, forecast.n_workers) == (2, 2)
    # Each of two runs has heads of 16 partitions, of two numbers of 8 bytes.
    assert forecast.work_dir_bytes(1000) == 1230 * 8 + 2 * 16 * 16 + 1000
    # A task reads 615 keys, in two buffers of 8 bytes a key; a worker sorts as many, at 24 bytes a key.
    assert forecast.memory_bytes(1000) == 160_000_000 + 2 * (160_000_000 + 24 * 615)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {"a.jsonl": 1000, "b.jsonl": 2000}
    assert [seconds for _, seconds in forecast.task_seconds] == pytest.approx([8 / 3, 16 / 3])
    # The longer task takes longer than half of all, and both workers start in 0.8 s.
    spilling = 2 * 1230 * 8 / 500e6
    assert forecast.seconds(0) == pytest.approx(16 / 3 + spilling / 2 + 0.08 + 2 * 50e-6 + 0.8)
    alone = half_read(tmp_path, "disk", workers=1)
    assert alone.memory_bytes(1000) == 160_000_000 + 24 * 1230
    assert alone.seconds(0) == pytest.approx(8 + spilling + 0.08 + 2 * 50e-6)


def test_filling_a_filter_is_timed_with_the_keys_of_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = half_read(tmp_path, "memory")
    before = forecast.seconds(0)
    keys = Keys()
    keys.extend(random.Random(1).randbytes(8 * 615))
    ticks = iter([10.0, 12.5])
    monkeypatch.setattr("portrait.planning.forecast.time.perf_counter", lambda: next(ticks))
    forecast.sample.keys["main"] = [keys]
    assert forecast.seconds(0) == pytest.approx(before + 2.5 * 1230 / 615)

    shared = half_read(tmp_path, "disk", workers=2, memory_bytes=1 << 30)
    before = shared.seconds(0)
    ticks = iter([10.0, 12.5])
    shared.sample.keys["main"] = [keys]
    assert shared.seconds(0) == pytest.approx(before + 2.5 * 1230 / 615 / 2)


def test_a_bundle_is_as_large_as_its_layers_and_their_headers(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "memory")
    (source,) = forecast.sources
    spec = FilterSpec("bloom")
    assert forecast.bundle_bytes("bloom") == filters.expected(spec, 1230)[0] + 192
    low, high = forecast.bundle_bytes_range("bloom")
    assert low == filters.expected(spec, source.distinct_keys_range.low)[0] + 192
    assert high == filters.expected(spec, source.distinct_keys_range.high)[0] + 192
    assert low < filters.expected(spec, 1230)[0] < high
