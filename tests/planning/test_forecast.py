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


@pytest.mark.parametrize("kind", ["bloom", "ribbon"])
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


def test_a_column_may_name_the_sources(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "some text", "set": "x"}\n{"text": "more", "set": "y"}\n')
    request = Request.of(column="text", source_column="set", short_documents=True)
    sources = request.resolve(tmp_path / "a.jsonl")
    sample = take(sources, request.reading, 1 << 20, 1.0, of_windows=False)
    forecast = Forecast(request, sources, Execution(), "memory", sample)
    assert [(one.source, one.keys) for one in forecast.sources] == [("x", 1), ("y", 1)]


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
    assert half_read(tmp_path, "memory", "ribbon").memory_bytes(1000) == 160_000_000 + 1230 * 24 + 1000
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
    # A worker sorts 615 keys, at 24 bytes a key.
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


def keys_of(n: int) -> Keys:
    """Return this number of random keys."""
    keys = Keys()
    keys.extend(random.Random(n).randbytes(8 * n))
    return keys


@pytest.mark.parametrize(
    ("places", "n_timed"),
    [
        ([1 << 19, 1 << 19, 9], 1 << 20),
        ([(1 << 20) - 1, 2, 9], (1 << 20) + 1),
        ([1 << 20, 9], 1 << 20),
        ([5, 6, 7], 18),
    ],
)
def test_filling_is_timed_with_about_a_million_keys(
    places: list[int], n_timed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = half_read(tmp_path, "memory")
    before = forecast.seconds(0)
    forecast.sample.keys["main"] = [keys_of(n) for n in places]
    ticks = iter([1e6, 2e6])
    monkeypatch.setattr("portrait.planning.forecast.time.perf_counter", lambda: next(ticks))
    assert forecast.seconds(0) - before == pytest.approx(1e6 * 1230 / n_timed)


@pytest.mark.parametrize(("windows", "seconds"), [(0, 0.0), (1, 6.0), (2, 6.0)])
def test_a_filter_of_few_windows_is_filled_at_the_speed_of_the_sample(
    windows: int, seconds: float, tmp_path: Path
) -> None:
    def forecast(filter_seconds: float) -> Forecast:
        request = Request.of(WindowSpec(), FilterSpec("pybloom"), column="text")
        (tmp_path / "a.jsonl").write_text("x" * 100)
        stratum = Stratum("main", "jsonl", ".jsonl", 1.0, [shard(100, 50, windows=windows, text_bytes=9)])
        sample = Sample([stratum], filter_seconds=filter_seconds)
        sources = request.resolve([tmp_path / "a.jsonl"])
        return Forecast(request, sources, Execution(), "two_pass", sample)

    assert forecast(3.0).seconds(0) - forecast(0.0).seconds(0) == pytest.approx(seconds)


def test_a_stratum_of_unknown_size_takes_as_long_as_it_took_for_the_sample(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "memory")
    before = forecast.seconds(0)
    reads = [PlaceRead(0, {"main": Counts(documents=1, text_bytes=9)})]
    whole = SampledShard(None, 1, [], 1, n_whole=1, reads=reads)
    forecast.sample.strata.append(Stratum("main", "csv", ".csv", 1.0, [whole], seconds=7.0))
    assert forecast.seconds(0) == pytest.approx(before + 7.0 + 50e-6)


def test_a_stratum_that_was_not_read_takes_as_long_as_so_much_text_of_the_others(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "memory")
    before = forecast.seconds(0)
    # 1,200 bytes of text took 4 s.
    unread = Stratum("main", "csv", ".csv.gz", 3.5, [SampledShard(601, 1, [], 1)])
    forecast.sample.strata.append(unread)
    assert forecast.seconds(0) == pytest.approx(before + 4 * 601 * 3.5 / 1200 + 50e-6)


@pytest.mark.parametrize(("text_bytes", "seconds"), [(0, 28.0), (1, 28.0), (2, 14.0)])
def test_a_byte_of_text_at_least_stands_for_what_was_not_read(
    text_bytes: int, seconds: float, tmp_path: Path
) -> None:
    request = Request.of(WindowSpec(), FilterSpec(), column="text")
    (tmp_path / "a.jsonl").write_text("x" * 100)
    read = Stratum("main", "jsonl", ".jsonl", 1.0, [shard(9, 9, text_bytes=text_bytes)], seconds=4.0)
    unread = Stratum("main", "csv", ".csv", 1.0, [SampledShard(7, 1, [], 1)])
    sources = request.resolve([tmp_path / "a.jsonl"])
    forecast = Forecast(request, sources, Execution(), "memory", Sample([read, unread]))
    assert forecast.seconds(0) == pytest.approx(4.0 + seconds + 0.08 + 2 * 50e-6)


def test_spilling_and_writing_take_as_long_as_a_disk_usually_does(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "disk", workers=1)
    for n_bytes in (0, 3 * 10**17):
        assert forecast.seconds(n_bytes) == pytest.approx(
            8 + 2 * 1230 * 8 / 500e6 + 0.08 + 2 * 50e-6 + n_bytes / 300e6, rel=1e-12
        )
    many = half_read(tmp_path, "disk", workers=1)
    before = many.seconds(0)
    many.n_keys = 10**18
    assert many.seconds(0) - before == pytest.approx(2 * 10**18 * 8 / 500e6, rel=1e-10)


def test_the_longest_of_many_tasks_is_no_reason_to_wait_if_the_others_take_longer(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "disk", workers=2, memory_bytes=1 << 30)
    longest = max(seconds for _, seconds in forecast.task_seconds)
    before = forecast.seconds(0)
    others = Stratum("main", "csv", ".csv", 1.0, [shard(100, 50, documents=1, text_bytes=9)], seconds=10.0)
    forecast.sample.strata.append(others)
    # 8 s and 20 s are 14 s for each of two workers.
    assert forecast.seconds(0) == pytest.approx(before - longest + 14 + 50e-6)


def test_a_bundle_is_as_large_as_its_layers_and_their_headers(tmp_path: Path) -> None:
    forecast = half_read(tmp_path, "memory")
    (source,) = forecast.sources
    spec = FilterSpec("bloom")
    assert forecast.bundle_bytes("bloom") == filters.expected(spec, 1230)[0] + 192
    low, high = forecast.bundle_bytes_range("bloom")
    assert low == filters.expected(spec, source.distinct_keys_range.low)[0] + 192
    assert high == filters.expected(spec, source.distinct_keys_range.high)[0] + 192
    assert low < filters.expected(spec, 1230)[0] < high
