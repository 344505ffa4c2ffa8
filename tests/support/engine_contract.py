"""The behaviour that every engine promises, as tests that each engine's test module inherits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import portrait
from portrait.engines.execution import Execution
from portrait.engines.task import ATTEMPTS
from portrait.errors import BadRowError, WorkerError
from support import corpora, engine_work
from support.engine_work import Chore, ignore, traces
from support.places import TESTS
from support.processes import eventually, is_alive

if TYPE_CHECKING:
    from portrait.engines.execution import EngineName
    from portrait.engines.task import Engine
    from portrait.spec import FilterKind


class EngineContract:
    """Tests of an engine; a subclass or its module defines the fixture ``engine``, with two workers."""

    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The working directory of every test."""
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def test_each_task_is_returned_with_its_result(self, engine: Engine, directory: Path) -> None:
        chores = [Chore(str(i)) for i in range(9)]
        progress: list[tuple[int, int, int]] = []

        def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
            progress.append((n_bytes, documents, text_bytes))

        done = dict(engine.run(engine_work.echo, chores, report))
        assert set(done) == set(chores)
        assert all(result["name"] == chore.name for chore, result in done.items())
        # Workers resolve relative paths against the working directory of this process.
        assert {result["directory"] for result in done.values()} == {str(directory)}
        assert os.getpid() not in {result["pid"] for result in done.values()}
        assert progress == [(7, 1, 5)] * 9
        assert list(engine.run(engine_work.echo, [], report)) == []

    def test_a_task_whose_process_is_killed_runs_again_and_a_warning_says_so(
        self, engine: Engine, directory: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        chores = [
            Chore("ill", directory, deaths=ATTEMPTS - 1),
            *(Chore(str(i), directory) for i in range(4)),
        ]
        done = {chore.name: result for chore, result in engine.run(engine_work.die_at_first, chores, ignore)}
        assert set(done) == {chore.name for chore in chores}
        pids = traces(directory, "ill")
        assert len(set(pids)) == ATTEMPTS
        assert done["ill"]["pid"] in pids
        assert all(len(traces(directory, str(i))) == 1 for i in range(4))
        warnings = [record.getMessage() for record in caplog.records if record.name == "portrait"]
        assert len(warnings) == ATTEMPTS - 1
        for number, warning in enumerate(warnings, 2):
            assert warning.startswith("shard ill: the process that worked on it died (")
            assert warning.endswith(f"): only this task runs again, attempt {number} of {ATTEMPTS}")

    def test_a_task_that_kills_every_process_is_named(self, engine: Engine, directory: Path) -> None:
        chores = [Chore("deadly", directory, deaths=99), Chore("harmless", directory)]
        message = r"^shard deadly: the process that worked on it died 3 times \("
        with pytest.raises(WorkerError, match=message) as caught:
            list(engine.run(engine_work.die_at_first, chores, ignore))
        assert caught.value.parameter == "workers"
        assert len(traces(directory, "deadly")) == ATTEMPTS
        # The engine itself still works.
        assert len(list(engine.run(engine_work.echo, chores, ignore))) == 2

    def test_an_error_raised_by_a_task_arrives_unchanged(self, engine: Engine) -> None:
        chores = [Chore("a"), Chore("b")]
        with pytest.raises(BadRowError) as caught:
            list(engine.run(engine_work.fail, chores, ignore))
        assert type(caught.value) is BadRowError
        assert str(caught.value) in {"shard a, row 3: is odd", "shard b, row 3: is odd"}
        with pytest.raises(RuntimeError, match=r"Strange: shard [ab] is odd$"):
            list(engine.run(engine_work.fail_strangely, chores, ignore))

    def test_closing_the_iterator_ends_running_tasks(self, engine: Engine, directory: Path) -> None:
        chores = [Chore("quick", directory), *(Chore(f"slow-{i}", directory) for i in range(5))]
        running = iter(engine.run(engine_work.linger, chores, ignore))
        assert next(running)[0].name == "quick"
        eventually(lambda: len(traces(directory, "slow-*")) > 0)
        running.close()  # type: ignore[attr-defined]
        lingering = traces(directory, "slow-*")
        eventually(lambda: not any(engine_work.still_lingers(directory, pid) for pid in lingering))
        # No interrupted task runs later.
        assert len(list(engine.run(engine_work.echo, chores, ignore))) == len(chores)
        assert sorted(traces(directory, "slow-*")) == sorted(lingering)


def check_killed_parent_leaves_no_workers(engine_name: EngineName, directory: Path) -> None:
    """Check that the workers of an engine end when the process that started it is killed."""
    command = [sys.executable, "-c", engine_work.PARENT, engine_name]
    with subprocess.Popen(command, cwd=directory, env={**os.environ, "PYTHONPATH": str(TESTS)}) as parent:
        eventually(lambda: len(traces(directory)) == 2)
        workers = traces(directory)
        assert all(is_alive(pid) for pid in workers)
        parent.kill()
    eventually(lambda: not any(is_alive(pid) for pid in workers))


def check_same_portrait(engine_name: EngineName, kind: FilterKind, directory: Path) -> None:
    """Check that two workers build the same portrait as one process, in the working directory."""
    sources, spec = corpora.write_two_sources(directory), portrait.FilterSpec(kind)
    in_memory = portrait.build(sources, "in-memory", filter=spec)
    execution = Execution(engine_name, workers=2, work_dir="work")
    built = portrait.build(sources, "out", filter=spec, execution=execution)
    assert built.manifest.id == in_memory.manifest.id
    assert built.manifest.corpus == in_memory.manifest.corpus
    assert not Path("work").exists()
