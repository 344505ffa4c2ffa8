"""Builds in tasks: the same portrait in any order and any memory, resuming, and failures."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import caught_sigint
from support import corpora, oracle

import portrait
from portrait import (
    CorpusError,
    Execution,
    FilterSpec,
    OutputExistsError,
    SpecError,
    Stride,
    WindowSpec,
    WorkDirError,
)
from portrait.building import read_plan
from portrait.progress import Silent
from portrait.sizing import SKETCH_KEYS
from portrait.storage.workdir import WorkDir

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from conftest import Cli

    from portrait.spec import FilterKind

SPEC = WindowSpec(20, Stride(10))
KINDS: list[FilterKind] = ["bloom", "ribbon"]


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of a corpus of eight files, in the directory where the tests run."""
    monkeypatch.chdir(tmp_path)
    return corpora.write(Path("corpus"))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks, buffers and parts so small that there are many of each."""
    monkeypatch.setattr(read_plan, "TASK_TEXT_BYTES", 3000)
    monkeypatch.setattr(Execution, "buffer_keys", 97)
    monkeypatch.setattr(Execution, "sorted_keys", 300)


def content(path: str) -> tuple[object, ...]:
    """Return the id, the layers and the corpus record of a portrait."""
    manifest = portrait.open(path).manifest
    return manifest.id, manifest.layers, manifest.corpus


def same_except_locations(one: str, other: str) -> bool:
    """Return whether two portraits agree in everything except where their corpus was."""
    first, second = portrait.open(one).manifest, portrait.open(other).manifest
    return (first.id, first.layers) == (second.id, second.layers)


@pytest.mark.parametrize("kind", KINDS)
def test_the_portrait_is_the_same_in_memory_and_on_disk_with_one_worker_and_with_two(
    kind: FilterKind, texts: list[str]
) -> None:
    spec = FilterSpec(kind)
    in_memory = portrait.build("corpus", "in-memory", windows=SPEC, filter=spec)
    for workers in (1, 2):
        execution = Execution(workers=workers, work_dir=f"work-{workers}")
        portrait.build("corpus", f"on-disk-{workers}", windows=SPEC, filter=spec, execution=execution)
        assert content(f"on-disk-{workers}") == content("in-memory")
        portrait.verify(f"on-disk-{workers}")
    keys = oracle.portrait(texts, oracle.Spec(20, 10))
    (layer,) = in_memory.manifest.layers
    assert layer.distinct_keys == len(keys)
    assert layer.documents == len(texts)
    assert layer.text_bytes == sum(len(text.encode()) for text in texts)
    assert all(in_memory.query(text).exact_document for text in texts)
    assert not [path for path in Path().iterdir() if path.name.startswith((".", "work"))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("texts", "tiny")
def test_neither_the_order_of_files_nor_the_size_of_tasks_and_buffers_matters(kind: FilterKind) -> None:
    spec = FilterSpec(kind, 0.001)
    portrait.build("corpus", "in-memory", windows=SPEC, filter=spec)
    files = sorted(map(str, Path("corpus").iterdir()))
    random.Random(5).shuffle(files)
    portrait.build(files, "tiny", windows=SPEC, filter=spec, execution=Execution(workers=1, work_dir="w"))
    assert same_except_locations("tiny", "in-memory")
    assert content("tiny")[2]["main"]["files"] == content("in-memory")[2]["main"]["files"]  # type: ignore[index]


@pytest.mark.parametrize("kind", KINDS)
def test_the_estimated_number_of_keys_is_the_same_in_memory_and_on_disk(
    kind: FilterKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(3):
        Path(f"{i}.txt").write_text(corpora.noise(i, 3_000_000))
    in_memory = portrait.build("*.txt", "in-memory", filter=FilterSpec(kind))
    monkeypatch.setattr(read_plan, "TASK_TEXT_BYTES", 2_000_000)
    monkeypatch.setattr(Execution, "sorted_keys", 100_000)
    execution = Execution(workers=2, work_dir="w")
    portrait.build("*.txt", "on-disk", filter=FilterSpec(kind), execution=execution)
    assert content("on-disk") == content("in-memory")
    (layer,) = in_memory.manifest.layers
    n_keys = (layer.windows or 0) + 3
    assert n_keys > SKETCH_KEYS
    assert layer.distinct_keys == (n_keys if kind == "ribbon" else pytest.approx(n_keys, rel=0.008))
    # The filter has room for three standard errors more than the estimate, so that it is never overfull.
    assert layer.fpr <= (0.01 if kind == "bloom" else 2**-7)


@pytest.mark.usefixtures("texts", "tiny")
def test_every_source_has_its_own_layer() -> None:
    sources = {"a": "corpus/0[0-3]*", "b": "corpus/0[4-7]*"}
    portrait.build(sources, "in-memory", windows=SPEC)
    portrait.build(sources, "tiny", windows=SPEC, execution=Execution(workers=1, work_dir="w"))
    assert content("tiny") == content("in-memory")
    portrait.add("tiny", {"c": "corpus/00*"}, execution=Execution(workers=1, work_dir="w"))
    portrait.add("in-memory", {"c": "corpus/00*"})
    assert content("tiny") == content("in-memory")


# Interrupted and resumed.

BUILD = ("build", "corpus", "-o", "out", "--workers", "2", "--work-dir", "work", "--quiet")


def records(name: str = "read") -> list[Path]:
    """Return the records of finished tasks, "read" or "part", in the work directory."""
    return sorted(Path("work/data").glob(f"{name}-*.json"))


def kill_when(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds, and kill the process."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture
def long_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve files of 2 MB in the directory where the tests run: enough to interrupt their reading."""
    monkeypatch.chdir(tmp_path)
    Path("corpus").mkdir()
    for i in range(12):
        row = {"text": corpora.noise(i, 2_000_000)}
        Path(f"corpus/{i:02}.jsonl").write_text(json.dumps(row) + "\n")


@pytest.mark.usefixtures("long_corpus")
def test_a_build_killed_twice_resumes_and_equals_an_undisturbed_one(cli: Cli) -> None:
    plain = cli("build", "corpus", "-o", "plain", "--filter", "ribbon", "--quiet")
    assert (plain.code, plain.err) == (0, "")
    command = (*BUILD, "--filter", "ribbon")
    kill_when(cli.start(*command), lambda: len(records()) >= 2)
    before = {path: path.stat().st_mtime_ns for path in records()}
    assert not Path("out").exists()
    kill_when(cli.start(*command), lambda: len(records()) >= len(before) + 3)
    done = cli(*command)
    assert (done.code, done.err) == (0, "")
    assert content("out") == content("plain")
    assert not Path("work").exists()


@pytest.mark.usefixtures("long_corpus")
def test_finished_shards_are_skipped(cli: Cli) -> None:
    kill_when(cli.start(*BUILD), lambda: len(records()) >= 3)
    before = {path.name: path.stat().st_mtime_ns for path in records()}
    runs = {path.name: path.stat().st_mtime_ns for path in Path("work/data").glob("*.keys")}
    done = cli(*BUILD, "--task", "1/1")
    assert (done.code, done.err) == (0, "")
    after = {path.name: path.stat().st_mtime_ns for path in records()}
    assert before.items() <= after.items()
    assert len(after) == 12
    finished_runs = {name for name in runs if name.rsplit("-", 2)[0] + ".json" in before}
    assert finished_runs
    assert all(Path("work/data", name).stat().st_mtime_ns == runs[name] for name in finished_runs)


@pytest.mark.usefixtures("long_corpus")
def test_resuming_with_changed_options_or_files_is_refused_and_names_them(cli: Cli) -> None:
    kill_when(cli.start(*BUILD), lambda: len(records()) >= 1)
    other = cli(*BUILD, "--width", "40")
    assert other.code == 2
    assert "begun with other windows" in other.err
    shorter = cli(*BUILD, "--short-documents")
    assert shorter.code == 2
    assert "begun with other documents" in shorter.err
    added = "one more text, which is long enough for a window of its own in this corpus"
    with Path("corpus/03.jsonl").open("a") as file:
        file.write(f'{{"text": "{added}"}}\n')
    changed = cli(*BUILD)
    assert changed.code == 2
    assert "inputs (corpus/03.jsonl)" in changed.err
    assert "--restart" in changed.err
    again = cli(*BUILD, "--restart")
    assert (again.code, again.err) == (0, "")
    assert portrait.open("out").query(added).exact_document


@pytest.mark.usefixtures("texts")
def test_the_same_files_in_other_sources_are_another_corpus(cli: Cli) -> None:
    def command(a: str, b: str) -> tuple[str, ...]:
        return ("build", f"a={a}", f"b={b}", "-o", "out", "--work-dir", "work", "--quiet")

    assert cli(*command("corpus/0[01]*", "corpus/02*"), "--task", "1/1").code == 0
    moved = cli(*command("corpus/00*", "corpus/0[12]*"))
    assert moved.code == 2
    assert "begun with other inputs (corpus/01.jsonl.gz)" in moved.err
    assert not Path("out").exists()


@pytest.mark.usefixtures("texts")
def test_a_build_killed_while_removing_its_work_directory_is_no_obstacle(cli: Cli) -> None:
    read_all(cli)
    for path in Path("work/data").iterdir():
        path.unlink()
    Path("work/data").rmdir()
    done = cli(*BUILD)
    assert (done.code, done.err) == (0, "")
    portrait.verify("out")


@pytest.mark.usefixtures("long_corpus")
def test_an_interrupted_build_resumes(cli: Cli) -> None:
    with caught_sigint(), cli.start(*BUILD) as process:
        while len(records()) < 2:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.decode().strip().startswith("portrait: error: interrupted")
    assert errors.strip().count(b"\n") == 0
    assert len(records()) >= 2
    assert cli(*BUILD).code == 0
    assert not Path("work").exists()


# Errors and damage.


@pytest.mark.usefixtures("texts")
def test_two_builds_do_not_share_a_work_directory(cli: Cli) -> None:
    with WorkDir(Path("work"), {"of": "another"}):
        refused = cli(*BUILD)
    assert refused.code == 2
    assert "another build is at work there" in refused.err
    assert not Path("out").exists()


@pytest.mark.usefixtures("texts")
def test_a_directory_with_other_files_is_left_alone(cli: Cli) -> None:
    Path("work").mkdir()
    Path("work/thesis.tex").write_text("years of work")
    refused = cli(*BUILD)
    assert refused.code == 2
    assert "holds other files (thesis.tex)" in refused.err
    assert [path.name for path in Path("work").iterdir()] == ["thesis.tex"]
    Path("file").write_text("")
    refused = cli(*BUILD[:-3], "--work-dir", "file")
    assert refused.code == 2
    assert "is not a directory" in refused.err


def read_all(cli: Cli) -> None:
    """Read all shards, and leave their keys in the work directory."""
    done = cli(*BUILD, "--task", "1/1")
    assert (done.code, done.err) == (0, "")


def damage(path: Path) -> None:
    """Flip a bit near the end of a file."""
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (damage, "checksum does not fit"),
        (Path.unlink, "No such file"),
        (lambda path: os.truncate(path, path.stat().st_size - 8), "has the wrong length"),
    ],
    ids=["damaged", "deleted", "cut"],
)
@pytest.mark.usefixtures("texts")
def test_the_shard_of_a_lost_run_is_read_again(
    harm: Callable[[Path], object], message: str, cli: Cli
) -> None:
    portrait.build("corpus", "plain")
    read_all(cli)
    run = sorted(Path("work/data").glob("*.keys"))[3]
    harm(run)
    failed = cli(*BUILD)
    assert failed.code == 2
    assert message in failed.err
    assert str(run) in failed.err
    assert "re-run the same call, which reads corpus/" in failed.err
    assert "(1 of 8 shards to read again)" in failed.err
    assert len(records()) == 7
    assert not Path("out").exists()
    done = cli(*BUILD)
    assert (done.code, done.err) == (0, "")
    assert content("out") == content("plain")


@pytest.mark.parametrize("content", ["{}", '{"counts": 3}', "[]", "no JSON"])
def test_a_shard_whose_record_makes_no_sense_is_read_again(content: str, texts: list[str]) -> None:
    execution = Execution(workers=1, work_dir="work")
    portrait.read_share("corpus", "out", (1, 1), windows=SPEC, execution=execution)
    records()[2].write_text(content)
    with pytest.raises(SpecError, match=r"1 of 8 shards are not read yet, corpus/02\.parquet among them"):
        portrait.build("corpus", "out", windows=SPEC, execution=execution, finish=True)
    built = portrait.build("corpus", "out", windows=SPEC, execution=execution)
    assert built.manifest.layers[0].documents == len(texts)


@pytest.mark.usefixtures("texts")
def test_a_damaged_part_of_a_filter_is_built_again(cli: Cli) -> None:
    portrait.build("corpus", "plain")

    class Damage(Silent):
        """A progress callback that damages a part of the filter once all parts are built."""

        def start(self, n_bytes: int | None, stage: str = "") -> None:
            if stage == "writing":
                damage(next(Path("work/data").glob("part-*.filter")))

    with pytest.raises(
        WorkDirError, match="checksum does not fit: re-run the same call, which builds it again"
    ):
        portrait.build("corpus", "out", execution=Execution(workers=1, work_dir="work"), progress=Damage())
    assert len(records()) == 8
    assert not records("part")
    done = cli(*BUILD)
    assert (done.code, done.err) == (0, "")
    assert content("out") == content("plain")


@pytest.mark.usefixtures("texts")
def test_a_file_that_changes_after_it_was_read_is_noticed(cli: Cli) -> None:
    read_all(cli)
    os.utime("corpus/02.parquet", ns=(1, 1))
    failed = cli(*BUILD, "--finish")
    assert failed.code == 2
    assert "corpus/02.parquet" in failed.err
    Path("corpus/02.parquet").unlink()
    failed = cli(*BUILD, "--finish")
    assert failed.code == 2
    assert "corpus/02.parquet" in failed.err
    assert not Path("out").exists()


@pytest.mark.usefixtures("texts")
def test_an_existing_portrait_stays_until_the_new_one_is_complete(cli: Cli) -> None:
    cli("build", "corpus/00.jsonl", "-o", "out", "--quiet")
    before = content("out")
    refused = cli(*BUILD)
    assert refused.code == 2
    assert "already exists" in refused.err
    Path("corpus/bad.jsonl").write_text("no JSON\n")
    failed = cli(*BUILD, "--overwrite")
    assert failed.code == 2
    assert "bad.jsonl, line 1" in failed.err
    assert content("out") == before
    Path("corpus/bad.jsonl").unlink()
    assert cli(*BUILD, "--overwrite", "--restart").code == 0
    assert content("out") != before


@pytest.mark.usefixtures("texts")
def test_a_build_that_failed_at_a_bad_row_resumes_without_it(cli: Cli) -> None:
    Path("corpus/99.jsonl").write_text('{"text": "good"}\n{"text": 5}\n')
    failed = cli(*BUILD)
    assert failed.code == 2
    assert "99.jsonl, line 2" in failed.err
    before = {path: path.stat().st_mtime_ns for path in records()}
    assert before
    done = cli(*(part for part in BUILD if part != "--quiet"), "--on-error", "skip", "--task", "1/1")
    assert done.code == 0
    assert before.items() <= {path: path.stat().st_mtime_ns for path in records()}.items()
    done = cli(*BUILD, "--on-error", "skip")
    assert (done.code, done.err) == (0, "")
    (bad,) = [
        file for file in portrait.open("out").manifest.corpus["main"]["files"] if "skipped_rows" in file
    ]
    assert (bad["path"], bad["skipped_rows"]) == ("corpus/99.jsonl", 1)


# Full disks.


@pytest.mark.usefixtures("long_corpus")
@pytest.mark.parametrize("limit_kb", [300, 2000])
def test_a_build_on_a_full_disk_fails_in_one_line_and_can_be_resumed(limit_kb: int, cli: Cli) -> None:
    # At 300 kB the runs do not fit, at 2 MB the parts of the filter do not.
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit_kb} * 1000,) * 2); "
        "from portrait.cli.main import main; main()"
    )
    process = cli.start(*BUILD, "--fpr", "0.0001", program=("-c", code))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert b"cannot write" in errors
    assert b"File too large" in errors
    assert errors.count(b"\n") == 1
    assert not Path("out").exists()
    assert not list(Path().glob("**/*.part"))
    done = cli(*BUILD, "--fpr", "0.0001")
    assert (done.code, done.err) == (0, "")
    portrait.verify("out")


@pytest.mark.usefixtures("texts", "tiny")
def test_a_work_directory_begun_by_a_build_with_another_filter_is_refused() -> None:
    execution = Execution(workers=1, work_dir="w")
    Path("corpus/bad.jsonl").write_text('{"text": 5}\n')
    with pytest.raises(CorpusError):
        portrait.build("corpus", "out", windows=SPEC, execution=execution)
    with pytest.raises(OutputExistsError, match="begun with other filter"):
        portrait.build("corpus", "out", windows=SPEC, filter=FilterSpec("ribbon"), execution=execution)
