"""Staging directories: published whole, and leaving nothing behind."""

from __future__ import annotations

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from support.file_trees import snapshot

from portrait.storage.staging import StagingDirectory

if TYPE_CHECKING:
    from pathlib import Path


def names(path: Path) -> list[str]:
    """Return the names in a directory."""
    return sorted(one.name for one in path.iterdir())


def test_a_directory_appears_when_it_is_published(tmp_path: Path) -> None:
    with StagingDirectory.beside(tmp_path / "out") as staging:
        (staging.path / "file").write_text("new")
        assert not (tmp_path / "out").exists()
        staging.publish(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "file").read_text() == "new"


@pytest.mark.parametrize("obstacle", ["full", "empty", "file", "link"])
def test_a_directory_is_not_published_over_anything(obstacle: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if obstacle == "file":
        out.write_text("old")
    elif obstacle == "link":
        out.symlink_to("nowhere")
    else:
        out.mkdir()
        if obstacle == "full":
            (out / "old").write_text("old")
    before = snapshot(tmp_path)
    with StagingDirectory.beside(out) as staging:
        (staging.path / "new").write_text("new")
        with pytest.raises(FileExistsError):
            staging.publish(out)
    assert snapshot(tmp_path) == before


def test_a_failed_move_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(tmp_path), "rename", refuse)
    with StagingDirectory.beside(tmp_path / "out") as staging:
        (staging.path / "new").write_text("new")
        with pytest.raises(OSError, match="Input/output error"):
            staging.publish(tmp_path / "out")
    assert names(tmp_path) == []


def test_a_block_that_ends_without_publishing_leaves_nothing(tmp_path: Path) -> None:
    with StagingDirectory.beside(tmp_path / "out") as staging:
        (staging.path / "file").write_text("new")
    assert names(tmp_path) == []


def test_two_staging_directories_of_one_path_do_not_interfere(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with StagingDirectory.beside(out) as first, StagingDirectory.beside(out) as second:
        (first.path / "first").touch()
        (second.path / "second").touch()
        assert names(first.path) == ["first"]
        second.publish(out)
        with pytest.raises(FileExistsError):
            first.publish(out)
    assert names(tmp_path) == ["out"]
    assert names(out) == ["second"]


def test_many_that_begin_at_once_do_not_sweep_each_other_away(tmp_path: Path) -> None:
    def use(number: int) -> list[str]:
        with StagingDirectory.inside(tmp_path, lambda _: None) as staging:
            (staging.path / str(number)).touch()
            return names(staging.path)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(800))) == [[str(number)] for number in range(800)]
    assert names(tmp_path) == []


DIGITS = "0123456789abcdef"


@pytest.mark.parametrize("successor", [True, False])
def test_a_directory_that_took_the_place_of_a_leftover_is_not_swept_away(
    successor: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = tmp_path / f".portrait.part-{DIGITS}"
    dead.mkdir()
    flock = fcntl.flock
    cleaned_up: list[Path] = []

    def after_another_sweep(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        dead.rmdir()  # by another process, whose lock has ended
        if successor:
            dead.mkdir()
            (dead / "file").touch()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", after_another_sweep)
    with StagingDirectory.inside(tmp_path, cleaned_up.append):
        assert dead.exists() == successor
    assert cleaned_up == []
    assert names(tmp_path) == ([dead.name] if successor else [])
    if successor:
        assert names(dead) == ["file"]


def test_unlocked_leftovers_are_removed(tmp_path: Path) -> None:
    dead, alive = (tmp_path / f".out.part-{digits}" for digits in (DIGITS, DIGITS[::-1]))
    # The same name for another directory, and names that only begin alike.
    others = [tmp_path / name for name in (f".outer.part-{DIGITS}", ".out.part-1", f".out.part-{DIGITS}0")]
    for one in (dead, alive, *others):
        one.mkdir()
        (one / "half").touch()
    file, link = (tmp_path / f".out.part-{DIGITS[1:]}{c}" for c in "ab")
    file.touch()
    link.symlink_to(others[0])
    lock = os.open(alive, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with StagingDirectory.beside(tmp_path / "out"):
            pass
    finally:
        os.close(lock)
    assert names(tmp_path) == sorted(one.name for one in (alive, file, link, *others))
    assert all(names(one) == ["half"] for one in (alive, *others))


def test_a_leftover_inside_a_directory_is_cleaned_up_before_it_is_removed(tmp_path: Path) -> None:
    seen = []

    def clean_up(path: Path) -> None:
        seen.append((path.name, names(path)))

    dead = tmp_path / f".portrait.part-{DIGITS}"
    dead.mkdir()
    (dead / "half").touch()
    # A file and a link of such names are nobody's staging directories.
    file, link = (tmp_path / f".portrait.part-{DIGITS[1:]}{c}" for c in "ab")
    file.touch()
    (tmp_path / "directory").mkdir()
    link.symlink_to("directory")
    others = sorted(["directory", file.name, link.name])
    with StagingDirectory.inside(tmp_path, clean_up) as staging:
        assert staging.path.parent == tmp_path
        assert names(tmp_path) == sorted([staging.path.name, *others])
    assert names(tmp_path) == others
    assert seen == [(dead.name, ["half"])]


def test_a_check_of_a_writable_path_leaves_nothing(tmp_path: Path) -> None:
    StagingDirectory.beside(tmp_path / "out").check()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("out", "error"),
    [
        ("missing/out", FileNotFoundError),
        ("file/out", NotADirectoryError),
        ("o" * 300, OSError),
        ("o" * 250, OSError),
        ("a\0b", ValueError),
    ],
    ids=["missing", "file", "long", "longish", "nul"],
)
def test_a_check_raises_the_error_that_writing_would_raise(
    out: str, error: type[Exception], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(error):
        StagingDirectory.beside(tmp_path / out).check()
    with pytest.raises(error):
        StagingDirectory.beside(tmp_path / out).__enter__()
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_check_notices_missing_write_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            StagingDirectory.beside(tmp_path / "out").check()
    finally:
        tmp_path.chmod(0o700)
