"""The way of a build: in memory, on disk, or in two passes; what it leaves to resume; what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import corpora

from portrait import CorpusError, Execution, FilterSpec, SpecError, WindowSpec
from portrait.building.request import Request
from portrait.building.way import open_build, open_on_disk, way_of
from portrait.progress import Silent

OUT = Path("out")


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small corpus in the directory where the tests run."""
    monkeypatch.chdir(tmp_path)
    corpora.write(Path("corpus"), n_files=2)


def way(request: Request, execution: Execution, sources: object = "corpus") -> str:
    return way_of(request, request.resolve(sources), execution, OUT)


def test_few_keys_stay_in_memory_unless_other_processes_need_them() -> None:
    request = Request.of()
    assert way(request, Execution()) == "memory"
    assert way(request, Execution(workers=1)) == "memory"
    assert way(request, Execution(work_dir="work")) == "disk"
    assert way(request, Execution("ray")) == "disk"
    # The size of standard input is not known.
    assert way(request, Execution(), "-") == "disk"
    Path(".out.build").mkdir()
    assert way(request, Execution()) == "disk"


def test_a_pybloom_filter_is_built_in_memory_or_refused() -> None:
    request = Request.of(filter=FilterSpec("pybloom"))
    assert way(request, Execution()) == "two_pass"
    for execution, parameter in ((Execution(work_dir="work"), "work_dir"), (Execution("ray"), "engine")):
        with pytest.raises(SpecError, match="built in the memory of one process") as caught:
            way(request, execution)
        assert caught.value.parameter == parameter
    with pytest.raises(SpecError, match="characters"):
        way(Request.of(WindowSpec(unit="byte"), FilterSpec("pybloom")), Execution())


def test_a_failed_build_leaves_its_work_directory_and_a_finished_one_does_not() -> None:
    request = Request.of()
    execution = Execution(workers=1, work_dir="work")

    def fail_after_reading() -> None:
        with open_build(request, request.resolve("corpus"), execution, OUT, Silent()) as build:
            build.read()
            raise RuntimeError("after reading")

    with pytest.raises(RuntimeError, match="after reading"):
        fail_after_reading()
    assert len(list(Path("work/data").glob("read-*.json"))) == 2
    with open_build(request, request.resolve("corpus"), execution, OUT, Silent()) as build:
        build.read()
        assert set(build.corpus()) == {"main"}
    assert not Path("work").exists()


def test_a_build_that_fails_before_anything_is_read_leaves_nothing() -> None:
    Path("bad.jsonl").write_text("no JSON\n")
    request = Request.of()
    execution = Execution(workers=1, work_dir="work")
    with (
        pytest.raises(CorpusError),
        open_build(request, request.resolve("bad.jsonl"), execution, OUT, Silent()) as build,
    ):
        build.read()
    assert not Path("work").exists()


def test_a_build_may_be_opened_several_times_to_read_shares() -> None:
    request = Request.of()
    execution = Execution(workers=1, work_dir="work")
    sources = request.resolve("corpus")
    with (
        open_on_disk(request, sources, execution, OUT, Silent(), shared=True) as (one, _),
        open_on_disk(request, sources, execution, OUT, Silent(), shared=True) as (other, _),
    ):
        one.read(range(0, one.n_shards, 2))
        other.read(range(1, other.n_shards, 2))
        assert set(one.corpus()) == {"main"}
    assert Path("work").exists()
