"""Engines: whoever does the work, the same comes of it, also where processes die."""

from __future__ import annotations

import importlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import caught_sigint
from support import corpora, engine_work
from support.engine_work import Chore
from support.places import TESTS

import portrait
from portrait.engines.execution import Execution
from portrait.engines.local import LocalEngine
from portrait.engines.ray import RayEngine
from portrait.engines.task import ATTEMPTS
from portrait.errors import BadRowError, SpecError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Cli

    from portrait.engines.execution import EngineName
    from portrait.engines.task import Engine

#: No test waits longer for what happens at once where it happens at all.
PATIENCE_SECONDS = 30


def ignore(_n_bytes: int, _documents: int = 0, _text_bytes: int = 0, /) -> None:
    """Progress nobody asks for."""


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """What processes need that Ray starts: our modules, and a secret of this run's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield


@pytest.fixture(scope="module")
def cluster(environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayEngine]:  # noqa: ARG001
    """Ray with two workers, which were started in another directory than the tests work in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        engine = RayEngine(2)
    yield engine
    engine.close()


@pytest.fixture
def local() -> Iterator[LocalEngine]:
    engine = LocalEngine(2)
    yield engine
    engine.close()


@pytest.fixture(params=["local", "ray"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Either engine."""
    found: Engine = request.getfixturevalue({"local": "local", "ray": "cluster"}[request.param])
    return found


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of every test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def traces(directory: Path, name: str = "*") -> list[int]:
    """The processes that have tried a chore."""
    return [int(path.name.split(".")[1]) for path in directory.glob(f"{name}.*.*")]


def test_each_task_comes_back_with_what_came_of_it(engine: Engine, directory: Path) -> None:
    chores = [Chore(str(i)) for i in range(9)]
    heard: list[tuple[int, int, int]] = []

    def report(n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        heard.append((n_bytes, documents, text_bytes))

    done = dict(engine.run(engine_work.echo, chores, report))
    assert set(done) == set(chores)
    assert all(result["name"] == chore.name for chore, result in done.items())
    # Relative paths mean what they mean here.
    assert {result["directory"] for result in done.values()} == {str(directory)}
    assert os.getpid() not in {result["pid"] for result in done.values()}
    assert heard == [(7, 1, 5)] * 9
    assert list(engine.run(engine_work.echo, [], report)) == []


def test_a_task_whose_process_is_killed_is_done_by_another(engine: Engine, directory: Path) -> None:
    chores = [Chore("ill", directory, deaths=ATTEMPTS - 1), *(Chore(str(i), directory) for i in range(4))]
    done = {chore.name: result for chore, result in engine.run(engine_work.die_at_first, chores, ignore)}
    assert set(done) == {chore.name for chore in chores}
    tried = traces(directory, "ill")
    assert len(set(tried)) == ATTEMPTS
    assert done["ill"]["pid"] in tried
    assert all(len(traces(directory, str(i))) == 1 for i in range(4))


def test_a_task_that_kills_every_process_is_named(engine: Engine, directory: Path) -> None:
    chores = [Chore("deadly", directory, deaths=99), Chore("harmless", directory)]
    with pytest.raises(WorkerError, match=r"^shard deadly: the process that worked on it died 3 times \("):
        list(engine.run(engine_work.die_at_first, chores, ignore))
    assert len(traces(directory, "deadly")) == ATTEMPTS
    # The engine itself is none the worse.
    assert len(list(engine.run(engine_work.echo, chores, ignore))) == 2


def test_errors_of_the_work_come_as_they_were_raised(engine: Engine) -> None:
    chores = [Chore("a"), Chore("b")]
    with pytest.raises(BadRowError) as caught:
        list(engine.run(engine_work.fail, chores, ignore))
    assert type(caught.value) is BadRowError
    assert str(caught.value) in {"shard a, row 3: is odd", "shard b, row 3: is odd"}
    with pytest.raises(RuntimeError, match=r"Strange: shard [ab] is odd$"):
        list(engine.run(engine_work.fail_strangely, chores, ignore))


def test_closing_the_iterator_ends_what_runs(engine: Engine, directory: Path) -> None:
    chores = [Chore("quick", directory), *(Chore(f"slow-{i}", directory) for i in range(5))]
    running = iter(engine.run(engine_work.linger, chores, ignore))
    assert next(running)[0].name == "quick"
    eventually(lambda: len(traces(directory, "slow-*")) > 0)
    running.close()  # type: ignore[attr-defined]
    lingering = traces(directory, "slow-*")
    eventually(lambda: not any(is_alive(pid) for pid in lingering))
    # Nothing of it is taken up later.
    assert len(list(engine.run(engine_work.echo, chores, ignore))) == len(chores)
    assert sorted(traces(directory, "slow-*")) == sorted(lingering)


def test_the_local_engine_leaves_no_process_behind(local: LocalEngine) -> None:
    pids = {result["pid"] for _, result in local.run(engine_work.echo, [Chore("a"), Chore("b")], ignore)}
    assert all(is_alive(pid) for pid in pids)
    local.close()
    assert not any(is_alive(pid) for pid in pids)


def test_one_worker_of_the_local_engine_is_this_process() -> None:
    engine = LocalEngine(1)
    ((_, result),) = engine.run(engine_work.echo, [Chore("a")], ignore)
    assert result["pid"] == os.getpid()


PARENT = """
import sys
from pathlib import Path
from support import engine_work
from portrait.engines.execution import Execution
engine = Execution(sys.argv[1], workers=2).start()
list(engine.run(engine_work.linger, [engine_work.Chore(str(i), Path.cwd()) for i in range(2)], print))
"""


@pytest.mark.parametrize("name", ["local", "ray"])
def test_a_killed_parent_leaves_no_workers_behind(name: str, directory: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, name], cwd=directory) as parent:
        eventually(lambda: len(traces(directory)) == 2)
        workers = traces(directory)
        assert all(is_alive(pid) for pid in workers)
        parent.kill()
    eventually(lambda: not any(is_alive(pid) for pid in workers))


def corpus(directory: Path) -> dict[str, Any]:
    """Two sources, one of several shards, named by relative paths."""
    for name in ("hills", "coast"):
        (directory / name).mkdir()
        for i in range(3):
            tales = (f"{name} {i}: " + " ".join(str(k * row) for k in range(40)) for row in range(200))
            rows = "".join(json.dumps({"text": tale}) + "\n" for tale in tales)
            (directory / name / f"{i}.jsonl").write_text(rows)
    return {"hills": "hills", "coast": ["coast/0.jsonl", "coast/[12].jsonl"]}


@pytest.mark.parametrize("kind", ["bloom", "fuse"])
def test_every_engine_builds_the_same_portrait(kind: Any, cluster: RayEngine, directory: Path) -> None:
    sources, spec = corpus(directory), portrait.FilterSpec(kind)
    held = portrait.build(sources, "held", filter=spec)
    assert cluster.n_workers == 2
    engines: list[EngineName] = ["local", "ray"]
    for name in engines:
        execution = Execution(name, workers=2, work_dir=f"work-{name}")
        built = portrait.build(sources, name, filter=spec, execution=execution)
        assert built.manifest.id == held.manifest.id
        assert built.manifest.corpus == held.manifest.corpus
        assert not Path(f"work-{name}").exists()


def test_a_session_of_the_user_s_own_is_used_and_left_alone(cluster: RayEngine) -> None:
    mine = RayEngine(2)
    assert len(list(mine.run(engine_work.echo, [Chore("a")], ignore))) == 1
    mine.close()
    assert len(list(cluster.run(engine_work.echo, [Chore("a")], ignore))) == 1


def test_signals_mean_what_they_did(cluster: RayEngine) -> None:
    assert cluster.n_workers == 2
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_workers_import_nothing_from_the_directory_of_the_build(
    cli: Cli, directory: Path, cluster: RayEngine
) -> None:
    """The command line: Ray on this machine, and nothing but results in the two streams."""
    assert cluster.n_workers == 2  # the environment
    corpus(directory)
    for trap in ("portrait", "xxhash"):
        (directory / f"{trap}.py").write_text("raise RuntimeError('imported from the wrong place')")
    held = portrait.build("hills", "held")
    done = cli("build", "hills", "-o", "out", "--engine", "ray", "--workers", "2", "--json")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == held.manifest.id
    assert {path.name for path in directory.iterdir()} >= {"out", "held"}
    assert not (directory / ".out.build").exists()


def test_a_build_on_a_cluster_is_interrupted_and_gone_on_with(
    cli: Cli, cluster: RayEngine, directory: Path
) -> None:
    for i in range(12):
        (directory / f"{i:02}.jsonl").write_text(json.dumps({"text": corpora.noise(i, 6_000_000)}) + "\n")
    address = str(importlib.import_module("ray").get_runtime_context().gcs_address)
    command = ["build", "*.jsonl", "-o", "out", "--quiet"]
    elsewhere = [*command, "--engine", "ray", "--ray-address", address]
    records = directory / ".out.build" / "data"
    with caught_sigint(), cli.start(*elsewhere) as process:
        eventually(lambda: process.poll() is not None or len(list(records.glob("read-*.json"))) >= 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    said = b"portrait: error: interrupted: run the same command again to resume"
    assert (process.returncode, out, err.strip()) == (130, b"", said)
    read = {path: path.stat().st_mtime_ns for path in records.glob("read-*.json")}
    assert 2 <= len(read) < 12
    done = cli(*elsewhere, "--task", "1/1")
    assert (done.code, done.err) == (0, "")
    assert all(path.stat().st_mtime_ns == before for path, before in read.items())
    # Another engine may finish what this one has begun.
    done = cli(*command, "--work-dir", ".out.build", "--finish")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == portrait.build("*.jsonl", "held").manifest.id
    assert len(list(cluster.run(engine_work.echo, [Chore("a")], ignore))) == 1


def test_a_cluster_that_cannot_be_reached_is_named(cli: Cli, directory: Path) -> None:
    (directory / "a.txt").write_text("some text")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = cli.refused("build", "a.txt", "-o", "out", "--engine", "ray", "--ray-address", address)
    assert said == f"no Ray cluster can be reached at {address!r}: Connection refused: see --ray-address"
    assert [path.name for path in directory.iterdir()] == ["a.txt"]
    said = cli.refused("build", "a.txt", "-o", "out", "--engine", "ray", "--ray-address", "nonsense")
    assert said.startswith("no Ray cluster can be reached at 'nonsense': ")


def test_an_address_needs_ray_and_memory_a_number_of_workers() -> None:
    with pytest.raises(SpecError, match="an address of Ray is for the engine ray"):
        Execution(ray_address="auto")
    with pytest.raises(SpecError, match="give --workers, too"):
        Execution("ray", memory_bytes=1 << 30, ray_address="auto")
    assert Execution("ray", workers=4, memory_bytes=1 << 30, ray_address="auto").n_workers == 4


def test_without_ray_the_extra_is_named(cli: Cli, directory: Path) -> None:
    (directory / "a.txt").write_text("some text")
    code = "import sys; sys.modules['ray'] = None; from portrait.cli.main import run; sys.exit(run())"
    done = cli("build", "a.txt", "-o", "out", "--engine", "ray", program=("-c", code))
    message = "this needs ray, which is not installed: pip install 'portrait[ray]'"
    assert done == (2, "", f"portrait: error: {message}\n")
    assert [path.name for path in directory.iterdir()] == ["a.txt"]
