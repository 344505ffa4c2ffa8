"""An undamaged portrait, and copies of it for tests to damage."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait of two layers, one of them in several shards."""
    directory = tmp_path_factory.mktemp("whole")
    dice = random.Random(7)
    (directory / "a.txt").write_text("".join(dice.choices("abcdef ", k=120_000)))
    (directory / "b.txt").write_text("The lamplighter knew every street by the sound of its cats. " * 9)
    portrait.build(
        {"a": directory / "a.txt", "b": directory / "b.txt"},
        directory / "out",
        max_shard_bytes=4096,
        license="CC0-1.0",
    )
    return directory / "out"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of the portrait for one test to damage."""
    return shutil.copytree(whole, tmp_path / "bundle")


@pytest.fixture(scope="module")
def scratch(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the portrait that property tests damage and restore in every example."""
    return shutil.copytree(whole, tmp_path_factory.mktemp("scratch") / "bundle")
