"""The portrait at an address, or the only one below it, is found by the list of the repository's files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portrait import HubError, NotAPortraitError
from portrait.hub.addresses import parse
from portrait.hub.connection import HubConnection
from portrait.hub.location import PortraitLocation, locate

if TYPE_CHECKING:
    from support.hub_stand_in import Files, StandIn

ADDRESS = "hf://org/ferry"


def find(hub: StandIn, files: Files, path: str = "") -> PortraitLocation:
    """Return the portrait that is found in a repository with some files."""
    commit = hub.add_model("org/ferry", files)
    return locate(parse(f"{ADDRESS}@{commit}/{path}"), HubConnection.of_environment())


def paths(*names: str) -> Files:
    """Return files of which only the names count."""
    return dict.fromkeys(names, b"content\n")


@pytest.mark.parametrize(
    ("files", "path", "found"),
    [
        (paths("portrait.json", "a.safetensors"), "", ""),
        (paths("deep/inside/portrait.json", "README.md"), "", "deep/inside"),
        (paths("deep/inside/portrait.json", "README.md"), "deep", "deep/inside"),
        (paths("deep/inside/portrait.json", "other/portrait.json"), "deep", "deep/inside"),
        (paths("portrait.json", "deep/portrait.json", "words.bf"), "", ""),
        (paths("portrait.json", "deep/portrait.json"), "deep", "deep"),
        (paths("words.bf", "words.bf.part0.bin"), "", "words.bf"),
        (paths("deep/words.bf", "README.md"), "", "deep/words.bf"),
        (paths("words.bf", "others.bf"), "words.bf", "words.bf"),
        (paths("deep/words.bf", "deep/portrait.json"), "", "deep"),
        (paths("deep/words.bf", "deep/portrait.json"), "deep/words.bf", "deep/words.bf"),
        (paths("a.portrait.json", "portrait.json.bak", "b/portrait.json"), "", "b"),
    ],
)
def test_a_portrait_is_found(hub: StandIn, files: Files, path: str, found: str) -> None:
    location = find(hub, files, path)
    assert location.address.path == found
    assert location.is_bundle is not found.endswith(".bf")
    folder = str(Path(found).parent) if found.endswith(".bf") else found
    prefix = f"{folder}/" if folder not in ("", ".") else ""
    beside = {name for name in files if name.startswith(prefix) and "/" not in name.removeprefix(prefix)}
    assert {*location.siblings} == beside


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        (paths("README.md"), "", "holds no portrait: neither a portrait.json nor a .bf file"),
        (paths("deep/portrait.json"), "other", "holds no portrait: neither a portrait.json nor a .bf file"),
        (paths("words.bf"), "other.bf", "no such file in the repository"),
        (
            paths("b/portrait.json", "a/portrait.json"),
            "",
            "holds 2 portraits: name one: hf://org/ferry/a, hf://org/ferry/b",
        ),
        (
            paths("words.bf", "a/portrait.json"),
            "",
            "holds 2 portraits: name one: hf://org/ferry/a, hf://org/ferry/words.bf",
        ),
        (
            paths(*(f"{name}/portrait.json" for name in "abcdefg")),
            "",
            "name one: " + ", ".join(f"hf://org/ferry/{name}" for name in "abcde") + " and 2 more",
        ),
    ],
)
def test_none_or_several_are_an_error(hub: StandIn, files: Files, path: str, message: str) -> None:
    with pytest.raises(NotAPortraitError) as raised:
        find(hub, files, path)
    assert str(raised.value).endswith(message)
    assert str(raised.value).startswith(ADDRESS)


def test_a_commit_that_does_not_exist_is_an_error(hub: StandIn) -> None:
    hub.add_model("org/ferry", paths("portrait.json"))
    with pytest.raises(HubError, match=f"no revision '{'0' * 40}'"):
        locate(parse(f"{ADDRESS}@{'0' * 40}"), HubConnection.of_environment())
