"""A bundle written into a directory of other files: what is placed, what is kept, what is swept."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.file_trees import snapshot
from support.forge import change_manifest

import portrait
from portrait.bundle.reader import read
from portrait.bundle.replacement import remove_leftovers, replace_bundle, replaceable, write_beside
from portrait.bundle.writer import BundleWriter
from portrait.storage.atomic import create_file

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

TEXT = "The lighthouse keeper counted the waves until he fell asleep, and woke at the wrong number."
SHARD = "a-00001-of-00001.safetensors"
SKETCH = "a-sketch.safetensors"
#: The names that they get where those are taken.
NEW_SHARD, NEW_SKETCH = (name.replace("a-", "a-2-", 1) for name in (SHARD, SKETCH))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a portrait in ``old`` and an empty staging directory."""
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(TEXT)
    Path("b.txt").write_text(TEXT[::-1])
    portrait.build({"a": "a.txt"}, "old")
    Path("staging").mkdir()
    return tmp_path


def names(directory: str) -> list[str]:
    return sorted(path.name for path in Path(directory).iterdir())


def refuse(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_directory_of_shards_becomes_a_bundle() -> None:
    manifest = read(Path("old")).manifest
    Path("old/portrait.json").unlink()
    Path("old/README.md").write_text("mine")
    write_beside(Path("old"), manifest, overwrite=False)
    assert portrait.open("old").manifest == manifest
    assert Path("old/README.md").read_text() == "mine"
    Path("old/README.md").unlink()
    with pytest.raises(portrait.OutputExistsError) as error:
        write_beside(Path("old"), manifest, overwrite=False)
    assert str(error.value) == (
        "old/portrait.json: already exists: choose another output, or allow overwriting"
    )
    assert error.value.parameter == "overwrite"
    write_beside(Path("old"), replace(manifest, license="caf\udce9"), overwrite=True)
    assert "- Licence: caf\\\\udce9\n" in Path("old/README.md").read_text()
    assert names("old") == ["README.md", SHARD, SKETCH, "portrait.json"]


def test_a_directory_that_cannot_be_written_to_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read(Path("old")).manifest
    before = snapshot(Path("old"))
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(portrait.OutputError) as error:
        write_beside(Path("old"), manifest, overwrite=True)
    assert str(error.value) == "old: cannot write: No space left on device"
    assert snapshot(Path("old")) == before


def test_only_a_manifest_that_can_be_read_is_replaceable() -> None:
    bundle = replaceable(Path("old"))
    assert bundle is not None
    assert bundle.manifest == read(Path("old")).manifest
    assert replaceable(Path("staging")) is None
    Path("old/portrait.json").write_text("{}")
    with pytest.raises(portrait.OutputExistsError) as error:
        replaceable(Path("old"))
    assert str(error.value) == (
        'old/portrait.json: not a portrait\'s manifest: it has no "format": "portrait": so nothing says '
        "which files are the portrait's, and none is replaced: choose another output, or move the manifest "
        "away"
    )


def test_another_manifest_than_the_expected_one_is_not_replaced() -> None:
    manifest = read(Path("old")).manifest
    before = snapshot(Path("old"))
    with pytest.raises(portrait.OutputExistsError, match="another process has changed it meanwhile"):
        replace_bundle(Path("old"), Path("staging"), manifest, base=replace(manifest, license="other"))
    with pytest.raises(portrait.OutputExistsError, match="already exists"):
        replace_bundle(Path("old"), Path("staging"), manifest, overwrite=False)
    assert snapshot(Path("old")) == before


def test_files_are_placed_where_there_are_no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    Path("old/main-00001-of-00001.safetensors").write_text("a person's file")
    monkeypatch.setattr(os, "link", unsupported)
    portrait.build("b.txt", "old", overwrite=True)
    assert names("old") == [
        "README.md",
        "main-00001-of-00001.safetensors",
        "main-2-00001-of-00001.safetensors",
        "main-sketch.safetensors",
        "portrait.json",
    ]
    assert Path("old/main-00001-of-00001.safetensors").read_text() == "a person's file"
    portrait.verify("old")


def test_a_layer_is_kept_in_place() -> None:
    bundle = read(Path("old"))
    inode = Path("old", SHARD).stat().st_ino
    with BundleWriter(Path("old"), overwrite=True) as writer:
        layer = writer.keep_layer(bundle, bundle.manifest.layers[0])
        writer.commit(replace(bundle.manifest, layers=(layer,), license="MIT"))
    assert Path("old", SHARD).stat().st_ino == inode
    assert portrait.open("old").manifest.license == "MIT"


def test_leftovers_are_known_by_their_links_and_not_by_their_names_alone() -> None:
    for folder in ("coming", "going"):
        Path("staging", folder).mkdir()
    for name in ("new", "gone", "listed", "replaced"):
        Path("old", name).write_text(name)
    os.link("old/new", "staging/coming/new")
    os.link("old/gone", "staging/going/gone")
    os.link(f"old/{SHARD}", f"staging/coming/{SHARD}")
    os.link(f"old/{SKETCH}", f"staging/going/{SKETCH}")
    # A person's file of the same name, and one that is gone already.
    Path("staging/coming/replaced").write_text("a shard")
    Path("staging/coming/missing").write_text("a shard")
    remove_leftovers(Path("old"), Path("staging"))
    assert names("old") == ["README.md", SHARD, SKETCH, "listed", "portrait.json", "replaced"]
    # Nothing is known where the manifest cannot be read.
    Path("old/portrait.json").write_text("{}")
    remove_leftovers(Path("old"), Path("staging"))
    assert SHARD in names("old")


def test_an_error_takes_back_what_was_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(Path("old"))
    monkeypatch.setattr("portrait.bundle.replacement.sync_directory", refuse)
    with pytest.raises(portrait.OutputError, match="old: cannot write: No space left on device"):
        portrait.build("b.txt", "old", overwrite=True)
    assert snapshot(Path("old")) == before


@pytest.mark.parametrize("name", ["README.md", "portrait.json", "n" * 300])
def test_an_old_manifest_that_lists_what_can_be_no_shard_is_replaced(name: str) -> None:
    change_manifest(Path("old"), lambda manifest: manifest["layers"][0]["shards"][0].update(file=name))
    portrait.build({"a": "b.txt"}, "old", overwrite=True)
    # Nothing says any more whose the old shard is.
    assert names("old") == ["README.md", SHARD, NEW_SHARD, NEW_SKETCH, "portrait.json"]
    portrait.verify("old")


def stage(text: str) -> Manifest:
    """Put the files of a text's portrait into the staging directory, and return the portrait's manifest."""
    manifest = portrait.build({"a": text}, "new").manifest
    for name in (SHARD, SKETCH):
        Path("new", name).rename(Path("staging", name))
    return manifest


def test_a_file_that_keeps_its_content_keeps_its_name() -> None:
    inodes = [Path("old", name).stat().st_ino for name in (SHARD, SKETCH)]
    made = replace_bundle(Path("old"), Path("staging"), stage("a.txt"))
    assert [one.file for layer in made.layers for one in layer.files] == [SHARD, SKETCH]
    assert names("old") == ["README.md", SHARD, SKETCH, "portrait.json"]
    assert not {Path("old", name).stat().st_ino for name in (SHARD, SKETCH)} & {*inodes}
    portrait.verify("old")


def test_a_sketch_is_replaced_as_the_shards_are() -> None:
    made = replace_bundle(Path("old"), Path("staging"), stage("b.txt"))
    assert [one.file for layer in made.layers for one in layer.files] == [NEW_SHARD, NEW_SKETCH]
    assert names("old") == ["README.md", NEW_SHARD, NEW_SKETCH, "portrait.json"]
    portrait.verify("old")


def test_a_file_that_appears_meanwhile_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = stage("b.txt")
    theirs = Path("old", NEW_SHARD)
    before = snapshot(Path("old"))

    def appear(path: Path, *content: bytes) -> None:
        theirs.write_text("a person's file")
        create_file(path, *content)

    monkeypatch.setattr("portrait.bundle.replacement.create_file", appear)
    with pytest.raises(FileExistsError):
        replace_bundle(Path("old"), Path("staging"), manifest)
    assert theirs.read_text() == "a person's file"
    theirs.unlink()
    assert snapshot(Path("old")) == before


def test_a_link_to_an_old_shard_is_removed_by_the_next_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a hub's cache.
    Path("old", SHARD).rename("blob")
    Path("old", SHARD).symlink_to("../blob")
    manifest = stage("b.txt")
    syncs = iter([None, OSError(errno.EIO, "Input/output error")])

    def end_after_the_manifest(_: Path) -> None:
        if error := next(syncs):
            raise error

    with monkeypatch.context() as patched:
        patched.setattr("portrait.bundle.replacement.sync_directory", end_after_the_manifest)
        with pytest.raises(OSError, match="Input/output error"):
            replace_bundle(Path("old"), Path("staging"), manifest)
    assert Path("old", SHARD).is_symlink()
    remove_leftovers(Path("old"), Path("staging"))
    assert names("old") == ["README.md", NEW_SHARD, NEW_SKETCH, "portrait.json"]
    assert Path("blob").exists()
    portrait.verify("old")


# The card.


def test_a_card_that_is_there_keeps_what_people_have_written_around_it() -> None:
    card = Path("old/README.md")
    old = card.read_text()
    front, section = old.split("<!-- portrait:begin", 1)
    card.write_text(f"{front}Our own words.\n\n<!-- portrait:begin{section}\nAnd more of them.\n")
    # Of an attempt before.
    Path("staging/README.md").write_text("half a card")
    manifest = replace(stage("b.txt"), license="MIT")
    replace_bundle(Path("old"), Path("staging"), manifest)
    written = card.read_text()
    assert 'license: "mit"\n---\n\nOur own words.\n\n<!-- portrait:begin' in written
    assert written.endswith("<!-- portrait:end -->\n\nAnd more of them.\n")
    assert "- Licence: MIT\n" in written
    assert f"- Id: `{manifest.id}`\n" in written


@pytest.mark.parametrize("theirs", ["file", "link to nowhere"])
def test_a_page_of_a_person_s_own_stays(theirs: str) -> None:
    card = Path("old/README.md")
    card.unlink()
    if theirs == "file":
        card.write_text("A page of our own.")
    else:
        card.symlink_to("nowhere")
    before = snapshot(Path("old"))["README.md"]
    replace_bundle(Path("old"), Path("staging"), stage("b.txt"))
    assert snapshot(Path("old"))["README.md"] == before
    portrait.verify("old")


def test_a_page_that_a_person_writes_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Path("old/README.md")
    card.unlink()
    manifest = stage("b.txt")

    def write_meanwhile(_: Path) -> None:
        card.write_text("A page of our own.")

    monkeypatch.setattr("portrait.bundle.replacement.sync_directory", write_meanwhile)
    replace_bundle(Path("old"), Path("staging"), manifest)
    assert card.read_text() == "A page of our own."
    assert read(Path("old")).manifest.id == manifest.id


def test_a_bundle_without_a_card_gets_one() -> None:
    Path("old/README.md").unlink()
    manifest = stage("b.txt")
    replace_bundle(Path("old"), Path("staging"), manifest)
    text = Path("old/README.md").read_text()
    assert "\n# old\n" in text
    assert f"- Id: `{manifest.id}`\n" in text
