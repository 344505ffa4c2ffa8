"""How ``portrait serve`` refuses to start; tests/server tests the running service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.portrait"], "missing.portrait"),
        (["--port", "high"], "Invalid value for '--port': 'high' is not a valid integer"),
        (["--config", "missing.toml"], "missing.toml"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(arguments: list[str], message: str, cli: Cli) -> None:
    assert message in cli.refused("serve", *arguments)


def test_an_option_takes_precedence_over_the_settings(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('portraits = ["of-the-file.portrait"]\n')
    assert "of-the-file.portrait" in cli.refused("serve", "--config", "settings.toml")
    assert "given.portrait" in cli.refused("serve", "given.portrait", "--config", "settings.toml")


def test_a_missing_extra_is_named_with_the_command_that_installs_it(cli: Cli) -> None:
    code = "import sys; sys.modules['flask'] = None; from portrait.cli.main import run; sys.exit(run())"
    result = cli("serve", "a.portrait", program=("-c", code))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("portrait: error: this needs flask, which is not installed: pip install ")
    assert "[server]" in result.err
