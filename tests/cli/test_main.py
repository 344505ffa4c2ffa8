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

import portrait
from portrait.cli.main import COMMANDS
from portrait.cli.main import cli as group

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

NOTICE = (
    "The reading room closes at six; whoever is found behind the atlas will be asked to read from it. " * 4
)
LETTER = f"Dear Ada, they have put up a sign. {NOTICE}"


@pytest.fixture
def built(tmp_path: Path) -> portrait.Portrait:
    """A portrait of two layers, whose maker means well."""
    for name, n in {"signs": 3, "walls": 5}.items():
        (tmp_path / f"{name}.txt").write_text(NOTICE * n)
    sources = {name: tmp_path / f"{name}.txt" for name in ("signs", "walls")}
    return portrait.build(
        sources, tmp_path / "room.portrait", license="CC0-1.0", trained_models=["ada", "bob"]
    )


@pytest.fixture
def hostile(tmp_path: Path) -> portrait.Portrait:
    """A portrait whose maker would like to own the terminal."""
    (tmp_path / "sign.txt").write_text(NOTICE)
    return portrait.build(
        tmp_path / "sign.txt",
        tmp_path / "a\x1b[2Jb.portrait",
        license="mine\x1b[2J\nid yours",
        trained_models=["ada\x1b]0;gone\x07\u202e"],
    )


def test_a_portrait_cannot_command_the_terminal(
    hostile: portrait.Portrait, built: portrait.Portrait, cli: Cli
) -> None:
    shown = cli.watched("stdout", "info", hostile.path)
    assert shown.code == 0
    assert all(line.isprintable() for line in shown.out.split("\n"))
    assert [line[:10].rstrip() for line in shown.out.partition("\n\n")[0].splitlines()] == [
        "portrait",
        "id",
        "windows",
        "guarantee",
        "licence",
        "trained",
        "built by",
    ]
    assert r"mine\x1b[2J\nid yours" in shown.out
    asked = cli.watched("stdout", "query", hostile.path, built.path, LETTER, "--color", "never")
    assert asked.code == 0
    assert r"a\x1b[2Jb:main" in asked.out
    assert all(line.isprintable() for line in asked.out.split("\n"))


def test_the_summary_of_a_build_cannot_command_the_terminal(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sign.txt").write_text(NOTICE)
    shown = cli.watched("stdout", "build", "sign.txt", "-o", "a\x1b[2Jb")
    assert shown.code == 0
    assert shown.out.startswith(r"a\x1b[2Jb: 1 document of 1 source")


@pytest.mark.parametrize("arguments", [["info"], ["info", "--json"], ["query", LETTER, "--json"]])
def test_a_name_that_is_not_unicode_is_shown_all_the_same(
    arguments: list[str], built: portrait.Portrait, cli: Cli
) -> None:
    path = built.path.parent / "caf\udce9.portrait"
    built.path.rename(path)
    command, *rest = arguments
    # What a terminal's own locale makes of stdout; the C locale would let any byte pass.
    done = cli(command, path, *rest, environment={"PYTHONIOENCODING": "utf-8:strict"})
    assert (done.code, done.err) == (0, "")
    if "--json" in rest:
        assert json.loads(done.out)
    else:
        assert r"caf\udce9" in done.out


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
def test_every_command_has_help_and_stands_in_the_readme(command: str, cli: Cli) -> None:
    done = cli.here(command, "-h")
    assert (done.code, done.err) == (0, "")
    assert done == cli.here(command, "--help")
    usage, _, description = done.out.partition("\n\n")
    assert usage.startswith(f"Usage: portrait {command} [OPTIONS]")
    assert re.match(r"  [A-Z].+", description)
    assert f"portrait {command}" in README.read_text(encoding="utf-8")
    # In the list of commands, on one line and not cut off in the middle.
    assert re.search(rf"^  {command} +[A-Z].*\.$", cli.here("--help").out, flags=re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    found = group.get_command(click.Context(group), command)
    assert found is not None
    options = [one for one in found.params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []
    assert options


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_a_reader_that_is_gone_is_not_an_answer(option: str, cli: Cli) -> None:
    assert cli.unheard(option) == (141, "", "")


def test_an_error_that_nobody_reads_is_an_error_still(cli: Cli) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as gone, cli.start("info", "missing", stderr=gone) as process:
        process.communicate()
    assert process.returncode == 2


def test_the_version_is_the_package_s(cli: Cli) -> None:
    assert cli("--version") == (0, f"portrait, version {portrait.__version__}\n", "")


def test_a_closed_stdout_is_no_defect(cli: Cli, built: portrait.Portrait) -> None:
    for options in ([], ["-q"]):
        command = ["bash", "-c", '"$@" >&-', "sh", sys.executable, "-m", "portrait", "query"]
        done = subprocess.run(
            [*command, built.path, "some words of ours", *options],
            cwd=cli.directory,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (1, b""), done


def test_a_terminal_that_cannot_show_a_character_gets_it_spelled_out(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tale.txt").write_text("中文 beside a passage that is long enough to be found again " * 4)
    assert cli("build", "tale.txt", "-o", "tale.portrait").code == 0
    latin = {"PYTHONIOENCODING": "latin-1"}
    with cli.start("query", "tale.portrait", "-f", "tale.txt", environment=latin) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert rb"\u4e2d\u6587" in out
