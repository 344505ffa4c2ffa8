"""Portraits and data that the scans' tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.scans import ARABIC, RECORDS, STORY, lines

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("shelf")
    (where / "paper.txt").write_text(STORY)
    (where / "tales.txt").write_text(ARABIC)
    sources = {"paper": where / "paper.txt", "tales": where / "tales.txt"}
    portrait.build(sources, where / "wick.portrait")
    portrait.build({"paper": where / "paper.txt"}, where / "other.portrait")
    return where


@pytest.fixture
def wick(shelf: Path) -> Path:
    return shelf / "wick.portrait"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_bytes(lines(RECORDS))
    return path
