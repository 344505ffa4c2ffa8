"""``portrait verify``: whole or not, in words, as JSON, or by the exit code alone."""

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
def built(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(STORY)
    return portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait").path


def test_an_intact_portrait_is_named_with_its_id(built: Path, cli: Cli) -> None:
    done = cli.here("verify", built.name)
    first, second = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert first.startswith("a.portrait: intact: 2 files, ")
    assert second == f"id {portrait.open(built).manifest.id}"
    assert cli.here("verify", built.name, "-q") == (0, "", "")


def test_json_is_one_line_and_what_the_library_says(built: Path, cli: Cli) -> None:
    done = cli.here("verify", built, "--json")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    assert json.loads(done.out) == portrait.verify(built).to_dict()


def test_files_of_others_are_noted(built: Path, cli: Cli) -> None:
    (built / "notes\x1b.txt").write_text("mine")
    done = cli.here("verify", built.name)
    assert done.code == 0
    assert done.err == "portrait: note: 'notes\\x1b.txt' is not part of the portrait\n"


def test_the_first_damaged_file_is_named(built: Path, cli: Cli) -> None:
    (shard,) = built.glob("*.safetensors")
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    assert shard.name in cli.refused_here("verify", built.name)
