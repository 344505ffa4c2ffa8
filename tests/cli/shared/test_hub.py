"""The progress bars of the hub's library are shown to people at a terminal, unless they want none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Cli

VARIABLE = "HF_HUB_DISABLE_PROGRESS_BARS"
#: Hides the bars before or after the library is loaded, and prints whether they are hidden.
_CODE = """
import sys
from portrait.cli.shared.hub import hide_progress
order, quiet = sys.argv[1:]
if order == "after":
    import huggingface_hub.utils
hide_progress(quiet == "quiet")
import huggingface_hub.utils
print(huggingface_hub.utils.are_progress_bars_disabled())
"""


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the variable of the hub's library not be set."""
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize("order", ["before", "after"])
def test_on_a_pipe_there_are_no_bars(cli: Cli, order: str) -> None:
    assert cli(order, "", program=("-c", _CODE)) == (0, "True\n", "")


@pytest.mark.parametrize(
    ("order", "quiet", "hidden"),
    [("before", "", "False"), ("before", "quiet", "True"), ("after", "quiet", "True")],
)
def test_on_a_terminal_there_are_bars_unless_nobody_wants_them(
    cli: Cli, order: str, quiet: str, hidden: str
) -> None:
    assert cli.on_terminal("stderr", order, quiet, program=("-c", _CODE)) == (0, f"{hidden}\n", "")


def test_what_the_user_has_set_counts(cli: Cli) -> None:
    done = cli("before", "", program=("-c", _CODE), environment={VARIABLE: "0"})
    assert (done.code, done.out) == (0, "False\n")
