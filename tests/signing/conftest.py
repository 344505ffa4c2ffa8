"""A small portrait, and copies of it to sign."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "The beekeeper counts her hives at dusk, and writes the number on the door of the shed. " * 4


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait that nobody has signed."""
    directory = tmp_path_factory.mktemp("whole")
    (directory / "a.txt").write_text(TEXT)
    return portrait.build(directory / "a.txt", directory / "bees.portrait", license="CC0-1.0").path


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of the portrait, for one test to sign and to change."""
    return shutil.copytree(whole, tmp_path / "bees.portrait")
