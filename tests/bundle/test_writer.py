"""Writing a bundle: completely or not at all, and never over something that is not a portrait."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.file_trees import snapshot
from support.progress_callbacks import ActionAtFinish, ByteCounter

import portrait
from portrait.bundle.pieces import N_KEYS, Piece
from portrait.bundle.reader import read
from portrait.bundle.shard_writer import StoredLayer, record_files
from portrait.bundle.tensors import TensorInfo
from portrait.bundle.writer import DEFAULT_SHARD_BYTES, BundleWriter, data_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "The lighthouse keeper counted the waves until he fell asleep, and woke at the wrong number."


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a corpus, a.txt, and one that cannot be read, bad.txt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    return tmp_path


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
def test_whatever_is_at_the_output_is_left_alone(obstacle: Callable[[], None], directory: Path) -> None:
    obstacle()
    before = snapshot(directory)
    with pytest.raises(portrait.OutputExistsError) as error:
        portrait.build("a.txt", "out")
    assert str(error.value) == "out: already exists: choose another name, or allow overwriting"
    assert snapshot(directory) == before


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_something_that_is_not_a_portrait_is_not_overwritten_even_on_demand(
    obstacle: Callable[[], None], directory: Path
) -> None:
    obstacle()
    before = snapshot(directory)
    with pytest.raises(portrait.OutputExistsError) as error:
        portrait.build("a.txt", "out", overwrite=True)
    reason = "exists and is not a portrait: choose another name"
    if Path("out").is_symlink():
        target = Path("out").readlink()
        reason = f"is a link to {target}: name the directory itself, or choose another name"
    assert str(error.value) == f"out: {reason}"
    assert snapshot(directory) == before


def test_overwriting_a_portrait_leaves_nothing_of_the_old_one(directory: Path) -> None:
    old_portrait()
    portrait.build("a.txt", "fresh")
    built = portrait.build("a.txt", "out", overwrite=True)
    assert built.query(TEXT).exact_document
    assert not portrait.open("out").query(Path("old.txt").read_text()).exact_document
    overwritten, fresh = (snapshot(directory / name) for name in ("out", "fresh"))
    # The card names the directory, and the old shard has kept its name until the new one stood beside it.
    ends = ("-00001-of-00001.safetensors", "-sketch.safetensors")
    old_names, new_names = ([f"{stem}{end}" for end in ends] for stem in ("main", "main-2"))
    assert [overwritten[name] for name in new_names] == [fresh[name] for name in old_names]
    assert overwritten.keys() == {"README.md", "portrait.json", *new_names}
    assert [one.file for layer in built.manifest.layers for one in layer.files] == new_names
    assert built.manifest.id == portrait.open("fresh").manifest.id
    # The next one may have the first name again.
    again = portrait.build("old.txt", "out", overwrite=True)
    assert [one.file for layer in again.manifest.layers for one in layer.files] == old_names
    assert names(Path()) == ["a.txt", "bad.txt", "fresh", "old.txt", "out"]


def test_a_build_that_may_overwrite_need_not_find_anything(directory: Path) -> None:
    portrait.build("a.txt", "out", overwrite=True)
    assert names(directory) == ["a.txt", "bad.txt", "out"]


def test_an_open_portrait_still_answers_after_it_is_overwritten() -> None:
    old_portrait()
    old = portrait.open("out")
    portrait.build("a.txt", "out", overwrite=True)
    assert old.query(Path("old.txt").read_text()).exact_document


@pytest.mark.parametrize("obstacle", [None, old_portrait])
def test_a_failing_build_leaves_what_was_there(obstacle: Callable[[], None] | None, directory: Path) -> None:
    if obstacle is not None:
        obstacle()
    before = snapshot(directory)
    with pytest.raises(portrait.CorpusError):
        portrait.build(["a.txt", "bad.txt"], "out", overwrite=True)
    assert snapshot(directory) == before


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("obstacle", [None, old_portrait])
def test_an_interrupted_build_leaves_what_was_there(
    obstacle: Callable[[], None] | None, directory: Path
) -> None:
    if obstacle is not None:
        obstacle()
    before = snapshot(directory)
    with pytest.raises(KeyboardInterrupt):
        portrait.build("a.txt", "out", overwrite=True, progress=ActionAtFinish(interrupt))
    assert snapshot(directory) == before


@pytest.mark.parametrize("obstacle", [foreign_directory, file, dangling_link])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_obstacle_that_appears_during_the_build_is_left_alone(
    obstacle: Callable[[], None], overwrite: bool, directory: Path
) -> None:
    obstacle()
    expected = snapshot(directory)
    out = directory / "out"
    if out.is_dir() and not out.is_symlink():
        (out / "precious").unlink()
        out.rmdir()
    else:
        out.unlink()
    with pytest.raises(portrait.OutputExistsError, match=r"exists|is a link to nowhere"):
        portrait.build("a.txt", "out", overwrite=overwrite, progress=ActionAtFinish(obstacle))
    assert snapshot(directory) == expected


def test_leftovers_of_killed_builds_are_removed_and_directories_in_use_are_not(directory: Path) -> None:
    digits = "0123456789abcdef"
    dead, alive = directory / f".out.part-{digits}", directory / f".out.part-{digits[::-1]}"
    other = directory / ".out.part-1"
    for staging in (dead, alive, other):
        staging.mkdir()
        (staging / "half").write_bytes(b"half")
    lock = os.open(alive, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        portrait.build("a.txt", "out")
    finally:
        os.close(lock)
    assert not dead.exists()
    assert (alive / "half").exists()
    assert (other / "half").exists()


@pytest.mark.parametrize("out", ["missing/out", "a.txt/out"])
def test_an_output_whose_parent_cannot_be_written_to_is_named(out: str, directory: Path) -> None:
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
def test_an_impossible_name_is_refused(out: str, directory: Path) -> None:
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
def test_the_output_may_be_any_spelling_of_its_path(out: str, directory: Path) -> None:
    built = portrait.build("a.txt", out.format(here=directory.name))
    assert built.name == "out"
    assert portrait.open(directory / "out").manifest == built.manifest
    assert names(directory) == ["a.txt", "bad.txt", "out"]


@pytest.mark.parametrize("size", [0, -1, 4095, 1e9, "5GB", None, True])
def test_an_invalid_shard_size_is_refused(size: Any) -> None:
    with pytest.raises(portrait.SpecError, match="largest size of a shard is 4,096 bytes or more") as error:
        portrait.build("a.txt", "out", max_shard_bytes=size)
    assert error.value.parameter == "max_shard_bytes"
    assert not Path("out").exists()


def test_a_bundle_holds_its_manifest_the_files_of_its_layers_and_its_card() -> None:
    built = portrait.build({"arxiv": "a.txt", "日本 web": "a.txt"}, "two")
    files = [one.file for layer in built.manifest.layers for one in layer.files]
    assert files == [
        "arxiv-00001-of-00001.safetensors",
        "arxiv-sketch.safetensors",
        "web-00001-of-00001.safetensors",
        "web-sketch.safetensors",
    ]
    assert {path.name for path in Path("two").iterdir()} == {"README.md", "portrait.json", *files}


# The writer without a build.


def piece(first_key: int = 0, last_key: int = N_KEYS - 1, n: int = 64) -> Piece:
    return Piece(first_key, last_key, [TensorInfo.of("blocks", "U8", n)], [bytes(n)])


def test_the_size_of_a_shard_leaves_room_for_its_header() -> None:
    assert 0 < data_bytes(4096) < 4096
    assert data_bytes(DEFAULT_SHARD_BYTES) > 0.999 * DEFAULT_SHARD_BYTES


def test_each_piece_of_a_layer_is_a_shard() -> None:
    progress = ByteCounter()
    with BundleWriter(Path("out")) as writer:
        half = N_KEYS // 2
        stored = writer.add_layer("a", "bloom", [piece(0, half - 1), piece(half)], progress)
        again = writer.add_layer("A", "bloom", [piece()])
    assert [shard.file for shard in stored.shards] == [
        "a-00001-of-00002.safetensors",
        "a-00002-of-00002.safetensors",
    ]
    assert [shard.first_key for shard in stored.shards] == ["0" * 16, f"{half:016x}"]
    assert stored.tensors == {"blocks": hashlib.sha256(bytes(128)).hexdigest()}
    assert progress.n_bytes == sum(shard.bytes for shard in stored.shards)
    assert again.tensors == {"blocks": hashlib.sha256(bytes(64)).hexdigest()}
    assert not Path("out").exists()


def test_a_file_of_another_format_is_a_layer() -> None:
    with BundleWriter(Path("out")) as writer:
        stored = writer.add_file("a", ".pybloom", "bits", [b"header", b"bits"])
    (shard,) = stored.shards
    assert (shard.file, shard.bytes) == ("a-00001-of-00001.pybloom", 10)
    assert stored == StoredLayer((shard,), {"bits": shard.sha256})


def test_a_layer_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("portrait.bundle.shard_writer.write_all", refuse)
    with BundleWriter(Path("out")) as writer:
        with pytest.raises(portrait.OutputError) as error:
            writer.add_layer("a", "bloom", [piece()])
        assert str(error.value) == "out: cannot write layer 'a': No space left on device"
        with pytest.raises(portrait.OutputError) as error:
            writer.add_file("a", ".pybloom", "bits", [b"x"])
        assert str(error.value) == "out: cannot write layer 'a': No space left on device"
    assert names(Path()) == ["a.txt", "bad.txt"]


def test_a_layer_is_kept_as_it_is_with_new_names_for_its_files() -> None:
    built = portrait.build({"a": "a.txt"}, "old")
    old = read(Path("old"))
    (layer,) = old.manifest.layers
    with BundleWriter(Path("new")) as writer:
        kept = writer.keep_layer(old, layer)
        other = writer.keep_layer(old, dataclasses.replace(layer, source="b"))
        writer.commit(dataclasses.replace(built.manifest, layers=(kept,)))
    assert kept == layer
    assert [one.file for one in other.files] == ["b-00001-of-00001.safetensors", "b-sketch.safetensors"]
    assert dataclasses.replace(other, source="a", shards=layer.shards, sketch=layer.sketch) == layer
    for one in layer.files:
        assert Path("new", one.file).stat().st_ino == Path("old", one.file).stat().st_ino


def test_the_sketch_of_a_layer_is_written_and_kept_beside_its_shards() -> None:
    with BundleWriter(Path("out")) as writer:
        assert writer.add_layer("a", "bloom", [piece()]).sketch is None
        stored = writer.add_layer("a", "bloom", [piece()], sketch=[1, 5, 1 << 63])
    assert stored.sketch is not None
    assert (stored.sketch.file, stored.sketch.n_keys) == ("a-sketch.safetensors", 3)
    portrait.build({"a": "a.txt"}, "old")
    old = read(Path("old"))
    (layer,) = old.manifest.layers
    assert layer.sketch is not None
    with BundleWriter(Path("new")) as writer:
        assert writer.keep_sketch(old, layer) == layer.sketch
        assert writer.keep_sketch(old, layer) == dataclasses.replace(
            layer.sketch, file="a-2-sketch.safetensors"
        )
        assert writer.keep_sketch(old, dataclasses.replace(layer, sketch=None)) is None
    Path("old", layer.sketch.file).unlink()
    with BundleWriter(Path("new")) as writer, pytest.raises(portrait.DamagedBundleError, match="is missing"):
        writer.keep_sketch(old, layer)


def test_a_layer_of_the_replaced_portrait_stays_in_place_unless_that_has_changed() -> None:
    portrait.build({"a": "a.txt"}, "out")
    old = read(Path("out"))
    (layer,) = old.manifest.layers
    before = snapshot(Path("out"))
    with BundleWriter(Path("out"), overwrite=True) as writer:
        assert writer.keep_layer(old, layer) == layer
        other = dataclasses.replace(old, manifest=dataclasses.replace(old.manifest, license="MIT"))
        with pytest.raises(portrait.OutputExistsError) as error:
            writer.keep_layer(other, layer)
        assert str(error.value) == "out: another process has changed it meanwhile: run this again"
        writer.commit(old.manifest)
    assert snapshot(Path("out")) == before


@pytest.mark.parametrize("words", ["", "Our own words.\n\n"])
def test_the_card_of_another_bundle_is_taken_over_with_what_people_have_written_in_it(words: str) -> None:
    portrait.build({"a": "a.txt"}, "old")
    old = read(Path("old"))
    (layer,) = old.manifest.layers
    mark = "<!-- portrait:begin"
    card = Path("old/README.md").read_text().replace(mark, f"{words}{mark}")
    with BundleWriter(Path("new")) as writer:
        writer.keep_layer(old, layer)
        manifest = dataclasses.replace(old.manifest, license="MIT")
        writer.commit(manifest, card.encode() if words else None, old.manifest if words else None)
    front, section = Path("new/README.md").read_text().split(mark)
    # What is new in the front matter of a card comes last, since the rest may be a person's.
    assert front.endswith(f'license: "mit"\n---\n\n{words}' if words else f'"data-portrait"\n---\n\n{words}')
    assert 'license: "mit"\n' in front
    assert "\n# new\n" in section
    assert "- Licence: MIT\n" in section


def test_a_layer_that_cannot_be_kept_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    portrait.build({"a": "a.txt"}, "old")
    old = read(Path("old"))
    (layer,) = old.manifest.layers

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(shutil, "copyfile", refuse)
    with BundleWriter(Path("new")) as writer, pytest.raises(portrait.OutputError) as error:
        writer.keep_layer(old, layer)
    assert str(error.value) == f"new: cannot write {layer.shards[0].file}: No space left on device"
    (Path("old") / layer.shards[0].file).unlink()
    with BundleWriter(Path("new")) as writer, pytest.raises(portrait.DamagedBundleError, match="missing"):
        writer.keep_layer(old, layer)


def test_files_are_linked_and_recorded() -> None:
    Path("theirs").mkdir()
    for name in ("one", "two"):
        Path("theirs", name).write_text(name)
    Path("link").symlink_to("theirs/two")
    progress = ByteCounter()
    with BundleWriter(Path("out")) as writer:
        stored = writer.link_files([Path("theirs/one"), Path("link")], "dump", progress)
    assert [(shard.file, shard.bytes) for shard in stored.shards] == [("one", 3), ("link", 3)]
    assert stored.tensors == {"dump": hashlib.sha256(b"onetwo").hexdigest()}
    assert progress.n_bytes == 6
    assert record_files([Path("theirs/one"), Path("link")], "dump") == stored


def test_a_file_that_cannot_be_linked_or_read_is_named() -> None:
    with BundleWriter(Path("out")) as writer, pytest.raises(portrait.OutputError) as error:
        writer.link_files([Path("theirs/missing")], "dump")
    assert str(error.value) == (
        "out: cannot link theirs/missing there: No such file or directory: wrap it in place, by giving "
        "theirs as the output, or write to the same file system"
    )
    with pytest.raises(portrait.OutputError) as error:
        record_files([Path("missing")], "dump")
    assert str(error.value) == "missing: cannot read it: No such file or directory"


def test_a_bundle_that_cannot_be_committed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    built = portrait.build({"a": "a.txt"}, "old")

    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with BundleWriter(Path("out")) as writer:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(portrait.OutputError) as error:
            writer.commit(built.manifest)
    assert str(error.value) == "out: cannot write: Input/output error"
    assert not Path("out").exists()


def test_a_check_raises_at_once_the_errors_that_a_commit_would() -> None:
    BundleWriter(Path("out")).check()
    assert names(Path()) == ["a.txt", "bad.txt"]
    with pytest.raises(portrait.OutputExistsError) as exists:
        BundleWriter(Path("a.txt")).check()
    assert exists.value.parameter == "overwrite"
    with pytest.raises(portrait.OutputExistsError, match="is not a portrait"):
        BundleWriter(Path("a.txt"), overwrite=True).check()
    with pytest.raises(portrait.OutputError) as error:
        BundleWriter(Path("missing/out")).check()
    assert str(error.value) == "missing: cannot write: No such file or directory"


def test_a_bundle_of_more_shards_than_can_be_opened_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = portrait.WindowSpec(sampling=portrait.Stride(1))
    Path("a.txt").write_text("".join(f"{i:x} " for i in range(20_000)))
    whole = portrait.build("a.txt", "whole", windows=windows, max_shard_bytes=4096)
    n_shards = len(whole.manifest.layers[0].shards)
    monkeypatch.setattr("portrait.bundle.writer.MAX_SHARDS", n_shards)
    portrait.build("a.txt", "again", windows=windows, max_shard_bytes=4096)
    monkeypatch.setattr("portrait.bundle.writer.MAX_SHARDS", n_shards - 1)
    before = names(Path())
    with pytest.raises(
        portrait.SpecError, match=r"out: would have more than .* too many to be opened"
    ) as caught:
        portrait.build("a.txt", "out", windows=windows, max_shard_bytes=4096)
    assert caught.value.parameter == "max_shard_bytes"
    with pytest.raises(portrait.SpecError, match="too many to be opened"):
        portrait.build("a.txt", "again", windows=windows, max_shard_bytes=4096, overwrite=True)
    assert names(Path()) == before
    assert portrait.open("again").manifest.id == whole.manifest.id
