"""``portrait verify``: its output in words, as JSON, or as the exit code alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

STORY = "The pilot of the last tram keeps a ladder in the depot, and nobody has ever seen him climb it. " * 3


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A portrait in the working directory of the commands."""
    (tmp_path / "a.txt").write_text(STORY)
    return portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait").path


def test_an_intact_portrait_is_confirmed_with_its_id(bundle: Path, cli: Cli) -> None:
    result = cli.here("verify", bundle.name)
    first, second = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert first.startswith("a.portrait: intact: 3 files, ")
    assert second == f"id {portrait.open(bundle).manifest.id}"
    assert cli.here("verify", bundle.name, "-q") == (0, "", "")


def test_json_is_the_library_s_result_on_one_line(bundle: Path, cli: Cli) -> None:
    result = cli.here("verify", bundle, "--json")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    assert json.loads(result.out) == portrait.verify(bundle).to_dict()


def test_files_that_are_not_part_of_the_portrait_are_noted(bundle: Path, cli: Cli) -> None:
    (bundle / "notes\x1b.txt").write_text("mine")
    result = cli.here("verify", bundle.name)
    assert result.code == 0
    assert result.err == "portrait: note: 'notes\\x1b.txt' is not part of the portrait\n"


def test_the_first_damaged_file_is_named(bundle: Path, cli: Cli) -> None:
    (shard,) = bundle.glob("*-of-*.safetensors")
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    assert shard.name in cli.refused_here("verify", bundle.name)
