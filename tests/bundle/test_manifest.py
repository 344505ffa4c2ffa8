"""What the manifest says of a bundle: its text, its id, its digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.forge import (
    manifest_id,
)

import portrait
from portrait.bundle import reader as bundles
from portrait.bundle.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {
    "arxiv": "We show that every finite lattice of this kind embeds in a free one. " * 40,
    "日本 web": "Das Wetter bleibt unbeständig: 京都 meldet Regen, Köln meldet Nebel, sonst nichts. " * 90,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait of two sources."""
    directory = tmp_path_factory.mktemp("bundle")
    for i, text in enumerate(SOURCES.values()):
        (directory / f"{i}.txt").write_text(text)
    out = directory / "two.portrait"
    portrait.build({name: directory / f"{i}.txt" for i, name in enumerate(SOURCES)}, out)
    return out


@pytest.fixture
def manifest(bundle: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((bundle / "portrait.json").read_bytes())
    return content


def test_the_manifest_is_text_for_people_with_sorted_keys(bundle: Path, manifest: dict[str, Any]) -> None:
    text = (bundle / "portrait.json").read_text(encoding="utf-8")
    assert text == json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert "日本 web" in text


def test_the_manifest_says_what_it_is(manifest: dict[str, Any]) -> None:
    assert manifest["format"] == "portrait"
    assert manifest["format_version"] == 1
    assert manifest["hash"] == {"name": "xxh3_64", "window_seed": 0, "document_seed": 1}
    assert manifest["windows"] == {"width": 50, "stride": 25, "unit": "char"}
    assert manifest["normalizer"]["name"] == "spaces"
    assert [layer["source"] for layer in manifest["layers"]] == list(SOURCES)


def test_the_id_is_a_digest_of_specs_and_layers(bundle: Path, manifest: dict[str, Any]) -> None:
    assert manifest["id"] == manifest_id(manifest) == portrait.open(bundle).manifest.id


def test_a_manifest_survives_the_way_to_disk_and_back(bundle: Path) -> None:
    found = bundles.read(bundle).manifest
    assert isinstance(found, Manifest)
    assert found.to_json() == (bundle / "portrait.json").read_bytes()
