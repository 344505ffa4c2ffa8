"""Fixtures that the tests of reports share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.evaluation import built

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a portrait that holds some of the rows of the evaluation set."""
    return built(tmp_path_factory.mktemp("known"))
