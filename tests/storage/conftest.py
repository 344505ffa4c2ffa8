"""Fixtures for the tests of storage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def synced_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files and directories synced so far, which are not really synced."""
    names: list[str] = []

    def fsync(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    return names
