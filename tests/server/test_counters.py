"""Counters that processes share, and what is left of those of dead servers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from portrait_server.counters import PREFIX, sweep

if TYPE_CHECKING:
    from pathlib import Path

SHARE = """
import os, sys
from portrait_server.counters import SharedCounters
shared = SharedCounters()
print(shared.directory, os.environ["PROMETHEUS_MULTIPROC_DIR"], flush=True)
child = os.fork() if "fork" in sys.argv else 0
if child:
    os._exit(0)
sys.stdin.read()
if "die" not in sys.argv:
    shared.remove()
"""


def share(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a process that shares counters until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", SHARE, *arguments],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def directory_of(process: subprocess.Popen[str]) -> str:
    """Return the directory of a process's counters, which it has locked by then."""
    assert process.stdout is not None
    one, other = process.stdout.readline().split()
    assert one == other
    return one


def test_counters_are_removed_at_the_end(tmp_path: Path) -> None:
    with share(tmp_path) as process:
        assert os.path.isdir(directory_of(process))  # noqa: PTH112
        assert [path.name.startswith(PREFIX) for path in tmp_path.iterdir()] == [True]
        process.communicate()
    assert list(tmp_path.iterdir()) == []


def test_counters_of_a_dead_server_are_swept_and_those_of_a_living_one_stay(tmp_path: Path) -> None:
    with share(tmp_path, "die") as dead:
        left = directory_of(dead)
        dead.communicate()
    with share(tmp_path) as living:
        own = directory_of(living)
        assert sorted(map(str, tmp_path.iterdir())) == [own] != [left]
        sweep(tmp_path)
        assert os.path.isdir(own)  # noqa: PTH112
        living.communicate()


def test_counters_stay_while_a_forked_worker_lives(tmp_path: Path) -> None:
    with share(tmp_path, "fork") as process:
        own = directory_of(process)
        assert process.wait() == 0
        sweep(tmp_path)
        assert os.path.isdir(own)  # noqa: PTH112
        process.communicate()  # the worker removes them
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_may_belong_to_others_is_swept(tmp_path: Path) -> None:
    file = tmp_path / f"{PREFIX}file"
    file.touch()
    shared = tmp_path / f"{PREFIX}shared"
    shared.mkdir(mode=0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    kept = [file, shared, elsewhere, link]
    if os.geteuid() == 0:
        foreign = tmp_path / f"{PREFIX}foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, 65534, 65534)
        kept.append(foreign)
    sweep(tmp_path)
    assert all(path.exists() for path in kept)
