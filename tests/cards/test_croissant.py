"""Croissant: valid for the reference implementation, true to the manifest, and the same every time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mlcroissant
import pytest
from support.manifests import COMMIT, CORPUS, golden, with_sources
from support.places import GOLDEN

from portrait.cards.croissant import CROISSANT_NAME, croissant, is_croissant

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

ODD = "Ünï: {odd} \\ name"
#: What no build knows.
UNKNOWN = "datePublished"


def described(manifest: Manifest, name: str = "p", **options: Any) -> dict[str, Any]:
    """Return a portrait's description as a JSON object."""
    content: dict[str, Any] = json.loads(croissant(manifest, name, **options))
    return content


def wrapped() -> Manifest:
    """Return the manifest of a filter that other software built, with a file name that is no URL."""
    manifest = golden()
    (layer, *_) = manifest.layers
    shard = replace(layer.shards[0], file="a: b#c%20 ü.bf")
    foreign = replace(layer, source=ODD, documents=None, text_bytes=None, windows=None, shards=(shard,))
    record = {"location": [shard.file], "revision": None, "files": []}
    return replace(manifest, layers=(foreign,), corpus={ODD: record}, license="Ask us.", trained_models=())


# mlcroissant uses what its own dependency, rdflib, has deprecated.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    "manifest",
    [
        golden("two_sources"),
        replace(golden("defaults"), license="mit"),
        replace(golden("loose_words"), license="llama3"),
        with_sources(CORPUS),
        wrapped(),
        replace(with_sources({"main": {}}), corpus={}),
    ],
    ids=["two sources", "defaults", "loose words", "every kind", "wrapped", "no record"],
)
def test_the_reference_implementation_finds_no_fault(manifest: Manifest) -> None:
    metadata = mlcroissant.Dataset(jsonld=described(manifest, ODD, address="hf://org/name")).metadata
    assert metadata.issues.errors == set()
    (warning,) = metadata.issues.warnings
    assert UNKNOWN in warning
    assert metadata.name == ODD
    assert metadata.ctx.is_v1_1()
    files = {(file.name, file.sha256, file.content_size) for file in metadata.file_objects}
    assert {(s.file, s.sha256, f"{s.bytes} B") for layer in manifest.layers for s in layer.shards} < files


def test_the_description_is_deterministic() -> None:
    assert croissant(golden(), "p", address="hf://a/b") == croissant(golden(), "p", address="hf://a/b")


def test_the_manifests_file_is_described_as_it_is() -> None:
    text = (GOLDEN / "two_sources" / "portrait.json").read_bytes()
    for content in (text, text + b"\n"):
        (file, *_) = described(golden(), manifest_text=content)["distribution"]
        assert file["contentUrl"] == "portrait.json"
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"
    assert described(golden())["distribution"] == described(golden(), manifest_text=text)["distribution"]


def test_every_revision_is_named_with_its_date() -> None:
    derived = {entity["@id"]: entity for entity in described(with_sources(CORPUS))["prov:wasDerivedFrom"]}
    assert derived[f"https://huggingface.co/datasets/org/web/tree/{COMMIT}"] == {
        "@type": "prov:Entity",
        "@id": f"https://huggingface.co/datasets/org/web/tree/{COMMIT}",
        "prov:label": ["web: org/web (config en, split train)"],
        "prov:generatedAtTime": "2025-02-19T08:30:00Z",
    }
    assert set(derived) - {"#source-notes-1"} == {
        f"https://huggingface.co/datasets/org/books/tree/{COMMIT}",
        f"https://huggingface.co/datasets/org/web/tree/{COMMIT}",
        "https://example.org/crawl.jsonl",
    }


def test_a_revision_of_two_sources_is_named_once() -> None:
    both = {"a": CORPUS["web"], "b": CORPUS["web"]}
    (entity,) = described(with_sources(both))["prov:wasDerivedFrom"]
    assert [label[:2] for label in entity["prov:label"]] == ["a:", "b:"]


def test_paths_of_local_files_are_not_published() -> None:
    text = croissant(with_sources(CORPUS), "p").decode()
    assert "notes.jsonl" in text
    assert "/home" not in text
    assert "secret" not in text


def test_the_address_is_a_page_and_a_path_is_none() -> None:
    assert described(golden(), address="hf://org/name")["url"] == "https://huggingface.co/org/name"
    assert "url" not in described(golden(), address="/srv/p")
    assert "url" not in described(golden())


def test_a_licence_is_its_url_where_it_is_known() -> None:
    assert described(replace(golden(), license="mit"))["license"] == "https://spdx.org/licenses/MIT.html"
    assert described(replace(golden(), license="Ask us."))["license"] == "Ask us."
    assert "license" not in described(replace(golden(), license=None))


def test_other_content_is_another_version() -> None:
    one, other = described(golden()), described(golden("defaults"))
    assert one["version"] != other["version"]
    assert one["identifier"] == f"sha256:{golden().id}"


def test_file_names_are_references_in_which_nothing_is_a_scheme() -> None:
    _, file = described(wrapped())["distribution"][:2]
    assert file["contentUrl"] == "a%3A%20b%23c%2520%20%C3%BC.bf"
    assert file["name"] == "a: b#c%20 ü.bf"


def test_its_own_descriptions_are_recognised_and_others_are_not() -> None:
    ours = croissant(golden(), "p")
    assert is_croissant(ours)
    assert CROISSANT_NAME == "croissant.json"
    content = json.loads(ours)
    for change in (
        {"conformsTo": "http://mlcommons.org/croissant/1.0"},
        {"keywords": ["other"]},
        {"keywords": "data-portrait"},
        {"identifier": 7},
        {"identifier": "sha256:other"},
    ):
        assert not is_croissant(json.dumps({**content, **change}).encode())
    for other in (b"", b"\xff", b"[]", b"{}", b"[" * 100_000, ours[:-10]):
        assert not is_croissant(other)
