"""Executions: invalid options, memory per worker, and work directories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portrait.engines.execution import BYTES_PER_SORTED_KEY, ENGINES, Execution
from portrait.engines.local import LocalEngine
from portrait.engines.pool import available
from portrait.errors import SpecError

MIB = 1 << 20


def test_a_cluster_address_needs_ray_and_a_memory_limit_there_needs_workers() -> None:
    with pytest.raises(SpecError, match="the address of a Ray cluster goes with the engine ray") as caught:
        Execution(ray_address="auto")
    assert caught.value.parameter == "engine"
    with pytest.raises(SpecError, match="give the number of workers, too") as caught:
        Execution("ray", memory_bytes=1 << 30, ray_address="auto")
    assert caught.value.parameter == "workers"
    assert Execution("ray", workers=4, memory_bytes=1 << 30, ray_address="auto").n_workers == 4


@pytest.mark.parametrize(
    ("options", "message", "parameter"),
    [
        ({"engine": "slurm"}, "unknown engine 'slurm': choose one of local, ray", "engine"),
        ({"workers": 0}, "the number of workers is 1 to 4,096, not 0", "workers"),
        ({"work_dir": "s3://bucket/work"}, "must be in a file system", "work_dir"),
        ({"memory_bytes": 255 * MIB}, "at least 256 MB for each worker, not 267386880 bytes", "memory_bytes"),
        ({"memory_bytes": True}, "at least 256 MB", "memory_bytes"),
        ({"memory_bytes": 1e9}, "at least 256 MB", "memory_bytes"),
    ],
)
def test_a_value_out_of_range_is_refused(options: dict[str, Any], message: str, parameter: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        Execution(**options)
    assert caught.value.parameter == parameter


def test_memory_is_divided_among_the_workers_that_fit() -> None:
    assert Execution().n_workers == available()
    assert Execution(workers=3).total_bytes == 3 * 512 * MIB
    execution = Execution(workers=8, memory_bytes=1024 * MIB)
    assert (execution.n_workers, execution.worker_bytes) == (4, 256 * MIB)
    assert Execution(workers=2, memory_bytes=8192 * MIB).worker_bytes == 4096 * MIB


@pytest.mark.parametrize("memory_mib", [256, 512, 4096, 65_536])
@pytest.mark.parametrize("workers", [1, 4, 64])
def test_the_keys_of_a_worker_fit_into_its_memory(memory_mib: int, workers: int) -> None:
    execution = Execution(workers=workers, memory_bytes=memory_mib * MIB)
    assert execution.n_workers * execution.worker_bytes <= memory_mib * MIB
    # While the buffer is partitioned, memory holds two copies of it.
    assert 0 < 16 * execution.buffer_keys < execution.worker_bytes
    assert 0 < BYTES_PER_SORTED_KEY * execution.sorted_keys < execution.worker_bytes
    assert 0 < BYTES_PER_SORTED_KEY * execution.keys_in_memory < memory_mib * MIB


def test_the_work_directory_is_beside_the_output_unless_given(tmp_path: Path) -> None:
    out = tmp_path / "corpus.portrait"
    assert Execution().work_path(out) == tmp_path / ".corpus.portrait.build"
    assert Execution(work_dir="work").work_path(out) == Path("work")
    assert not Execution().can_resume(out)
    Execution().work_path(out).mkdir()
    assert Execution().can_resume(out)
    # A name too long for the file system counts as missing.
    assert not Execution().can_resume(tmp_path / ("x" * 300))


def test_ray_needs_a_work_directory_and_local_only_if_one_is_given() -> None:
    assert [Execution(engine).needs_work_dir for engine in ENGINES] == [False, True]  # type: ignore[arg-type]
    assert Execution(work_dir="work").needs_work_dir


def test_the_local_engine_starts_with_the_workers_that_fit() -> None:
    engine = Execution(workers=3, memory_bytes=512 * MIB).start()
    assert isinstance(engine, LocalEngine)
    assert engine.n_workers == 2
    engine.close()
    engine.close()
