"""``portrait convert``: shard sizes, filters of other programs, and options without effect."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support.places import GOLDEN

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

STORY = "The pilot of the last tram keeps a ladder in the depot, and nobody has ever seen him climb it. " * 3
FOREIGN = "words.50-50.bf"


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path) -> None:
    """Write a portrait and a filter of the original library to the working directory."""
    (tmp_path / "a.txt").write_text(STORY)
    portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait")
    for path in (GOLDEN / "redisbloom").glob("words.50-50.bf*"):
        shutil.copy(path, tmp_path)


def test_a_portrait_keeps_its_id(cli: Cli, tmp_path: Path) -> None:
    result = cli.here("convert", "a.portrait", "b.portrait", "--max-shard-size", "64MB")
    size = sum(path.stat().st_size for path in (tmp_path / "b.portrait").glob("*-of-*.safetensors"))
    assert result == (0, f"b.portrait: 1 shard, {size} B\n", "")
    ids = [portrait.open(tmp_path / name).manifest.id for name in ("a.portrait", "b.portrait")]
    assert ids[0] == ids[1]
    message = cli.refused_here("convert", "a.portrait", "b.portrait")
    assert message.startswith("b.portrait: already exists: ")
    assert cli.here("convert", "a.portrait", "b.portrait", "--overwrite", "-q") == (0, "", "")


def test_a_foreign_filter_gets_a_manifest(cli: Cli, tmp_path: Path) -> None:
    result = cli.here("convert", FOREIGN, "wrapped", "--source", "words", "--license", "CC0-1.0")
    assert (result.code, result.err) == (0, "")
    manifest = portrait.open(tmp_path / "wrapped").manifest
    assert ([layer.source for layer in manifest.layers], manifest.license) == (["words"], "CC0-1.0")
    assert result.out.startswith("wrapped: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.portrait", "b", "--width", "50"], "--width has no use here: a.portrait: a portrait states its "),
        (["a.portrait", "b", "--license", "x"], "--license has no use here: a.portrait: "),
        ([FOREIGN, "b", "--max-shard-size", "1GB"], "--max-shard-size has no use here: words.50-50.bf: "),
        ([FOREIGN, "b", "--unit", "word"], "--unit is for .pybloom files: words.50-50.bf says it itself"),
        (
            ["x.pybloom", "b"],
            "x.pybloom does not say how its windows were cut: give --width, and --stride or --span",
        ),
        (["missing", "b"], "missing: no such file or directory"),
    ],
)
def test_options_without_effect_are_refused(
    arguments: list[str], message: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "x.pybloom").touch()
    assert cli.refused_here("convert", *arguments).startswith(message)
    assert not (tmp_path / "b").exists()
