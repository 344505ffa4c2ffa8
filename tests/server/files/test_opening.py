"""Opening portraits: within their roots, and whatever is wrong is one portrait's problem."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from portrait_server.errors import ForbiddenFileError
from portrait_server.files.opening import MAX_CARD_BYTES, open_leniently, open_place, renewed
from support.hub_stand_in import serving
from support.live import BREAD, FERRY, build
from support.permissions import without_privilege
from support.places import TESTS

import portrait

if TYPE_CHECKING:
    from collections.abc import Callable

DUMPS = TESTS / "golden" / "redisbloom"


@pytest.fixture
def ferry(tmp_path: Path) -> Path:
    """The path of a bundle."""
    return build(tmp_path / "ferry.portrait", FERRY)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """The path of a filter of the original library."""
    folder = tmp_path / "filters"
    folder.mkdir()
    for name in ("words.50-50.bf", "words.50-50.bf.part0.bin"):
        shutil.copy(DUMPS / name, folder)
    return folder / "words.50-50.bf"


def linked_away(file: Path, folder: Path) -> Path:
    """Move a file into a folder, leave a link in its place, and return the folder."""
    folder.mkdir(exist_ok=True)
    target = folder / file.name
    file.rename(target)
    file.symlink_to(os.path.relpath(target, file.parent))
    return folder


def test_the_files_of_a_bundle_are_followed(ferry: Path) -> None:
    place = open_place(ferry)
    assert (place.name, place.path, place.problem) == ("ferry", ferry, None)
    (shard,) = ferry.glob("*-of-*.safetensors")
    assert {path.name for path in place.stamps} == {"portrait.json", shard.name}
    assert renewed(place) is place
    build(ferry, BREAD)
    again = renewed(place)
    assert again.portrait is not None
    assert again.portrait.query(BREAD).verdict == "found"


def test_a_sketch_is_not_read_to_answer(ferry: Path, tmp_path: Path) -> None:
    (sketch,) = ferry.glob("*-sketch.safetensors")
    linked_away(sketch, tmp_path / "blobs")
    place = open_place(ferry)
    sketch.unlink()
    os.mkfifo(sketch)
    for one in (place, renewed(place, force=True)):
        assert one.portrait is not None
        assert one.portrait.query(FERRY).verdict == "found"


def test_the_files_of_an_original_filter_are_followed(words: Path) -> None:
    place = open_place(words)
    assert {path.name for path in place.stamps} == {words.name, f"{words.name}.part0.bin"}
    assert place.card() is None


@pytest.mark.parametrize("name", ["portrait.json", "*-of-*.safetensors"])
def test_a_file_of_a_bundle_outside_its_directory_needs_a_root(
    name: str, ferry: Path, tmp_path: Path
) -> None:
    (file,) = ferry.glob(name)
    blobs = linked_away(file, tmp_path / "blobs")
    with pytest.raises(ForbiddenFileError, match=f"add {blobs} to the setting 'roots'") as caught:
        open_place(ferry)
    assert caught.value.parameter == "roots"
    place = open_place(ferry, (blobs,))
    assert place.portrait is not None
    assert place.portrait.query(FERRY).verdict == "found"


def test_a_snapshot_of_the_hub_needs_its_blobs_as_a_root(ferry: Path, tmp_path: Path) -> None:
    """As huggingface_hub lays out its cache: every file of a snapshot is a link into ``blobs``."""
    repository = tmp_path / "hub" / "models--org--name"
    snapshot, blobs = repository / "snapshots" / ("4f" * 20), repository / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    named = snapshot / "ferry.portrait"
    named.mkdir()
    for file in ferry.iterdir():
        blob = blobs / hashlib.sha256(file.read_bytes()).hexdigest()
        shutil.copy(file, blob)
        (named / file.name).symlink_to(os.path.relpath(blob, named))
    with pytest.raises(ForbiddenFileError, match=f"add {blobs} to the setting 'roots'"):
        open_place(named)
    place = open_place(named, (blobs,))
    assert place.portrait is not None
    assert place.portrait.query(FERRY).verdict == "found"
    assert place.card() == (ferry / "README.md").read_text()


def test_a_part_of_an_original_filter_outside_its_directory_needs_a_root(words: Path, tmp_path: Path) -> None:
    blobs = linked_away(words.with_name(f"{words.name}.part0.bin"), tmp_path / "blobs")
    with pytest.raises(ForbiddenFileError, match=f"add {blobs} to the setting 'roots'"):
        open_place(words)
    assert open_place(words, (blobs,)).portrait is not None


def test_the_portrait_itself_may_be_named_by_a_link(ferry: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(ferry)
    place = open_place(tmp_path / "current")
    assert (place.name, place.card()) == ("ferry", (ferry / "README.md").read_text())


def test_a_card_that_leads_outside_is_not_served(
    ferry: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card = (ferry / "README.md").read_text()
    blobs = linked_away(ferry / "README.md", tmp_path / "blobs")
    place = open_place(ferry)
    assert place.portrait is not None
    assert place.card() is None
    assert f"its card is not served: {ferry}/README.md: leads to {blobs}" in caplog.text
    assert open_place(ferry, (blobs,)).card() == card
    caplog.clear()
    (ferry / "README.md").unlink()
    assert open_place(ferry).card() is None
    assert caplog.text == ""


def test_a_card_is_cut_between_two_characters(ferry: Path) -> None:
    card = ferry / "README.md"
    card.write_text("é" * MAX_CARD_BYTES)
    assert open_place(ferry).card() == "é" * (MAX_CARD_BYTES // 2)
    card.write_text("x" + "é" * MAX_CARD_BYTES)
    assert open_place(ferry).card() == "x" + "é" * (MAX_CARD_BYTES // 2 - 1)
    card.write_bytes(b"caf\xe9")
    assert open_place(ferry).card() == "caf\N{REPLACEMENT CHARACTER}"


def test_a_card_is_read_as_it_is_now(ferry: Path) -> None:
    place = open_place(ferry)
    (ferry / "README.md").write_text("changed")
    assert place.card() == "changed"
    (ferry / "README.md").unlink()
    (ferry / "README.md").symlink_to("/etc/passwd")
    assert place.card() is None


def unreadable(path: Path) -> None:
    path.chmod(0)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def too_long(path: Path) -> None:
    path.unlink()
    path.symlink_to("x" * 4000)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\x00" * 50)


DAMAGES: list[Callable[[Path], None]] = [unreadable, loop, too_long, pipe, folder, garbage, Path.unlink]
NAMES = [damage.__name__ for damage in DAMAGES]


@pytest.mark.parametrize("damage", DAMAGES, ids=NAMES)
@pytest.mark.parametrize("name", ["portrait.json", "*-of-*.safetensors"])
def test_every_damage_is_one_named_error(damage: Callable[[Path], None], name: str, ferry: Path) -> None:
    (file,) = ferry.glob(name)
    place = open_place(ferry)
    damage(file)
    with without_privilege():
        with pytest.raises(portrait.PortraitError, match="ferry") as caught:
            open_place(ferry)
        lenient = open_leniently(ferry)
        kept = renewed(place, force=True)
    assert lenient.portrait is None
    assert (lenient.name, lenient.problem) == ("ferry", str(caught.value))
    assert kept.problem == str(caught.value)
    ferry.rename(ferry.with_suffix(".old"))
    build(ferry, BREAD)
    for one in (lenient, kept):
        again = renewed(one)
        assert again.problem is None
        assert again.portrait is not None


@pytest.mark.parametrize("damage", DAMAGES, ids=NAMES)
def test_damage_of_an_original_filter_is_a_named_error(damage: Callable[[Path], None], words: Path) -> None:
    damage(words.with_name(f"{words.name}.part0.bin"))
    with without_privilege(), pytest.raises(portrait.PortraitError, match=r"words\.50-50"):
        open_place(words)
    assert open_leniently(words).name == "words.50-50"


def test_an_unreadable_directory_is_a_named_error(ferry: Path) -> None:
    ferry.chmod(0)
    try:
        with without_privilege():
            with pytest.raises(portrait.NotAPortraitError, match="Permission denied"):
                open_place(ferry)
            assert open_leniently(ferry).name == "ferry"
    finally:
        ferry.chmod(0o755)


def test_an_unforeseen_error_is_that_portrait_s_problem_too(
    ferry: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = open_place(ferry)

    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(portrait, "open", fail)
    with caplog.at_level(logging.ERROR):
        assert open_leniently(ferry).problem == f"{ferry}: cannot be opened: ZeroDivisionError"
        kept = renewed(place, force=True)
        assert renewed(kept, force=True).portrait is place.portrait
    assert kept.problem == f"{ferry}: cannot be opened: ZeroDivisionError"
    assert len([record for record in caplog.records if record.exc_info]) == 2


def test_a_file_replaced_while_it_is_opened_is_noticed(ferry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shard,) = ferry.glob("*-of-*.safetensors")
    library_open = portrait.open

    def exchange(path: Path) -> portrait.Portrait:
        opened = library_open(path)
        copy = shutil.copy(shard, shard.with_suffix(".new"))
        Path(copy).rename(shard)
        return opened

    monkeypatch.setattr(portrait, "open", exchange)
    with pytest.raises(portrait.DamagedBundleError, match="was replaced while it was opened"):
        open_place(ferry)
    monkeypatch.undo()
    assert open_place(ferry).portrait is not None


def test_a_portrait_on_a_hub_is_served_and_renewed_when_asked(
    ferry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        repository = {path.name: path.read_bytes() for path in ferry.iterdir()}
        hub.add_model("org/boats", {f"portrait/{name}": data for name, data in repository.items()})
        place = open_place("hf://org/boats/portrait")
        assert (place.name, place.location) == ("portrait", "hf://org/boats/portrait")
        assert place.portrait is not None
        assert place.portrait.query(FERRY).verdict == "found"
        assert place.card() == (ferry / "README.md").read_text()
        build(ferry, BREAD)
        newer = {path.name: path.read_bytes() for path in ferry.iterdir()}
        hub.models["org/boats"].commit({f"portrait/{name}": data for name, data in newer.items()})
        n_requests = len(hub.requests)
        assert renewed(place) is place
        assert len(hub.requests) == n_requests
        again = renewed(place, force=True)
        assert again.portrait is not None
        assert again.portrait.query(BREAD).verdict == "found"
        nothing = open_leniently("hf://org/nothing")
        assert (nothing.name, nothing.portrait) == ("nothing", None)
        assert nothing.problem is not None
        assert nothing.problem.startswith("hf://org/nothing: no such repository")
        assert renewed(nothing) is nothing
