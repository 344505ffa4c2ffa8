"""The local engine: the engine contract, and the lifetime of its processes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support import engine_work
from support.engine_contract import (
    EngineContract,
    check_killed_parent_leaves_no_workers,
    check_same_portrait,
)
from support.engine_work import Chore, ignore
from support.processes import is_alive

from portrait.engines.local import LocalEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portrait.spec import FilterKind


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    """A local engine with two workers."""
    engine = LocalEngine(2)
    yield engine
    engine.close()


class TestContract(EngineContract):
    """The behaviour that every engine promises."""


def test_closing_the_engine_leaves_no_process_behind(engine: LocalEngine) -> None:
    pids = {result["pid"] for _, result in engine.run(engine_work.echo, [Chore("a"), Chore("b")], ignore)}
    assert all(is_alive(pid) for pid in pids)
    engine.close()
    assert not any(is_alive(pid) for pid in pids)


def test_a_single_worker_runs_in_this_process() -> None:
    engine = LocalEngine(1)
    ((_, result),) = engine.run(engine_work.echo, [Chore("a")], ignore)
    assert result["pid"] == os.getpid()


def test_a_killed_parent_leaves_no_workers_behind(tmp_path: Path) -> None:
    check_killed_parent_leaves_no_workers("local", tmp_path)


@pytest.mark.parametrize("kind", ["bloom", "ribbon"])
def test_the_portrait_equals_that_of_one_process(
    kind: FilterKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_same_portrait("local", kind, tmp_path)
