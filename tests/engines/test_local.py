"""The engine of this machine: the contract of engines, and what becomes of its processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import corpora, engine_work
from support.engine_contract import EngineContract
from support.engine_work import Chore, ignore, traces
from support.places import TESTS
from support.processes import eventually, is_alive

import portrait
from portrait.engines.execution import Execution
from portrait.engines.local import LocalEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.spec import FilterKind


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    """An engine of two processes."""
    engine = LocalEngine(2)
    yield engine
    engine.close()


class TestContract(EngineContract):
    """What every engine promises."""


def test_no_process_is_left_behind(engine: LocalEngine) -> None:
    pids = {result["pid"] for _, result in engine.run(engine_work.echo, [Chore("a"), Chore("b")], ignore)}
    assert all(is_alive(pid) for pid in pids)
    engine.close()
    assert not any(is_alive(pid) for pid in pids)


def test_one_worker_is_this_process() -> None:
    engine = LocalEngine(1)
    ((_, result),) = engine.run(engine_work.echo, [Chore("a")], ignore)
    assert result["pid"] == os.getpid()


def test_a_killed_parent_leaves_no_workers_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", engine_work.PARENT, "local"]
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(TESTS)}) as parent:
        eventually(lambda: len(traces(tmp_path)) == 2)
        workers = traces(tmp_path)
        assert all(is_alive(pid) for pid in workers)
        parent.kill()
    eventually(lambda: not any(is_alive(pid) for pid in workers))


@pytest.mark.parametrize("kind", ["bloom", "fuse"])
def test_the_portrait_is_that_of_one_process(
    kind: FilterKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sources, spec = corpora.write_two_sources(tmp_path), portrait.FilterSpec(kind)
    in_memory = portrait.build(sources, "in-memory", filter=spec)
    execution = Execution("local", workers=2, work_dir="work")
    built = portrait.build(sources, "out", filter=spec, execution=execution)
    assert built.manifest.id == in_memory.manifest.id
    assert built.manifest.corpus == in_memory.manifest.corpus
    assert not Path("work").exists()
