"""The list of portraits, and what each says about itself."""

from __future__ import annotations

import json
import os
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


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "../secret", "pipe"])
def test_a_card_shows_no_file_from_elsewhere(target: str, paths: list[Path]) -> None:
    """Neither does it wait for a pipe, nor read a device to its end."""
    card = paths[0] / "README.md"
    card.unlink()
    card.symlink_to(target)
    (paths[0].parent / "secret").write_text("secret")
    os.mkfifo(paths[0] / "pipe")
    response = client_of(paths).get("/v1/portraits/ferry")
    assert (response.status_code, response.get_json()["card"]) == (200, None)


def test_a_card_in_a_root_is_shown(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    card = paths[0] / "README.md"
    card.rename(tmp_path / "blobs" / "1f")
    card.symlink_to("../blobs/1f")
    client = client_of(paths, ROOTS=[tmp_path / "blobs"])
    assert client.get("/v1/portraits/ferry").get_json()["card"] == card.read_text()


def test_a_long_card_is_cut(paths: list[Path]) -> None:
    (paths[0] / "README.md").write_text("x" * 1_000_000)
    assert client_of(paths).get("/v1/portraits/ferry").get_json()["card"] == "x" * (256 << 10)


def test_a_damaged_portrait_is_not_listed(paths: list[Path]) -> None:
    (paths[0] / "portrait.json").write_text("{}")
    client = client_of(paths, LENIENT=True)
    assert [one["name"] for one in client.get("/v1/portraits").get_json()["portraits"]] == ["bread"]
    assert refused(client.get("/v1/portraits/ferry"), 503)["code"] == "withdrawn_portrait"
