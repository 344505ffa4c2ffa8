"""The application for WSGI servers, with settings from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from portrait_server.wsgi import VARIABLE, from_environment
from support.live import FERRY, build

from portrait import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def test_other_servers_get_the_application_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    (tmp_path / "service.toml").write_text(f'portraits = ["{ferry}"]\n')
    monkeypatch.setenv("PORTRAIT_SERVICE_CONFIG", str(tmp_path / "service.toml"))
    assert from_environment().test_client().get("/readyz").get_json()["portraits"] == {"ferry": "ready"}


def test_invalid_settings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SpecError, match=VARIABLE):
        from_environment()
    (tmp_path / "service.toml").write_text('workers = 2\nrate = "5/day"\n')
    monkeypatch.setenv(VARIABLE, str(tmp_path / "service.toml"))
    with pytest.raises(SpecError, match="shared store"):
        from_environment()
