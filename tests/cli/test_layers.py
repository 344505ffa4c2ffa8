"""``portrait add``, ``drop`` and ``merge``: their summaries and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

STORY = "The pilot of the last tram keeps a ladder in the depot, and nobody has ever seen him climb it. " * 3
SONG = "Over the weir and under the willow, where the kingfisher never comes twice, I lost my straw hat. " * 3


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path) -> None:
    """Write two texts and a portrait of each, ``one`` and ``two``, to the working directory."""
    (tmp_path / "tale.txt").write_text(STORY)
    (tmp_path / "song.txt").write_text(SONG)
    portrait.build({"tales": tmp_path / "tale.txt"}, tmp_path / "one")
    portrait.build({"songs": tmp_path / "song.txt"}, tmp_path / "two")


def size_of(directory: Path) -> int:
    """Return the size of a portrait's shards, in bytes."""
    return sum(path.stat().st_size for path in directory.glob("*-of-*.safetensors"))


def test_a_layer_is_added_and_dropped(cli: Cli, tmp_path: Path) -> None:
    result = cli.here("add", "one", "songs=song.txt")
    assert result == (0, f"one: 2 layers (songs, tales), {size_of(tmp_path / 'one')} B\n", "")
    assert portrait.open(tmp_path / "one").query(SONG).exact_document
    result = cli.here("drop", "one", "tales")
    assert result == (0, f"one: 1 layer (songs), {size_of(tmp_path / 'one')} B\n", "")
    assert cli.here("add", "one", "tales=tale.txt", "-q") == (0, "", "")


def test_portraits_are_merged(cli: Cli, tmp_path: Path) -> None:
    result = cli.here("merge", "one", "two", "-o", "both")
    assert result == (0, f"both: 2 layers (songs, tales), {size_of(tmp_path / 'both')} B\n", "")
    assert cli.refused_here("merge", "one", "two", "-o", "both").startswith("both: already exists: ")
    assert cli.here("merge", "one", "two", "-o", "both", "--overwrite", "-q") == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "one", "tales=song.txt"],
        ["drop", "one", "songs"],
        ["drop", "one", "tales"],
        ["merge", "one", "one", "-o", "out"],
    ],
    ids=["a name twice", "no such layer", "the last layer", "the same layer twice"],
)
def test_a_refused_command_changes_nothing(arguments: list[str], cli: Cli, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert cli.refused_here(*arguments)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
