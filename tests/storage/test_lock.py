"""Locks: exclusive or shared, and never outliving their process."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from portrait.errors import OutputExistsError
from portrait.storage.lock import is_open_at, lock_directory, lock_file

IN_USE = "work: another build is at work there"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a file to lock; neither the file nor its directory exists yet."""
    return tmp_path / "work" / "lock"


def test_a_lock_creates_its_file_and_keeps_others_out(path: Path) -> None:
    with lock_file(path, IN_USE):
        assert path.is_file()
        with pytest.raises(OutputExistsError) as caught:
            lock_file(path, IN_USE, parameter="work_dir")
        assert str(caught.value) == IN_USE
        assert caught.value.parameter == "work_dir"
        with pytest.raises(OutputExistsError):
            lock_file(path, IN_USE, shared=True)
    lock_file(path, IN_USE).release()


def test_whoever_the_umask_lets_write_may_lock_the_file(path: Path) -> None:
    before = os.umask(0o002)
    try:
        lock_file(path, IN_USE).release()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_a_shared_lock_admits_only_others_that_share(path: Path) -> None:
    with lock_file(path, IN_USE, shared=True) as first:
        # The lock is exclusive until its first holder shares it.
        with pytest.raises(OutputExistsError):
            lock_file(path, IN_USE, shared=True)
        first.share()
        with lock_file(path, IN_USE, shared=True), pytest.raises(OutputExistsError):
            lock_file(path, IN_USE)
    lock_file(path, IN_USE).release()


def test_nobody_waits_without_patience(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_: float) -> None:
        raise AssertionError("nobody waits")

    with lock_file(path, IN_USE):
        monkeypatch.setattr(time, "sleep", wait)
        with pytest.raises(OutputExistsError):
            lock_file(path, IN_USE)


def test_a_directory_that_is_removed_before_its_file_is_opened_is_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def open_later(file: Path, *arguments: int) -> int:
        if not opened:
            # As a process does that has finished.
            path.parent.rmdir()
        opened.append(file)
        return really_open(file, *arguments)

    really_open = os.open
    monkeypatch.setattr(os, "open", open_later)
    with lock_file(path, IN_USE):
        assert path.is_file()
    assert opened == [path, path]


def test_patience_waits_until_the_lock_is_released(path: Path) -> None:
    lock = lock_file(path, IN_USE)
    threading.Timer(0.1, lock.release).start()
    began = time.monotonic()
    lock_file(path, IN_USE, patience_seconds=30).release()
    assert 0.05 < time.monotonic() - began < 25


def test_patience_runs_out(path: Path) -> None:
    with lock_file(path, IN_USE):
        began = time.monotonic()
        with pytest.raises(OutputExistsError):
            lock_file(path, IN_USE, patience_seconds=0.1)
        assert time.monotonic() - began >= 0.1


def test_a_lock_on_a_removed_file_keeps_nobody_out(path: Path) -> None:
    with lock_file(path, IN_USE):
        # As a process does that has finished.
        shutil.rmtree(path.parent)
        lock_file(path, IN_USE).release()


def test_a_replaced_file_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        assert is_open_at(descriptor, tmp_path / "file")
        (tmp_path / "file").rename(tmp_path / "moved")
        assert not is_open_at(descriptor, tmp_path / "file")
        (tmp_path / "file").touch()
        assert not is_open_at(descriptor, tmp_path / "file")
        assert is_open_at(descriptor, tmp_path / "moved")
    finally:
        os.close(descriptor)


def test_a_lock_ends_with_its_process(path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from portrait.storage.lock import lock_file\n"
        "lock = lock_file(Path(sys.argv[1]), 'in use'); print('locked', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(OutputExistsError):
            lock_file(path, IN_USE)
        process.kill()
    lock_file(path, IN_USE).release()


def test_an_unwritable_path_raises_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        lock_file(tmp_path / "file" / "lock", IN_USE)
    with pytest.raises(FileNotFoundError):
        lock_file(tmp_path / "missing" / "work" / "lock", IN_USE)


def test_a_directory_is_locked_until_the_lock_is_released(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from portrait.storage.lock import lock_directory\n"
        "with lock_directory(Path(sys.argv[1])): print('locked', flush=True); time.sleep(0.3); print('end')"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with lock_directory(tmp_path):
            # The other process has ended its lock, which is the last that it does.
            assert process.stdout.readline() == b"end\n"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotADirectoryError):
        lock_directory(Path(__file__))


def test_a_file_system_without_locks_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock_directory(tmp_path).release()
