"""Settings: how they are checked, and read from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from portrait_server.settings import Settings, read_settings, settings_of

from portrait import SpecError


def test_the_defaults_are_valid() -> None:
    assert settings_of({}) == Settings()
    assert settings_of(Settings().model_dump()) == Settings()
    assert settings_of({"portraits": ["a", "b"]}).portraits == (Path("a"), Path("b"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": 3}, "setting 'colour': there is no such setting"),
        ({"workers": 0}, "setting 'workers': must be at least 1"),
        ({"workers": "many"}, "setting 'workers': must be a whole number"),
        ({"port": 65_536}, "setting 'port': must be at most 65,535"),
        ({"body_seconds": 0}, "setting 'body_seconds': must be greater than 0"),
        ({"bulk_seconds": 1e9}, "setting 'bulk_seconds': must be at most 86,400"),
        ({"access_log": "maybe"}, "setting 'access_log': must be true or false"),
        ({"portraits": "corpus"}, "setting 'portraits': must be a list"),
        ({"portraits": ["a", 3]}, "setting 'portraits.1': must be a path"),
        ({"workers": 1001}, "setting 'workers': must be at most 1,000"),
        ({"roots": ["a", ""]}, "setting 'roots.1': must not be empty"),
        ({"host": 3}, "setting 'host': must be a string"),
    ],
)
def test_an_invalid_setting_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        settings_of(values)
    assert str(caught.value) == message


def test_settings_are_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "service.toml"
    file.write_text('portraits = ["a"]\nport = 1\n')
    assert read_settings(file) == {"portraits": ["a"], "port": 1}
    file.write_bytes(b"port = \xff")
    with pytest.raises(SpecError, match="not a TOML file"):
        read_settings(file)
    file.write_text("port = " + "[" * 100_000 + "]" * 100_000)
    with pytest.raises(SpecError, match="nested too deeply"):
        read_settings(file)
    with pytest.raises(SpecError, match=r"none\.toml: No such file"):
        read_settings(tmp_path / "none.toml")
