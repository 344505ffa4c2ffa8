"""The options of how a build is carried out, and what Ctrl-C says of resuming it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from portrait.cli.shared.execution import execution_options, resumable
from portrait.engines.execution import Execution
from portrait.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def parsed(*arguments: str) -> Execution:
    @click.command("build")
    @execution_options
    def command(execution: Execution) -> Execution:
        return execution

    execution: Execution = command.main(list(arguments), standalone_mode=False)
    return execution


def test_nothing_given_is_the_library_s_default() -> None:
    assert parsed() == Execution()


def test_every_option_is_a_field() -> None:
    given = ["--workers", "3", "--memory", "2GB", "--work-dir", "w", "--restart"]
    assert parsed(*given) == Execution("local", 3, 2 * 10**9, "w", True, None)
    address = ["--engine", "ray", "--ray-address", "auto"]
    assert parsed(*address) == Execution("ray", ray_address="auto")


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(SpecError):
        parsed("--ray-address", "auto")


@pytest.mark.parametrize("begun", [True, False])
def test_ctrl_c_says_how_to_resume_where_there_is_something_to_resume(begun: bool, tmp_path: Path) -> None:
    if begun:
        (tmp_path / "w").mkdir()

    def interrupt() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught, resumable(Execution(work_dir=tmp_path / "w"), "out"):
        interrupt()
    assert caught.value.args == (("run the same command again to resume",) if begun else ())
