"""Staging directories: published whole, and leaving nothing behind."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from portrait.storage.staging import StagingDirectory

if TYPE_CHECKING:
    from pathlib import Path


def names(path: Path) -> list[str]:
    """Return the names in a directory."""
    return sorted(one.name for one in path.iterdir())


def test_a_directory_appears_when_it_is_published(tmp_path: Path) -> None:
    with StagingDirectory(tmp_path / "out") as staging:
        (staging.path / "file").write_text("new")
        assert not (tmp_path / "out").exists()
        staging.publish()
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "file").read_text() == "new"


def test_a_published_directory_replaces_an_old_one(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with StagingDirectory(tmp_path / "out") as staging:
        (staging.path / "new").write_text("new")
        staging.publish()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["new"]


def test_a_failed_move_puts_the_old_directory_back(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    with StagingDirectory(tmp_path / "out") as staging:
        (staging.path / "new").write_text("new")
        with pytest.MonkeyPatch.context() as patch:
            rename = type(tmp_path).rename

            def refuse(path: Path, target: Path) -> object:
                if path == staging.path:
                    raise OSError(5, "Input/output error")
                return rename(path, target)

            patch.setattr(type(tmp_path), "rename", refuse)
            with pytest.raises(OSError, match="Input/output error"):
                staging.publish()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["old"]


def test_a_block_that_ends_without_publishing_leaves_nothing(tmp_path: Path) -> None:
    with StagingDirectory(tmp_path / "out") as staging:
        (staging.path / "file").write_text("new")
    assert names(tmp_path) == []


def test_two_staging_directories_of_one_path_do_not_interfere(tmp_path: Path) -> None:
    with StagingDirectory(tmp_path / "out") as first, StagingDirectory(tmp_path / "out") as second:
        (first.path / "first").touch()
        (second.path / "second").touch()
        assert names(first.path) == ["first"]
        second.publish()
        first.publish()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["first"]


def test_unlocked_leftovers_are_removed(tmp_path: Path) -> None:
    dead, alive, other = (tmp_path / name for name in (".out.part-1", ".out.part-2", ".outer.part-1"))
    for one in (dead, alive, other):
        one.mkdir()
        (one / "half").touch()
    (tmp_path / ".out.part-file").touch()
    (tmp_path / ".out.part-link").symlink_to(other)
    lock = os.open(alive, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with StagingDirectory(tmp_path / "out"):
            pass
    finally:
        os.close(lock)
    assert names(tmp_path) == [".out.part-2", ".out.part-file", ".out.part-link", ".outer.part-1"]
    assert names(alive) == names(other) == ["half"]


def test_a_check_of_a_writable_path_leaves_nothing(tmp_path: Path) -> None:
    StagingDirectory(tmp_path / "out").check()
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
        StagingDirectory(tmp_path / out).check()
    with pytest.raises(error):
        StagingDirectory(tmp_path / out).__enter__()
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_check_notices_missing_write_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            StagingDirectory(tmp_path / "out").check()
    finally:
        tmp_path.chmod(0o700)
