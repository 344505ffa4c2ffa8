"""The list of portraits, and what each says about itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from portrait_server.api import answers
from support.clients import client_of, refused
from support.live import BREAD, FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """The paths of two portraits, ``ferry`` and ``bread``, which tests may damage."""
    return [build(tmp_path / "ferry.portrait", FERRY), build(tmp_path / "bread.portrait", BREAD)]


def test_the_portraits_are_described(paths: list[Path]) -> None:
    client = client_of(paths)
    portrait_list = answers.Portraits.model_validate(client.get("/v1/portraits").get_json())
    assert [one.name for one in portrait_list.portraits] == ["ferry", "bread"]
    details = answers.PortraitDetails.model_validate(client.get("/v1/portraits/ferry").get_json())
    assert details.manifest == json.loads(json.dumps(portrait.open(paths[0]).facts))
    assert details.card == (paths[0] / "README.md").read_text()
    spec = portrait.open(paths[0]).spec
    assert (details.sources, details.windows.width, details.windows.unit) == (["main"], spec.width, "char")


def test_a_bundle_may_have_no_card(paths: list[Path]) -> None:
    (paths[0] / "README.md").unlink()
    assert client_of(paths).get("/v1/portraits/ferry").get_json()["card"] is None


def test_a_damaged_portrait_is_not_listed(paths: list[Path]) -> None:
    (paths[0] / "portrait.json").write_text("{}")
    client = client_of(paths, LENIENT=True)
    assert [one["name"] for one in client.get("/v1/portraits").get_json()["portraits"]] == ["bread"]
    assert refused(client.get("/v1/portraits/ferry"), 503)["code"] == "withdrawn_portrait"
