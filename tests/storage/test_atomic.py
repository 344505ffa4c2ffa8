"""Atomic files: each appears whole or not at all, even with several writers."""

from __future__ import annotations

import errno
import io
import os
import re
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from portrait.storage.atomic import (
    create_file,
    creating,
    part_path,
    place,
    random_name,
    replacing,
    sync_directory,
    sync_file,
    write_all,
    write_file,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_content_is_all_buffers_end_to_end(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"one", memoryview(b"two"), bytearray(b"three"))
    assert (tmp_path / "file").read_bytes() == b"onetwothree"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_failed_replacement_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_interfere(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as late:
        late.write(b"late ")
        with replacing(path, durable=False) as early:
            early.write(b"early")
        assert path.read_bytes() == b"early"
        late.write(b"attempt")
    assert path.read_bytes() == b"late attempt"
    assert part_path(path) != part_path(path)


def test_a_new_file_does_not_overwrite_another(tmp_path: Path) -> None:
    create_file(tmp_path / "file", b"first")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"first"


def test_a_new_file_is_removed_on_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with creating(tmp_path / "file") as file:
            file.write(b"half")
            assert (tmp_path / "file").read_bytes() == b"half"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_path_raises_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "missing" / "file", b"")
    (tmp_path / "directory").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path / "directory", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["directory"]


class LimitedFile(io.RawIOBase):
    """A file that takes three bytes at a time, and has room for a limited number of bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if len(self.content) == self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        n = min(3, self.room - len(self.content))
        self.content += bytes(data[:n])
        return n


def test_short_writes_are_continued() -> None:
    file = LimitedFile(100)
    write_all(file, b"eleven char")  # type: ignore[arg-type]
    assert file.content == b"eleven char"


def test_a_full_disk_raises_an_error() -> None:
    file = LimitedFile(7)
    with pytest.raises(OSError, match="No space left"):
        write_all(file, b"eleven char")  # type: ignore[arg-type]
    assert file.content == b"eleven "


def test_all_bytes_of_wide_items_are_written(tmp_path: Path) -> None:
    write_file(tmp_path / "file", array("Q", [1, 2]))
    assert (tmp_path / "file").stat().st_size == 16


def test_a_durable_file_is_synced_before_the_move_and_its_directory_after(
    synced_names: list[str], tmp_path: Path
) -> None:
    write_file(tmp_path / "file", b"x")
    part, directory = synced_names
    assert part.startswith(".file.")
    assert part.endswith(".part")
    assert directory == tmp_path.name


def test_a_file_is_durable_by_default(synced_names: list[str], tmp_path: Path) -> None:
    with creating(tmp_path / "new"):
        assert synced_names == []
    assert synced_names == ["new"]
    with replacing(tmp_path / "file"):
        pass
    assert [name.partition(".")[2][:5] for name in synced_names[1:2]] == ["file."]
    assert synced_names[2:] == [tmp_path.name]
    create_file(tmp_path / "other", b"x")
    assert synced_names[3:] == ["other"]


def test_a_random_name_has_sixteen_hexadecimal_digits() -> None:
    names = {random_name() for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)


def test_a_file_is_not_synced_unless_durable(synced_names: list[str], tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"x", durable=False)
    create_file(tmp_path / "other", b"x", durable=False)
    assert synced_names == []


def test_files_and_directories_are_synced_by_name(synced_names: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sync_file(tmp_path / "file")
    sync_directory(tmp_path)
    assert synced_names == ["file", tmp_path.name]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_placed_where_there_is_none(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("new")
    target.write_text("a person's")
    (tmp_path / "dangling").symlink_to("nowhere")
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    for taken in (target, tmp_path / "dangling"):
        with pytest.raises(FileExistsError):
            place(source, taken)
    assert target.read_text() == "a person's"
    target.unlink()
    place(source, target)
    assert target.read_text() == "new"
    assert source.exists() == links


def test_a_placed_file_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    source, target, blob = (tmp_path / name for name in ("source", "target", "blob"))
    source.write_text("new")
    blob.write_text("shared")
    target.symlink_to(blob)
    place(source, target, replace=True)
    assert (target.read_text(), target.is_symlink(), blob.read_text()) == ("new", False, "shared")
