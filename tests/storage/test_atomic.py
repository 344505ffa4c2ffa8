"""Files appear whole or not at all, whoever else writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portrait.storage.atomic import part_path, replacing, write_file

if TYPE_CHECKING:
    from pathlib import Path


def test_the_content_is_all_buffers_end_to_end(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"one", memoryview(b"two"), bytearray(b"three"))
    assert (tmp_path / "file").read_bytes() == b"onetwothree"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_file_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
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


def test_attempts_at_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as late:
        late.write(b"late ")
        with replacing(path, durable=False) as early:
            early.write(b"early")
        assert path.read_bytes() == b"early"
        late.write(b"attempt")
    assert path.read_bytes() == b"late attempt"
    assert part_path(path) != part_path(path)
