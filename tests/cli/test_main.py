"""What holds for every command: help, errors in one line, exit codes, terminals."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from support.places import README
from support.reading_room import NOTICE

import portrait
from portrait.cli.main import COMMANDS
from portrait.cli.main import cli as group

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

LETTER = f"Dear Ada, they have put up a sign. {NOTICE}"


@pytest.fixture
def hostile(tmp_path: Path) -> portrait.Portrait:
    """A portrait whose name and metadata hold terminal escape sequences."""
    (tmp_path / "sign.txt").write_text(NOTICE)
    return portrait.build(
        tmp_path / "sign.txt",
        tmp_path / "a\x1b[2Jb.portrait",
        license="mine\x1b[2J\nid yours",
        trained_models=["ada\x1b]0;gone\x07\u202e"],
    )


def test_a_portrait_cannot_control_the_terminal(
    hostile: portrait.Portrait, room: portrait.Portrait, cli: Cli
) -> None:
    info = cli.on_terminal("stdout", "info", hostile.path)
    assert info.code == 0
    assert all(line.isprintable() for line in info.out.split("\n"))
    assert [line[:10].rstrip() for line in info.out.partition("\n\n")[0].splitlines()] == [
        "portrait",
        "id",
        "windows",
        "guarantee",
        "licence",
        "trained",
        "built by",
        "sketch",
    ]
    assert r"mine\x1b[2J\nid yours" in info.out
    answer = cli.on_terminal("stdout", "query", hostile.path, room.path, LETTER, "--color", "never")
    assert answer.code == 0
    assert r"a\x1b[2Jb:main" in answer.out
    assert all(line.isprintable() for line in answer.out.split("\n"))


def test_the_summary_of_a_build_cannot_control_the_terminal(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sign.txt").write_text(NOTICE)
    summary = cli.on_terminal("stdout", "build", "sign.txt", "-o", "a\x1b[2Jb")
    assert summary.code == 0
    assert summary.out.startswith(r"a\x1b[2Jb: 1 document of 1 source")


@pytest.mark.parametrize("arguments", [["info"], ["info", "--json"], ["query", LETTER, "--json"]])
def test_a_name_that_is_not_unicode_is_still_shown(
    arguments: list[str], room: portrait.Portrait, cli: Cli
) -> None:
    path = room.path.parent / "caf\udce9.portrait"
    room.path.rename(path)
    command, *rest = arguments
    # The encoding of stdout in a terminal's locale; the C locale would let any byte pass.
    result = cli(command, path, *rest, environment={"PYTHONIOENCODING": "utf-8:strict"})
    assert (result.code, result.err) == (0, "")
    if "--json" in rest:
        assert json.loads(result.out)
    else:
        assert r"caf\udce9" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "missing"], "missing: no such file or directory"),
        (["info", "foreign"], "foreign: not a portrait: it holds no portrait.json"),
        (["info", "foreign", "--json"], "foreign: not a portrait: it holds no portrait.json"),
        (["info"], "Missing argument 'PORTRAIT': see portrait info --help"),
        (["info", "a", "\x1b[2J"], r"Got unexpected extra argument (\x1b[2J): see portrait info --help"),
        (["ask"], "No such command 'ask': see portrait --help"),
        (["\x1b[2J\n"], r"No such command '\x1b[2J\n': see portrait --help"),
        (["--frobnicate"], "No such option '--frobnicate': see portrait --help"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    arguments: list[str], message: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "foreign").mkdir()
    assert cli.refused_here(*arguments) == message


def test_no_command_at_all_is_refused_in_one_short_line(cli: Cli) -> None:
    message = cli.refused()
    assert message.endswith(": see portrait --help")
    assert "Usage:" not in message


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_is_in_the_readme(command: str, cli: Cli) -> None:
    result = cli.here(command, "-h")
    assert (result.code, result.err) == (0, "")
    assert result == cli.here(command, "--help")
    usage, _, description = result.out.partition("\n\n")
    assert usage.startswith(f"Usage: portrait {command} [OPTIONS]")
    assert re.match(r"  [A-Z].+", description)
    assert f"portrait {command}" in README.read_text(encoding="utf-8")
    # The list of commands describes each on one line, in full.
    assert re.search(rf"^  {command} +[A-Z].*\.$", cli.here("--help").out, flags=re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    subcommand = group.get_command(click.Context(group), command)
    assert subcommand is not None
    options = [one for one in subcommand.params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []
    assert options


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_a_closed_pipe_exits_141(option: str, cli: Cli) -> None:
    assert cli.into_closed_pipe(option) == (141, "", "")


def test_an_error_keeps_its_exit_code_if_stderr_is_closed(cli: Cli) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as gone, cli.start("info", "missing", stderr=gone) as process:
        process.communicate()
    assert process.returncode == 2


def test_the_version_is_the_package_s(cli: Cli) -> None:
    assert cli("--version") == (0, f"portrait, version {portrait.__version__}\n", "")


def test_a_closed_stdout_is_not_an_internal_error(cli: Cli, room: portrait.Portrait) -> None:
    for options in ([], ["-q"]):
        command = ["bash", "-c", '"$@" >&-', "sh", sys.executable, "-m", "portrait", "query"]
        result = subprocess.run(
            [*command, room.path, "some words of ours", *options],
            cwd=cli.directory,
            capture_output=True,
            check=False,
        )
        assert (result.returncode, result.stderr) == (1, b""), result


def test_characters_that_stdout_cannot_encode_are_escaped(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tale.txt").write_text("中文 beside a passage that is long enough to be found again " * 4)
    assert cli("build", "tale.txt", "-o", "tale.portrait").code == 0
    latin = {"PYTHONIOENCODING": "latin-1"}
    with cli.start("query", "tale.portrait", "-f", "tale.txt", environment=latin) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert rb"\u4e2d\u6587" in out
