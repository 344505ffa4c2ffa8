"""Portraits and data that the tests of scans share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.scans import ARABIC, RECORDS, STORY, lines

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two portraits, ``wick.portrait`` and ``other.portrait``."""
    where = tmp_path_factory.mktemp("shelf")
    (where / "paper.txt").write_text(STORY)
    (where / "tales.txt").write_text(ARABIC)
    sources = {"paper": where / "paper.txt", "tales": where / "tales.txt"}
    portrait.build(sources, where / "wick.portrait")
    portrait.build({"paper": where / "paper.txt"}, where / "other.portrait")
    return where


@pytest.fixture
def wick(shelf: Path) -> Path:
    """The path of a portrait of two sources."""
    return shelf / "wick.portrait"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of seven records, in the working directory of the commands."""
    path = tmp_path / "data.jsonl"
    path.write_bytes(lines(RECORDS))
    return path
