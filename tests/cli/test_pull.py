"""``portrait pull``: where a published portrait ends up, and which commands take its address as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.hub_fixtures import TALE, files_of, shard_name

import portrait

if TYPE_CHECKING:
    from conftest import Cli
    from support.hub_stand_in import StandIn

ADDRESS = "hf://org/ferry"


@pytest.fixture
def ferry(hub: StandIn, tale: Path) -> str:
    """The commit of a published portrait."""
    return hub.add_model("org/ferry", files_of(tale))


def test_a_portrait_stays_in_the_cache(ferry: str, cli: Cli, tmp_path: Path) -> None:
    result = cli.here("pull", ADDRESS)
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    path = Path(result.out.rstrip("\n"))
    assert path.is_relative_to(tmp_path / "home")
    assert path.name == ferry
    assert cli.here("pull", ADDRESS, "--quiet") == result


@pytest.mark.usefixtures("ferry")
def test_a_portrait_gets_a_directory_of_its_own(cli: Cli, tmp_path: Path) -> None:
    assert cli.here("pull", ADDRESS, "-o", "out") == (0, "out\n", "")
    assert portrait.open(tmp_path / "out").query(TALE).verdict == "found"
    assert "out: already exists" in cli.refused_here("pull", ADDRESS, "--out", "out")
    assert cli.here("pull", ADDRESS, "--out", "out", "--overwrite").code == 0


@pytest.mark.usefixtures("ferry")
def test_json_names_address_and_path(cli: Cli) -> None:
    result = cli.here("pull", ADDRESS, "-o", "out", "--json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == {"address": ADDRESS, "path": "out"}


@pytest.mark.usefixtures("ferry")
def test_other_commands_take_the_address(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TALE)
    assert cli.here("query", ADDRESS, "-f", "text.txt").code == 0
    assert cli.here("info", ADDRESS).code == 0
    assert cli.here("verify", ADDRESS, "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("org/ferry",), "org/ferry: not an address: name a repository, such as hf://ORG/NAME"),
        (("hf://org/none",), "hf://org/none: no such repository, or one that you may not see"),
        (("hf://org/ferry@none",), "hf://org/ferry: no revision 'none'"),
        (("hf://org/ferry/none",), "hf://org/ferry/none: holds no portrait"),
        (("hf://org",), "hf://org: not an address of a repository"),
    ],
)
@pytest.mark.usefixtures("ferry")
def test_what_cannot_be_pulled_is_said_in_a_line(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    assert cli.refused_here("pull", *arguments, "-o", "out").startswith(message)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("ferry")
def test_a_spoiled_portrait_is_refused(hub: StandIn, tale: Path, cli: Cli) -> None:
    hub.spoiled.add(shard_name(tale))
    assert "its digest is not the one that the manifest states" in cli.refused_here(
        "query", ADDRESS, "a text"
    )
    hub.spoiled.clear()
    assert cli.here("pull", ADDRESS).code == 0


@pytest.mark.usefixtures("ferry")
def test_a_pipe_gets_the_path_and_nothing_else(cli: Cli, tmp_path: Path) -> None:
    assert cli("pull", ADDRESS, "-o", "out") == (0, "out\n", "")
    assert (tmp_path / "out" / "portrait.json").exists()
