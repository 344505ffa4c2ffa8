"""Builds in shares, for schedulers: ``portrait build --task I/N`` and ``--finish``."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import corpora

import portrait

if TYPE_CHECKING:
    from conftest import Cli

BUILD = ("build", "corpus", "-o", "out", "--work-dir", "work", "--workers", "1")
N_FILES = 6


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A corpus of several files in the test's directory; the id of its portrait."""
    monkeypatch.chdir(tmp_path)
    corpora.write(Path("corpus"), N_FILES)
    return portrait.build("corpus", "plain").manifest.id


def task(cli: Cli, share: str) -> None:
    done = cli(*BUILD, "--task", share)
    assert (done.code, done.out, done.err) == (0, "", "")


def times() -> dict[str, int]:
    """When each file of keys was written."""
    return {path.name: path.stat().st_mtime_ns for path in Path("work/data").glob("*.keys")}


def test_shares_may_be_read_in_any_order_and_again(cli: Cli, corpus: str) -> None:
    shares = [f"{i}/4" for i in range(1, 5)]
    random.Random(3).shuffle(shares)
    for share in shares:
        task(cli, share)
        assert not Path("out").exists()
    before = times()
    assert len(before) >= N_FILES
    task(cli, shares[1])
    assert times() == before
    done = cli(*BUILD, "--finish", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == corpus
    assert portrait.open("out").manifest.corpus == portrait.open("plain").manifest.corpus
    assert not Path("work").exists()


def test_shares_may_be_more_than_there_is_to_read(corpus: str) -> None:
    execution = portrait.Execution(workers=1, work_dir="work")
    for i in range(1, 10):
        portrait.read_share("corpus", "out", (i, 9), execution=execution)
    assert portrait.build("corpus", "out", execution=execution, finish=True).manifest.id == corpus


@pytest.mark.parametrize("shares", [["1/2", "2/2"], ["1/1", "1/1"]], ids=["different", "the same"])
def test_shares_may_be_read_at_the_same_time(shares: list[str], cli: Cli, corpus: str) -> None:
    running = [cli.start(*BUILD, "--task", share) for share in shares]
    for process in running:
        assert (process.communicate(timeout=60), process.returncode) == ((b"", b""), 0)
    done = cli(*BUILD, "--finish", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == corpus


def test_finishing_names_what_is_not_read_yet(cli: Cli, corpus: str) -> None:
    said = cli.refused(*BUILD, "--finish")
    assert said == "work: no shard has been read there: run the tasks first"
    task(cli, "1/3")
    task(cli, "3/3")
    said = cli.refused(*BUILD, "--finish")
    assert said.startswith("work: 2 of 6 shards are not read yet, corpus/01.jsonl.gz among them")
    assert not Path("out").exists()
    # The plain build reads what is missing, too.
    assert cli(*BUILD, "--quiet").code == 0
    assert portrait.open("out").manifest.id == corpus


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ("0/4", "task 0/4: the tasks are 1/4 to 4/4"),
        ("5/4", "task 5/4: the tasks are 1/4 to 4/4"),
        ("x", "'x' is not a share, such as 3/16"),
        ("3", "'3' is not a share, such as 3/16"),
        ("1/", "'1/' is not a share, such as 3/16"),
        ("-1/4", "'-1/4' is not a share, such as 3/16"),
        ("1/4/2", "'1/4/2' is not a share, such as 3/16"),
    ],
)
def test_a_share_that_is_none_is_refused(share: str, message: str, cli: Cli) -> None:
    assert message in cli.refused(*BUILD, "--task", share)
    assert not Path("work").exists()


def test_reading_and_finishing_are_different_commands(cli: Cli) -> None:
    said = cli.refused(*BUILD, "--task", "1/2", "--finish")
    assert said.startswith("--task and --finish are different commands")


@pytest.mark.parametrize("option", [["--width", "40"], ["--filter", "fuse"], ["--unit", "word"]])
def test_tasks_of_other_specs_are_refused(option: list[str], cli: Cli, corpus: str) -> None:
    task(cli, "1/2")
    before = times()
    for what in (["--task", "2/2"], ["--finish"]):
        assert cli.refused(*BUILD, *option, *what).startswith("work: begun with other ")
    assert times() == before
    task(cli, "2/2")
    assert cli(*BUILD, "--finish", "--quiet").code == 0
    assert portrait.open("out").manifest.id == corpus


def test_files_that_have_changed_between_tasks_are_refused(cli: Cli) -> None:
    task(cli, "1/2")
    with Path("corpus/00.jsonl").open("a") as file:
        file.write('{"text": "one more"}\n')
    assert "inputs (corpus/00.jsonl)" in cli.refused(*BUILD, "--task", "2/2")


def test_a_task_and_a_plain_build_do_not_work_in_one_directory(cli: Cli) -> None:
    pipe = Path("corpus/zz.jsonl")
    pipe.touch()
    command = ("build", "corpus", "rest=-", "--format", "jsonl", *BUILD[2:])
    with cli.start(*command) as building:  # it waits for standard input
        assert building.stdin is not None
        while not Path("work/data").exists():
            assert building.poll() is None
        said = cli.refused(*BUILD, "--task", "1/2")
        assert said == "work: another build is at work there: wait for it, or choose another --work-dir"
        building.kill()
    # And the other way round.
    task(cli, "1/2")
    from portrait.storage.workdir import WorkDir

    held = WorkDir(Path("held"), {"of": "a task"}, shared=True)
    with held:
        said = cli.refused(*BUILD[:4], "--work-dir", "held")
    assert said.startswith("held: another build is at work there")


def test_standard_input_has_no_shares(cli: Cli) -> None:
    said = cli.refused("build", "corpus", "rest=-", *BUILD[2:], "--task", "1/2")
    assert said == "standard input, pipes and streams in memory are read by one process: leave --task out"
    said = cli.refused(*BUILD, "--filter", "pybloom", "--task", "1/2")
    assert said == "a pybloom filter is built in one process: leave --task out"


def test_no_task_removes_what_others_have_read(cli: Cli, corpus: str) -> None:
    task(cli, "1/1")
    for option in (["--task", "1/1"], ["--finish"]):
        refused = cli(*BUILD, *option, "--restart")
        assert refused.code == 2
        assert "delete work first" in refused.err
    assert cli(*BUILD, "--finish", "--quiet").code == 0
    assert portrait.open("out").manifest.id == corpus
