"""Output files: they appear together or not at all, and never replace other files by accident."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from portrait.errors import OutputError, OutputExistsError
from portrait.storage.outputs import Outputs


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which a few names are taken."""
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("mine")
    Path("directory").mkdir()
    Path("link").symlink_to("taken")
    Path("dangling").symlink_to("nowhere")
    return tmp_path


TAKEN = ["dangling", "directory", "link", "taken"]


def names() -> list[str]:
    """Return the names in the working directory."""
    return sorted(path.name for path in Path().iterdir())


def test_all_files_appear_on_commit() -> None:
    paths = [Path("a"), Path("directory/b")]
    with Outputs(paths) as outputs:
        for path in paths:
            outputs.file(path).write(path.name.encode())
        assert not any(path.exists() for path in paths)
        outputs.commit()
    assert [path.read_text() for path in paths] == ["a", "b"]
    assert names() == ["a", *TAKEN]
    assert [path.name for path in Path("directory").iterdir()] == ["b"]


def test_a_file_that_appears_meanwhile_is_not_replaced() -> None:
    with Outputs([Path("a"), Path("b")]) as outputs:
        outputs.file(Path("a")).write(b"ours")
        Path("b").write_text("theirs")
        with pytest.raises(OutputExistsError):
            outputs.commit()
    assert Path("b").read_text() == "theirs"
    assert not Path("a").exists()
    assert not list(Path().glob(".*.part"))


def test_a_block_that_ends_without_commit_leaves_nothing() -> None:
    with Outputs([Path("a")]) as outputs:
        outputs.file(Path("a")).write(b"x" * 100_000)
    assert not list(Path().glob("*a"))
    assert not list(Path().glob(".a*"))


def test_an_existing_file_is_replaced_with_overwrite() -> None:
    with Outputs([Path("taken")], overwrite=True) as outputs:
        outputs.file(Path("taken")).write(b"new")
        assert Path("taken").read_text() == "mine"
        outputs.commit()
    assert Path("taken").read_text() == "new"


def test_two_outputs_of_one_path_do_not_interfere() -> None:
    with Outputs([Path("a")]) as first, Outputs([Path("a")], overwrite=True) as second:
        first.file(Path("a")).write(b"first")
        second.file(Path("a")).write(b"second")
        first.commit()
        second.commit()
    assert Path("a").read_text() == "second"


def test_an_existing_file_is_not_replaced_without_overwrite() -> None:
    with pytest.raises(OutputExistsError) as caught:
        Outputs([Path("a"), Path("taken")])
    assert str(caught.value) == "taken: already exists: choose another name, or allow overwriting"
    assert caught.value.parameter == "overwrite"
    assert names() == TAKEN


@pytest.mark.parametrize("name", ["directory", "link", "dangling", "/dev/null"])
def test_anything_but_a_regular_file_is_never_replaced(name: str) -> None:
    with pytest.raises(OutputExistsError) as caught:
        Outputs([Path(name)], overwrite=True)
    assert str(caught.value) == f"{name}: exists and is not a file: choose another name"


def test_an_input_is_refused_as_an_output() -> None:
    with pytest.raises(OutputExistsError) as caught:
        Outputs([Path("directory/../taken")], inputs=[Path("taken")], overwrite=True)
    assert str(caught.value) == "directory/../taken: is one of the inputs: choose another name"


def test_one_path_is_refused_for_two_outputs() -> None:
    with pytest.raises(OutputExistsError) as caught:
        Outputs([Path("a"), Path("directory/../a")])
    assert str(caught.value) == "directory/../a: named for two outputs: choose another name for one of them"


def test_an_unwritable_path_is_named_and_nothing_is_left() -> None:
    with pytest.raises(OutputError) as caught, Outputs([Path("a"), Path("missing/b")]):
        pass
    assert str(caught.value) == "missing/b: cannot write: No such file or directory"
    assert names() == TAKEN


def test_a_full_disk_is_named_and_no_file_appears(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Outputs([Path("a"), Path("b")]) as outputs:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(OutputError) as caught:
            outputs.commit()
    assert str(caught.value) == "a: cannot write: No space left on device"
    assert names() == TAKEN


def test_content_and_directories_are_synced(synced_names: list[str]) -> None:
    with Outputs([Path("directory/a"), Path("directory/b")]) as outputs:
        outputs.commit()
    assert [name.partition(".")[2][:2] for name in synced_names[:2]] == ["a.", "b."]
    assert synced_names[2:] == ["directory"]
