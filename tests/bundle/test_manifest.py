"""What the manifest says of a bundle: its text, its id, its digest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.forge import manifest_id

import portrait
from portrait.bundle import reader as bundles
from portrait.bundle.manifest import Manifest, check_digest
from portrait.bundle.manifest_reader import parse
from portrait.errors import DamagedBundleError

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


def test_the_id_is_of_the_content_not_of_the_files(bundle: Path) -> None:
    whole = portrait.open(bundle).manifest
    layer = whole.layers[0]
    other_files = replace(layer, shards=(), documents=None)
    assert replace(whole, layers=(other_files, *whole.layers[1:]), license="MIT", corpus={}).id == whole.id
    changes: list[dict[str, Any]] = [
        {"tensors": {"blocks": "0" * 64}},
        {"source": "x"},
        {"fpr": 0.5},
        {"filter": {}},
    ]
    for change in changes:
        changed = replace(layer, **change)
        assert replace(whole, layers=(changed, *whole.layers[1:])).id != whole.id
    assert replace(whole, windows=portrait.WindowSpec(50, 24)).id != whole.id


def test_the_digest_covers_every_byte(bundle: Path) -> None:
    text = (bundle / "portrait.json").read_bytes()
    check_digest(text, "portrait.json")
    for changed in (text + b"\n", text.replace(b'"license": null', b'"license": "MIT"')):
        assert changed != text
        with pytest.raises(DamagedBundleError) as caught:
            check_digest(changed, "portrait.json")
        assert str(caught.value) == (
            "portrait.json: its digest is not the one it states: it was changed after the build"
        )


def test_names_that_are_not_text_are_escaped(bundle: Path) -> None:
    manifest = replace(portrait.open(bundle).manifest, corpus={"arxiv": {"files": ["caf\udce9.txt"]}})
    text = manifest.to_json()
    assert b"caf\\udce9.txt" in text
    check_digest(text, "portrait.json")
    assert parse(text, "portrait.json") == manifest
