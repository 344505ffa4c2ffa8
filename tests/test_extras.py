"""Optional dependencies: loaded, or named with the command that installs them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from portrait.errors import MissingExtraError
from portrait.extras import load

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_installed_is_loaded() -> None:
    assert load("json", "build") is json


def test_what_is_missing_is_named_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    # None makes an import fail as if nothing were installed.
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.delitem(sys.modules, "tqdm.auto", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        load("tqdm.auto", "build")
    assert str(caught.value) == "this needs tqdm, which is not installed: pip install 'portrait[build]'"
    assert isinstance(caught.value, ImportError)


def test_what_a_dependency_itself_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_installed.py").write_text("import the_other_half.part\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match="this needs the_other_half, "):
        load("half_installed", "build")
