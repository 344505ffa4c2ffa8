"""Where a bundle is put: never half, never over something that is not a portrait."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

import portrait

TEXT = "The lighthouse keeper counted the waves until he fell asleep, and woke at the wrong number."


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, holding a corpus and a bad one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    return tmp_path


def snapshot(path: Path) -> dict[str, bytes | str | None]:
    """Everything below a directory: contents of files, targets of links."""
    found: dict[str, bytes | str | None] = {}
    for one in sorted(path.rglob("*")):
        name = str(one.relative_to(path))
        if one.is_symlink():
            found[name] = str(one.readlink())
        else:
            found[name] = one.read_bytes() if one.is_file() else None
    return found


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def old_portrait() -> None:
    Path("old.txt").write_text("something else altogether, and of sufficient length to store a window")
    portrait.build("old.txt", "out")


def foreign_directory() -> None:
    Path("out").mkdir()
    Path("out/precious").write_text("precious")


def empty_directory() -> None:
    Path("out").mkdir()


def file() -> None:
    Path("out").write_text("precious")


def link_to_portrait() -> None:
    portrait.build("a.txt", "elsewhere")
    Path("out").symlink_to("elsewhere")


def dangling_link() -> None:
    Path("out").symlink_to("nowhere")


OBSTACLES = [foreign_directory, empty_directory, file, link_to_portrait, dangling_link]


@pytest.mark.parametrize("obstacle", [old_portrait, *OBSTACLES])
def test_what_stands_there_is_left_alone(obstacle: object, directory: Path) -> None:
    assert callable(obstacle)
    obstacle()
    before = snapshot(directory)
    with pytest.raises(portrait.OutputExistsError) as error:
        portrait.build("a.txt", "out")
    assert str(error.value) == "out: already exists: choose another name, or allow overwriting"
    assert snapshot(directory) == before


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_is_not_a_portrait_is_not_even_overwritten(obstacle: object, directory: Path) -> None:
    assert callable(obstacle)
    obstacle()
    before = snapshot(directory)
    with pytest.raises(portrait.OutputExistsError) as error:
        portrait.build("a.txt", "out", overwrite=True)
    assert str(error.value) == "out: exists and is not a portrait: choose another name"
    assert snapshot(directory) == before


def test_a_portrait_is_overwritten_on_demand_without_a_rest(directory: Path) -> None:
    old_portrait()
    portrait.build("a.txt", "fresh")
    built = portrait.build("a.txt", "out", overwrite=True)
    assert built.query(TEXT).exact_document
    assert not portrait.open("out").query(Path("old.txt").read_text()).exact_document
    shards = [
        {k: v for k, v in snapshot(directory / name).items() if k != "README.md"} for name in ("out", "fresh")
    ]
    assert shards[0] == shards[1]
    assert names(Path()) == ["a.txt", "bad.txt", "fresh", "old.txt", "out"]


def test_overwriting_nothing_is_building(directory: Path) -> None:
    portrait.build("a.txt", "out", overwrite=True)
    assert names(directory) == ["a.txt", "bad.txt", "out"]


def test_a_portrait_that_is_overwritten_still_answers_where_it_is_open() -> None:
    old_portrait()
    old = portrait.open("out")
    portrait.build("a.txt", "out", overwrite=True)
    assert old.query(Path("old.txt").read_text()).exact_document


@pytest.mark.parametrize("obstacle", [None, old_portrait])
def test_a_failing_build_leaves_what_was_there(obstacle: object, directory: Path) -> None:
    if callable(obstacle):
        obstacle()
    before = snapshot(directory)
    with pytest.raises(portrait.CorpusError):
        portrait.build(["a.txt", "bad.txt"], "out", overwrite=True)
    assert snapshot(directory) == before


class Interfere:
    """Does something the moment all input has been read, while the bundle is being built."""

    def __init__(self, action: object) -> None:
        self.action = action

    def start(self, n_bytes: int | None, stage: str = "") -> None: ...
    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None: ...
    def finish(self) -> None:
        assert callable(self.action)
        self.action()


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("obstacle", [None, old_portrait])
def test_an_interrupted_build_leaves_what_was_there(obstacle: object, directory: Path) -> None:
    if callable(obstacle):
        obstacle()
    before = snapshot(directory)
    with pytest.raises(KeyboardInterrupt):
        portrait.build("a.txt", "out", overwrite=True, progress=Interfere(interrupt))
    assert snapshot(directory) == before


@pytest.mark.parametrize("obstacle", [foreign_directory, file, dangling_link])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_appears_during_the_build_is_left_alone(
    obstacle: object, overwrite: bool, directory: Path
) -> None:
    assert callable(obstacle)
    obstacle()
    expected = snapshot(directory)
    out = directory / "out"
    if out.is_dir() and not out.is_symlink():
        (out / "precious").unlink()
        out.rmdir()
    else:
        out.unlink()
    with pytest.raises(portrait.OutputExistsError, match="exists"):
        portrait.build("a.txt", "out", overwrite=overwrite, progress=Interfere(obstacle))
    assert snapshot(directory) == expected


def test_what_killed_builds_have_left_is_swept_away_and_what_others_write_is_not(directory: Path) -> None:
    dead, alive, other = directory / ".out.part-1", directory / ".out.part-2", directory / ".outer.part-1"
    for one in (dead, alive, other):
        one.mkdir()
        (one / "half").write_bytes(b"half")
    lock = os.open(alive, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        portrait.build("a.txt", "out")
    finally:
        os.close(lock)
    assert not dead.exists()
    assert (alive / "half").exists()
    assert (other / "half").exists()


def test_a_directory_left_by_a_killed_build_is_no_obstacle(directory: Path) -> None:
    # Process numbers come back; in a container, always the same.
    stale = directory / f".out.part-{os.getpid()}"
    stale.mkdir()
    (stale / "main-00001-of-00001.safetensors").write_bytes(b"half")
    assert portrait.build("a.txt", "out").query(TEXT).exact_document


@pytest.mark.parametrize("out", ["missing/out", "a.txt/out"])
def test_a_place_that_cannot_be_written_to_is_named(out: str, directory: Path) -> None:
    before = snapshot(directory)
    with pytest.raises(portrait.OutputError) as error:
        portrait.build("a.txt", out)
    parent = out.partition("/")[0]
    assert str(error.value).startswith(f"{parent}: cannot write: ")
    assert "\n" not in str(error.value)
    assert snapshot(directory) == before


@pytest.mark.parametrize(
    "out", ["o" * 300, "o" * 250, "a\0b", "a\ud800b"], ids=["long", "longish", "nul", "surrogate"]
)
def test_an_impossible_name_is_refused_by_name(out: str, directory: Path) -> None:
    before = snapshot(directory)
    with pytest.raises(portrait.OutputError) as error:
        portrait.build("a.txt", out)
    assert "\n" not in str(error.value)
    assert snapshot(directory) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_directory_that_may_not_be_written_to_is_named(directory: Path) -> None:
    directory.chmod(0o500)
    try:
        with pytest.raises(portrait.OutputError, match="Permission denied"):
            portrait.build("a.txt", "out")
    finally:
        directory.chmod(0o700)


@pytest.mark.parametrize("out", ["out", "out/", "./out", "../{here}/out"])
def test_the_place_may_be_spelled_in_any_way(out: str, directory: Path) -> None:
    built = portrait.build("a.txt", out.format(here=directory.name))
    assert built.name == "out"
    assert portrait.open(directory / "out").manifest == built.manifest
    assert names(directory) == ["a.txt", "bad.txt", "out"]


@pytest.mark.parametrize("size", [0, -1, 4095, 1e9, "5GB", None, True])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(portrait.SpecError, match="largest size of a shard is 4,096 bytes or more") as error:
        portrait.build("a.txt", "out", max_shard_bytes=size)
    assert error.value.parameter == "max_shard_bytes"
    assert not Path("out").exists()


def test_a_bundle_holds_its_manifest_its_shards_and_its_card() -> None:
    built = portrait.build({"arxiv": "a.txt", "日本 web": "a.txt"}, "two")
    files = [shard.file for layer in built.manifest.layers for shard in layer.shards]
    assert files == ["arxiv-00001-of-00001.safetensors", "web-00001-of-00001.safetensors"]
    assert {path.name for path in Path("two").iterdir()} == {"README.md", "portrait.json", *files}
