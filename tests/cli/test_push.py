"""``portrait push``: what it publishes, what it prints, and what it refuses."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from support.hub_fixtures import MODEL_FILES, TALE, files_of

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli
    from support.hub_stand_in import StandIn


@pytest.fixture
def bundle(tale: Path, tmp_path: Path) -> Path:
    """A portrait in the working directory of the commands."""
    return shutil.copytree(tale, tmp_path / "ferry.portrait")


def test_a_portrait_is_published(hub: StandIn, bundle: Path, cli: Cli) -> None:
    result = cli.here("push", bundle.name, "org/ferry")
    commit = hub.models["org/ferry"].branches["main"]
    n_files = len(files_of(bundle)) + 1
    assert (result.code, result.err) == (0, "")
    sent, page, address = result.out.splitlines()
    assert sent.startswith(f"{n_files} files (")
    assert sent.endswith(" uploaded, 0 unchanged, 0 removed")
    assert page == f"{hub.url}/org/ferry/commit/{commit}"
    assert address == f"hf://org/ferry@{commit}"
    again = cli.here("push", bundle.name, "org/ferry")
    assert again.out.splitlines()[0].endswith(f" uploaded, {n_files} unchanged, 0 removed")
    assert again.out.splitlines()[1:] == [page, address]


def test_options_say_where_it_goes(hub: StandIn, bundle: Path, cli: Cli) -> None:
    options = ("--path", "deep/inside", "--repo-type", "dataset", "--private", "--message", "The ferry")
    result = cli.here("push", bundle.name, "org/ferry", *options, "--revision", "next", "--quiet")
    repository = hub.repositories["org/ferry"]
    address = f"hf://datasets/org/ferry@{repository.branches['next']}/deep/inside"
    assert result == (0, f"{address}\n", "")
    assert repository.private
    assert hub.messages == ["The ferry"]
    assert portrait.open(address).query(TALE).verdict == "found"


def test_a_pull_request_is_named(hub: StandIn, bundle: Path, cli: Cli) -> None:
    hub.add_model("else/model", MODEL_FILES)
    result = cli.here("push", bundle.name, "else/model", "--create-pr")
    assert result.out.splitlines()[1] == f"{hub.url}/else/model/discussions/1"
    assert hub.models["else/model"].files() == MODEL_FILES


def test_a_page_that_stays_is_noted(hub: StandIn, bundle: Path, cli: Cli) -> None:
    hub.add_model("org/model", MODEL_FILES)
    result = cli.here("push", bundle.name, "org/model")
    assert result.code == 0
    assert result.err.startswith("portrait: note: the README.md there is not the portrait's card and stays")
    assert result.err.count("\n") == 1
    assert cli.here("push", bundle.name, "org/model", "--quiet").err == ""


def test_json_is_the_library_s_result_on_one_line(hub: StandIn, bundle: Path, cli: Cli) -> None:
    result = cli.here("push", bundle.name, "org/ferry", "--json")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    content = json.loads(result.out)
    assert content["address"] == f"hf://org/ferry@{hub.models['org/ferry'].branches['main']}"
    unchanged = portrait.push(bundle, "org/ferry").to_dict()
    assert {*content} == {*unchanged}
    assert {*content["uploaded"]} == {*unchanged["unchanged"]}


def test_the_card_option_decides_between_two_texts(hub: StandIn, bundle: Path, cli: Cli) -> None:
    portrait.push(bundle, "org/ferry")
    repository = hub.models["org/ferry"]
    page = repository.files()["README.md"]
    repository.commit({**repository.files(), "README.md": page + b"\nThere.\n"})
    (bundle / "README.md").write_bytes(page + b"\nHere.\n")
    assert "(--card)" in cli.refused_here("push", bundle.name, "org/ferry")
    assert cli.here("push", bundle.name, "org/ferry", "--card", "local").code == 0
    assert repository.files()["README.md"].endswith(b"\nHere.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing", "org/ferry"), "missing: "),
        (("ferry.portrait", "ferry"), "not an address of a repository"),
        (("ferry.portrait", "else/ferry"), "your token does not allow this"),
        (("ferry.portrait", "org/taken"), "nothing says which files there are the portrait's"),
        (("ferry.portrait", "org/taken"), "--path"),
        (("ferry.portrait", "else/ferry"), "--create-pr"),
        (("ferry.portrait", "org/ferry", "--card", "mine"), "--card"),
        (("ferry.portrait", "org/ferry", "--repo-type", "space"), "--repo-type"),
        (("hf://org/ferry", "org/other"), "is on a hub already"),
    ],
)
def test_what_cannot_be_published_is_said_in_a_line(
    hub: StandIn, bundle: Path, cli: Cli, arguments: tuple[str, ...], message: str
) -> None:
    hub.add_model("org/taken", {"portrait.json": b"{}"})
    assert message in cli.refused_here("push", *arguments)
    assert files_of(bundle)
    assert {*hub.models} <= {"org/taken"}


def test_offline_nothing_is_published(bundle: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "offline mode: unset HF_HUB_OFFLINE" in cli.refused_here("push", bundle.name, "org/ferry")
