"""Optional dependencies: loaded, or named with the command that installs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from portrait.errors import MissingExtraError
from portrait.extras import load

if TYPE_CHECKING:
    from pathlib import Path


def test_an_installed_dependency_is_loaded() -> None:
    assert load("json", "build") is json


def test_a_missing_dependency_is_named_by_its_package() -> None:
    with pytest.raises(MissingExtraError) as caught:
        load("nothing_of_this_name.part", "build")
    message = "this needs nothing_of_this_name, which is not installed: pip install 'data-portrait[build]'"
    assert str(caught.value) == message
    assert isinstance(caught.value, ImportError)


def test_a_missing_indirect_dependency_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_installed.py").write_text("import the_other_half.part\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match="this needs the_other_half, "):
        load("half_installed", "build")
