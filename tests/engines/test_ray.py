"""The Ray engine: the engine contract, new and existing clusters, and builds on them."""

from __future__ import annotations

import importlib
import json
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from conftest import caught_sigint
from support import corpora, engine_work
from support.engine_contract import (
    EngineContract,
    check_killed_parent_leaves_no_workers,
    check_same_portrait,
)
from support.engine_work import Chore, ignore, traces
from support.processes import PATIENCE_SECONDS, eventually, is_alive

import portrait
from portrait.engines.ray import RayEngine

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

    from portrait.spec import FilterKind


pytestmark = pytest.mark.usefixtures("ray_environment")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory of every test."""
    monkeypatch.chdir(tmp_path)


class TestContract(EngineContract):
    """The behaviour that every engine promises."""

    @pytest.fixture
    def engine(self, cluster: RayEngine) -> RayEngine:
        """A Ray engine with two workers."""
        return cluster


def test_a_task_that_ignores_interrupts_is_killed(cluster: RayEngine, tmp_path: Path) -> None:
    chores = [Chore("quick", tmp_path), Chore("deaf", tmp_path)]
    running = iter(cluster.run(engine_work.linger_uninterruptibly, chores, ignore))
    assert next(running)[0].name == "quick"
    eventually(lambda: len(traces(tmp_path, "deaf")) == 1)
    (deaf,) = traces(tmp_path, "deaf")
    running.close()  # type: ignore[attr-defined]
    eventually(lambda: not is_alive(deaf))
    assert len(traces(tmp_path, "deaf")) == 1


def test_a_killed_parent_leaves_no_workers_behind(tmp_path: Path) -> None:
    check_killed_parent_leaves_no_workers("ray", tmp_path)


@pytest.mark.parametrize("kind", ["bloom", "ribbon"])
def test_the_portrait_equals_that_of_one_process(
    kind: FilterKind, tmp_path: Path, cluster: RayEngine
) -> None:
    assert cluster.n_workers == 2
    check_same_portrait("ray", kind, tmp_path)


def test_an_existing_session_is_used_and_left_running(cluster: RayEngine) -> None:
    engine = RayEngine(2)
    assert len(list(engine.run(engine_work.echo, [Chore("a")], ignore))) == 1
    engine.close()
    assert len(list(cluster.run(engine_work.echo, [Chore("a")], ignore))) == 1


def test_signal_handlers_are_left_unchanged(cluster: RayEngine) -> None:
    assert cluster.n_workers == 2
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_workers_import_nothing_from_the_current_directory(
    cli: Cli, tmp_path: Path, cluster: RayEngine
) -> None:
    assert cluster.n_workers == 2  # the cluster is running, with the tests' environment
    corpora.write_two_sources(tmp_path)
    for name in ("portrait", "xxhash"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('imported from the wrong place')")
    in_memory = portrait.build("hills", "in-memory")
    # Ray itself prints nothing on stderr.
    done = cli("build", "hills", "-o", "out", "--engine", "ray", "--workers", "2", "--json")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == in_memory.manifest.id
    assert {path.name for path in tmp_path.iterdir()} >= {"out", "in-memory"}
    assert not (tmp_path / ".out.build").exists()


def test_an_interrupted_build_on_a_cluster_resumes(cli: Cli, cluster: RayEngine, tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / f"{i:02}.jsonl").write_text(json.dumps({"text": corpora.noise(i, 6_000_000)}) + "\n")
    address = str(importlib.import_module("ray").get_runtime_context().gcs_address)
    command = ["build", "*.jsonl", "-o", "out", "--quiet"]
    on_cluster = [*command, "--engine", "ray", "--ray-address", address]
    records = tmp_path / ".out.build" / "data"
    with caught_sigint(), cli.start(*on_cluster) as process:
        eventually(lambda: process.poll() is not None or len(list(records.glob("read-*.json"))) >= 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    message = b"portrait: error: interrupted: run the same command again to resume"
    assert (process.returncode, out, err.strip()) == (130, b"", message)
    finished = {path: path.stat().st_mtime_ns for path in records.glob("read-*.json")}
    assert 2 <= len(finished) < 12
    done = cli(*on_cluster, "--task", "1/1")
    assert (done.code, done.err) == (0, "")
    assert all(path.stat().st_mtime_ns == before for path, before in finished.items())
    # Another engine can finish the build.
    done = cli(*command, "--work-dir", ".out.build", "--finish")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == portrait.build("*.jsonl", "in-memory").manifest.id
    assert len(list(cluster.run(engine_work.echo, [Chore("a")], ignore))) == 1


def test_a_cluster_that_cannot_be_reached_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some text")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # but does not listen
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        message = cli.refused("build", "a.txt", "-o", "out", "--engine", "ray", "--ray-address", address)
    assert message == (
        f"no Ray cluster can be reached at {address!r}: Connection refused: give the address of a "
        "running cluster (--ray-address)"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    message = cli.refused("build", "a.txt", "-o", "out", "--engine", "ray", "--ray-address", "nonsense")
    assert message.startswith("no Ray cluster can be reached at 'nonsense': ")


def test_without_ray_the_extra_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some text")
    code = "import sys; sys.modules['ray'] = None; from portrait.cli.main import run; sys.exit(run())"
    done = cli("build", "a.txt", "-o", "out", "--engine", "ray", program=("-c", code))
    message = "this needs ray, which is not installed: pip install 'data-portrait[ray]'"
    assert done == (2, "", f"portrait: error: {message}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
