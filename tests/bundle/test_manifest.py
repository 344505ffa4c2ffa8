"""The manifest of a bundle: its text, its id, its digest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.forge import manifest_id, seal
from support.sample_bundles import SOURCES, build_two_sources, read_manifest

import portrait
from portrait.bundle import reader as bundles
from portrait.bundle.manifest import MAX_MANIFEST_BYTES, MAX_MANIFEST_VALUES, Manifest, check_digest
from portrait.bundle.manifest_reader import parse
from portrait.errors import DamagedBundleError, OutputError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of two sources."""
    return build_two_sources(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def manifest(bundle: Path) -> dict[str, Any]:
    """The manifest of the bundle, as a JSON object."""
    return read_manifest(bundle)


def test_the_manifest_is_readable_json_with_sorted_keys(bundle: Path, manifest: dict[str, Any]) -> None:
    text = (bundle / "portrait.json").read_text(encoding="utf-8")
    assert text == json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert "日本 web" in text


def test_the_manifest_states_format_version_hash_and_windows(manifest: dict[str, Any]) -> None:
    assert manifest["format"] == "portrait"
    assert manifest["format_version"] == 1
    assert manifest["hash"] == {"name": "xxh3_64", "window_seed": 0, "document_seed": 1}
    assert manifest["windows"] == {"width": 50, "sampling": "minimizer", "span": 42, "unit": "char"}
    assert manifest["normalizer"]["name"] == "spaces"
    assert [layer["source"] for layer in manifest["layers"]] == list(SOURCES)


def test_the_id_is_a_digest_of_specs_and_layers(bundle: Path, manifest: dict[str, Any]) -> None:
    assert manifest["id"] == manifest_id(manifest) == portrait.open(bundle).manifest.id


def test_a_manifest_survives_writing_and_reading(bundle: Path) -> None:
    manifest = bundles.read(bundle).manifest
    assert isinstance(manifest, Manifest)
    assert manifest.to_json() == (bundle / "portrait.json").read_bytes()


def test_the_id_depends_on_the_content_not_on_the_files(bundle: Path) -> None:
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
        other_layer = replace(layer, **change)
        assert replace(whole, layers=(other_layer, *whole.layers[1:])).id != whole.id
    for sampling in (portrait.Minimizer(41), portrait.Stride(42), portrait.Stride(24)):
        assert replace(whole, windows=portrait.WindowSpec(50, sampling)).id != whole.id


def test_the_digest_covers_every_byte(bundle: Path) -> None:
    text = (bundle / "portrait.json").read_bytes()
    check_digest(text, "portrait.json")
    assert seal(text) == text
    for other_text in (text + b"\n", text.replace(b'"license": null', b'"license": "MIT"')):
        assert other_text != text
        with pytest.raises(DamagedBundleError) as caught:
            check_digest(other_text, "portrait.json")
        assert str(caught.value) == (
            "portrait.json: its digest is not the one it states: it was changed after the build"
        )


def test_file_names_that_are_not_unicode_are_shown_as_they_are_printed(bundle: Path) -> None:
    names = ["caf\udce9.txt", "\udc80\udcff", "\ud800", "\udc7f\udd00", "café.txt"]
    manifest = replace(portrait.open(bundle).manifest, corpus={"arxiv": {"files": names}})
    text = manifest.to_json()
    check_digest(text, "portrait.json")
    read = parse(text, "portrait.json")
    assert read.corpus["arxiv"]["files"] == [
        "caf\\xe9.txt",
        "\\x80\\xff",
        "\\ud800",
        "\\udc7f\\udd00",
        "café.txt",
    ]
    assert read == replace(manifest, corpus=read.corpus)
    assert read.to_json() == text


def test_a_manifest_of_the_largest_size_is_written_and_read(bundle: Path) -> None:
    manifest = portrait.open(bundle).manifest
    n_bytes = len(replace(manifest, license="").to_json())
    largest = replace(manifest, license="x" * (MAX_MANIFEST_BYTES - n_bytes))
    text = largest.to_json()
    assert len(text) == MAX_MANIFEST_BYTES
    assert parse(text, "portrait.json") == largest
    with pytest.raises(OutputError):
        replace(largest, license=f"{largest.license}x").to_json()


def test_a_manifest_that_no_reader_takes_is_not_written(bundle: Path) -> None:
    manifest = replace(portrait.open(bundle).manifest, license="x" * MAX_MANIFEST_BYTES)
    with pytest.raises(OutputError, match=r"67,1\d\d,\d{3} bytes, of 67,108,864 that readers take"):
        manifest.to_json()
    manifest = replace(manifest, license="," * MAX_MANIFEST_VALUES)
    with pytest.raises(OutputError, match=r"2,500,\d{3} values, of 2,500,000 that readers take"):
        manifest.to_json()


def test_the_id_and_the_filters_do_not_depend_on_the_sketch_and_the_digest_does(bundle: Path) -> None:
    whole = bundles.read(bundle).manifest
    layer = whole.layers[0]
    assert layer.sketch is not None
    assert layer.files == (*layer.shards, layer.sketch)
    bare = replace(whole, layers=(replace(layer, sketch=None), *whole.layers[1:]))
    assert bare.layers[0].files == layer.shards
    assert bare.id == whole.id
    assert bare.to_dict()["layers"][0]["sketch"] is None
    assert bare.to_dict()["manifest_sha256"] != whole.to_dict()["manifest_sha256"]
