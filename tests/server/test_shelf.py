"""``Shelf``: the portraits of a server, and how it follows changes of their files."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from portrait_server import errors
from portrait_server.shelf import Shelf
from support.live import BREAD, FERRY, build

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
    build(ferry, BREAD)
    assert shelf.reload() == ["ferry"]
    assert shelf.problems == {}


def test_a_truncated_portrait_is_withdrawn(ferry: Path, bread: Path) -> None:
    shelf = Shelf([ferry, bread])
    (shard,) = ferry.glob("*.safetensors")
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
