"""How ``portrait serve`` refuses to start; tests/server tests the running service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.live import FERRY, build

if TYPE_CHECKING:
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


def test_an_example_of_a_deployment_is_printed_or_all_are_written(cli: Cli, tmp_path: Path) -> None:
    done = cli.here("serve", "--print-deploy", "nginx-http.conf")
    assert (done.code, done.err) == (0, "")
    assert "upstream portrait {" in done.out
    (tmp_path / "examples").mkdir()
    done = cli.here("serve", "--print-deploy", "examples")
    assert (done.code, done.err) == (0, "")
    assert {Path(line).name for line in done.out.splitlines()} == {
        path.name for path in (tmp_path / "examples").iterdir()
    }
    assert "already exists" in cli.refused_here("serve", "--print-deploy", "examples")
    assert "portrait.service" in cli.refused_here("serve", "--print-deploy", "nginx.cnf")


def test_a_link_that_leads_outside_is_refused_with_the_option_that_allows_it(
    cli: Cli, tmp_path: Path
) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    (ferry / "portrait.json").rename(blobs / "1f")
    (ferry / "portrait.json").symlink_to("../blobs/1f")
    message = cli.refused("serve", ferry, "--port", "0")
    assert f"add {blobs} to the setting 'roots' (--root)" in message


def test_a_missing_extra_is_named_with_the_command_that_installs_it(cli: Cli) -> None:
    code = "import sys; sys.modules['flask'] = None; from portrait.cli.main import run; sys.exit(run())"
    result = cli("serve", "a.portrait", program=("-c", code))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("portrait: error: this needs flask, which is not installed: pip install ")
    assert "[server]" in result.err
