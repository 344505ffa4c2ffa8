"""Fixtures that the tests of several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.hub_fixtures import hub, hub_server, tale  # noqa: F401  # fixtures of several commands
from support.reading_room import build_room

if TYPE_CHECKING:
    from pathlib import Path

    import portrait


@pytest.fixture
def room(tmp_path: Path) -> portrait.Portrait:
    """A portrait of two layers, in the working directory of the commands."""
    return build_room(tmp_path)
