"""Fixtures that the tests of the report's page share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.evaluation import COLUMNS, ROWS, write_jsonl

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def page(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The HTML of a report on the evaluation set."""
    data = write_jsonl(tmp_path_factory.mktemp("data") / "data.jsonl", ROWS)
    return portrait.report(
        bundle, data, columns=COLUMNS, date="2024-02-29", command="portrait report x"
    ).to_html()
