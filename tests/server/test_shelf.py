"""``Shelf``: the portraits of a server, and how it follows changes of their files."""

from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from portrait_server import errors
from portrait_server.shelf import Shelf
from support.forge import change_manifest
from support.live import BREAD, FERRY, build
from support.permissions import without_privilege
from support.places import GOLDEN

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ferry(tmp_path: Path) -> Path:
    """The path of a portrait of one text."""
    return build(tmp_path / "ferry.portrait", FERRY)


@pytest.fixture
def bread(tmp_path: Path) -> Path:
    """The path of a portrait of another text."""
    return build(tmp_path / "bread.portrait", BREAD)


def verdicts(shelf: Shelf, *texts: str, names: list[str] | None = None) -> list[str]:
    """Return the verdict on each text."""
    return [answer.verdict for answer in shelf.ask(names, texts)]


def test_a_shelf_answers_as_the_library_does(ferry: Path, bread: Path) -> None:
    shelf = Shelf([ferry, bread])
    assert shelf.names == ("ferry", "bread")
    opened = [portrait.open(ferry), portrait.open(bread)]
    assert shelf.ask(None, [FERRY, BREAD]) == portrait.query(opened, [FERRY, BREAD])
    assert shelf.ask(["bread"], [BREAD], 0.5) == portrait.query(opened[1:], [BREAD], evalue=0.5)
    assert verdicts(shelf, FERRY, names=["bread"]) == ["not_found"]
    assert shelf.get("ferry").sources == ("main",)


def test_an_unknown_portrait_is_a_named_error(ferry: Path) -> None:
    shelf = Shelf([ferry])
    with pytest.raises(errors.UnknownPortraitError, match="'bread'") as caught:
        shelf.get("bread")
    assert caught.value.http_status == 404
    with pytest.raises(errors.UnknownPortraitError, match="'bread'"):
        shelf.ask(["ferry", "bread"], [FERRY])
    with pytest.raises(portrait.SpecError, match="rename"):
        Shelf([ferry, ferry])
    with pytest.raises(portrait.NotAPortraitError):
        Shelf([ferry, ferry.parent / "none"])


def test_a_new_bundle_takes_the_old_one_s_place(ferry: Path) -> None:
    shelf = Shelf([ferry])
    old = shelf.get("ferry")
    assert shelf.reload() == []
    assert shelf.get("ferry") is old
    build(ferry, BREAD)
    assert shelf.reload() == ["ferry"]
    assert verdicts(shelf, BREAD, FERRY) == ["found", "not_found"]
    assert old.query(FERRY).verdict == "found"
    assert shelf.reload(force=True) == ["ferry"]


def test_a_broken_new_bundle_leaves_the_old_one(ferry: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf([ferry])
    # Moved and not deleted: a new file may get the inode of a deleted one, and would look truncated.
    ferry.rename(ferry.with_suffix(".old"))
    ferry.mkdir()
    (ferry / "portrait.json").write_text("{}")
    with caplog.at_level(logging.ERROR):
        assert shelf.reload() == []
        assert shelf.reload() == []
    (record,) = caplog.records
    assert "portrait ferry stays as it was: " in record.getMessage()
    assert verdicts(shelf, FERRY) == ["found"]
    assert shelf.ready
    assert "portrait.json" in shelf.problems["ferry"]
    ferry.rename(ferry.with_suffix(".broken"))
    build(ferry, BREAD)
    assert shelf.reload() == ["ferry"]
    assert shelf.problems == {}


def test_a_truncated_portrait_is_withdrawn(ferry: Path, bread: Path) -> None:
    shelf = Shelf([ferry, bread])
    (shard,) = ferry.glob("*-of-*.safetensors")
    os.truncate(shard, 100)
    assert shelf.reload() == []
    assert not shelf.ready
    with pytest.raises(errors.WithdrawnPortraitError):
        shelf.ask(["ferry"], [FERRY])
    assert verdicts(shelf, BREAD, names=["bread"]) == ["found"]
    with pytest.raises(portrait.DamagedBundleError):
        Shelf([ferry, bread])
    lenient = Shelf([ferry, bread], lenient=True)
    assert (lenient.names, lenient.ready) == (("ferry", "bread"), False)
    build(ferry, FERRY)
    assert shelf.reload() == lenient.reload() == ["ferry"]
    assert verdicts(lenient, FERRY) == verdicts(shelf, FERRY) == ["found"]


def test_a_truncated_manifest_leaves_the_portrait_as_it_was(ferry: Path) -> None:
    shelf = Shelf([ferry])
    os.truncate(ferry / "portrait.json", 10)
    assert shelf.reload() == []
    assert verdicts(shelf, FERRY) == ["found"]
    assert "portrait.json" in shelf.problems["ferry"]


def test_an_unreadable_portrait_leaves_the_others_alone(ferry: Path, bread: Path) -> None:
    shelf = Shelf([ferry, bread])
    build(bread, FERRY)
    (ferry / "portrait.json").chmod(0)
    with without_privilege():
        assert shelf.reload(force=True) == ["bread"]
        lenient = Shelf([ferry, bread], lenient=True)
        with pytest.raises(portrait.NotAPortraitError, match="Permission denied"):
            Shelf([ferry, bread])
    assert verdicts(shelf, FERRY, names=["bread"]) == verdicts(lenient, FERRY, names=["bread"]) == ["found"]
    assert verdicts(shelf, FERRY, names=["ferry"]) == ["found"], "the portrait that was open stays"
    with pytest.raises(errors.WithdrawnPortraitError, match="'ferry' cannot be asked now"):
        lenient.ask(["ferry"], [FERRY])
    assert "portrait.json: Permission denied" in shelf.problems["ferry"]
    (ferry / "portrait.json").chmod(0o644)
    assert "ferry" in lenient.reload()
    assert shelf.reload() == ["ferry"]
    assert shelf.problems == lenient.problems == {}


def test_a_worker_starts_although_two_portraits_have_one_name_by_now(ferry: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = build(tmp_path / "other" / "ferry.portrait", BREAD)
    with pytest.raises(portrait.SpecError, match="rename"):
        Shelf([ferry, other])
    assert verdicts(Shelf([ferry, other], lenient=True), FERRY) == ["found"]


def test_the_card_is_that_of_the_portrait(ferry: Path, bread: Path) -> None:
    shelf = Shelf([ferry, bread])
    assert shelf.card("ferry") == (ferry / "README.md").read_text()
    with pytest.raises(errors.UnknownPortraitError):
        shelf.card("none")


@pytest.mark.parametrize("name", ["words", "wo[r]ds", "words[1]", "w?rds", "*"])
def test_every_part_of_a_foreign_portrait_is_watched_whatever_its_name(name: str, tmp_path: Path) -> None:
    redisbloom = GOLDEN / "redisbloom"
    path = tmp_path / f"{name}.50-50.bf"
    part = tmp_path / f"{path.name}.part0.bin"
    index = (redisbloom / "words.50-50.bf").read_text().replace("words.50-50.bf", path.name)
    path.write_text(index)
    shutil.copy(redisbloom / "words.50-50.bf.part0.bin", part)
    shelf = Shelf([path])
    assert shelf.reload() == []
    part.with_suffix(".new").write_bytes(part.read_bytes())
    part.with_suffix(".new").rename(part)
    assert shelf.reload() == [f"{name}.50-50"]
    os.truncate(part, 100)
    shelf.reload()
    assert not shelf.ready


def test_a_portrait_whose_recorded_rate_its_filter_contradicts_is_not_opened(ferry: Path) -> None:
    fpr = portrait.open(ferry).layers[0].fpr
    change_manifest(ferry, lambda manifest: manifest["layers"][0].update(fpr=fpr / 1000))
    with pytest.raises(portrait.PortraitError, match="rate of layer 'main' is recorded as"):
        Shelf([ferry])
