"""Reports on the evaluation set that ``publish`` must refuse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portrait.reports.publish import Files, publish
from portrait.reports.runner import ReportOptions
from support.evaluation import COLUMNS

if TYPE_CHECKING:
    from portrait.errors import PortraitError

OPTIONS = ReportOptions(columns=COLUMNS)


def assert_refused(bundle: Path, data: Any, error: type[PortraitError], message: str, files: Files) -> None:
    """Check that ``publish`` raises this error and changes no file of the working directory."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with pytest.raises(error, match=message):
        publish(bundle, data, OPTIONS, files)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
