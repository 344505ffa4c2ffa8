"""The execution options of a build, and the hint on resuming that Ctrl-C prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from portrait.cli.shared.execution import execution_options, resumable
from portrait.engines.execution import Execution
from portrait.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def parse(*arguments: str) -> Execution:
    """Return what a command with these options receives."""

    @click.command("build")
    @execution_options
    def command(execution: Execution) -> Execution:
        return execution

    execution: Execution = command.main(list(arguments), standalone_mode=False)
    return execution


def test_without_options_the_library_s_defaults_apply() -> None:
    assert parse() == Execution()


def test_every_option_sets_a_field() -> None:
    options = ["--workers", "3", "--memory", "2GB", "--work-dir", "w", "--restart"]
    assert parse(*options) == Execution("local", 3, 2 * 10**9, "w", True, None)
    address = ["--engine", "ray", "--ray-address", "auto"]
    assert parse(*address) == Execution("ray", ray_address="auto")


def test_contradictory_options_are_refused() -> None:
    with pytest.raises(SpecError):
        parse("--ray-address", "auto")


@pytest.mark.parametrize("started", [True, False])
def test_ctrl_c_says_how_to_resume_if_there_is_something_to_resume(started: bool, tmp_path: Path) -> None:
    if started:
        (tmp_path / "w").mkdir()

    def interrupt() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught, resumable(Execution(work_dir=tmp_path / "w"), "out"):
        interrupt()
    assert caught.value.args == (("run the same command again to resume",) if started else ())
