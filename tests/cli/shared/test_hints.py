"""The option that the command line adds to an error, for every parameter that errors name."""

from __future__ import annotations

import ast

import click
import pytest
from support.places import ROOT

from portrait.cli.main import COMMANDS, cli
from portrait.cli.shared.hints import option_hint

#: Parameters of the library that no single option sets, and why.
LIBRARY_ONLY = {
    "windows": "width, stride, unit and normaliser are separate options",
    "prefix": "names the columns that Portrait.scan adds to a dataset, which has no command",
}


def command(name: str) -> click.Command:
    """Return the command of this name."""
    subcommand = cli.get_command(click.Context(cli), name)
    assert subcommand is not None
    return subcommand


def parameters() -> set[str]:
    """Return every parameter that an error of the library names."""
    names = set()
    for path in (ROOT / "portrait").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "parameter":
                names |= {
                    constant.value
                    for constant in ast.walk(node.value)
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
                }
    return names


@pytest.mark.parametrize("parameter", sorted(parameters() - {*LIBRARY_ONLY}))
def test_every_parameter_that_an_error_names_has_an_option(parameter: str) -> None:
    assert any(option_hint(command(name), parameter) for name in COMMANDS)


@pytest.mark.parametrize(
    ("name", "parameter", "hint"),
    [
        ("build", "overwrite", " (--overwrite)"),
        ("build", "out", " (--out)"),
        ("build", "column", " (--column)"),
        ("report", "column", " (--column)"),
        ("build", "format", " (--format)"),
        ("build", "filter", " (--filter)"),
        ("build", "share", " (--task)"),
        ("build", "memory_bytes", " (--memory)"),
        ("build", "max_shard_bytes", " (--max-shard-size)"),
        ("build", "trained_models", " (--trained-model)"),
        ("build", "license", " (--license)"),
        ("build", "preset", " (--preset)"),
        ("build", "work_dir", " (--work-dir)"),
        ("build", "restart", " (--restart)"),
        ("build", "on_error", " (--on-error)"),
        ("build", "source_column", " (--source-column)"),
        ("build", "ray_address", " (--ray-address)"),
        ("scan", "keep", " (--keep)"),
        ("scan", "workers", " (--workers)"),
        ("query", "stride", " (--stride)"),
        ("report", "id_column", " (--id)"),
        ("demo", "keep", " (--keep)"),
        # Not an option of this command.
        ("query", "overwrite", ""),
        ("build", "windows", ""),
        ("build", None, ""),
    ],
)
def test_the_hint_is_the_command_s_own_option(name: str, parameter: str | None, hint: str) -> None:
    assert option_hint(command(name), parameter) == hint


def test_without_a_command_there_is_no_hint() -> None:
    assert option_hint(None, "overwrite") == ""


@pytest.mark.parametrize("parameter", sorted(LIBRARY_ONLY))
def test_a_parameter_of_the_library_only_has_no_option(parameter: str) -> None:
    assert not any(option_hint(command(name), parameter) for name in COMMANDS)
