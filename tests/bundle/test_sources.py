"""The sources of a portrait, from manifests that nobody has checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.manifests import COMMIT, CORPUS, WEB, golden, with_sources

from portrait.bundle.sources import Origin, source_records, web_page

TREE = f"https://huggingface.co/datasets/org/web/tree/{COMMIT}"


def origins(location: Any, revision: Any = None) -> tuple[Origin, ...]:
    """Return the origins of a source with this record."""
    record = {"location": location, "revision": revision, "files": []}
    return source_records(with_sources({"main": record}))[0].origins


def test_a_dataset_on_a_hub_has_its_revision() -> None:
    records = {record.name: record for record in source_records(with_sources(CORPUS))}
    assert records["web"].origins == (
        Origin("hub", "org/web", TREE, COMMIT, "2025-02-19T08:30:00Z", "config en, split train"),
    )
    assert {name for name, record in records.items() if record.is_on_hub} == {"books", "web"}


def test_files_inside_a_dataset_have_the_page_of_their_folder() -> None:
    (origin,) = origins(["hf://datasets/org/web@main/en/part 1.jsonl"])
    assert origin.kind == "hub"
    assert origin.url == "https://huggingface.co/datasets/org/web/tree/main/en/part%201.jsonl"
    assert origin.selection == "en/part 1.jsonl"


def test_of_local_files_only_the_last_name_is_known() -> None:
    assert origins(["/home/someone/a.txt", "-", "datasets", "file:///tmp/x/b.txt", "/"]) == tuple(
        Origin("local", name) for name in ("a.txt", "-", "datasets", "b.txt", "/")
    )


def test_a_name_that_is_not_utf8_is_shown_in_escapes() -> None:
    assert origins(["d/\udcff\n.txt"]) == (Origin("local", "\\udcff\\n.txt"),)


def test_urls_of_the_web_are_links_and_others_are_not() -> None:
    web, bucket = origins(["https://example.org/ä b.jsonl", "s3://bucket/c.jsonl"])
    assert web.url == "https://example.org/%C3%A4%20b.jsonl"
    assert (bucket.kind, bucket.url) == ("url", None)


def test_counts_that_are_unknown_stay_unknown() -> None:
    manifest = with_sources(CORPUS, web=None)
    layers = tuple(replace(layer, documents=None) for layer in manifest.layers)
    records = source_records(replace(manifest, layers=layers))
    assert [record.documents for record in records] == [None] * 4
    assert [record.text_bytes for record in records] == [1_000_000] * 3 + [None]


@pytest.mark.parametrize(
    "corpus",
    [
        {},
        {"main": None},
        {"main": {"location": "text"}},
        {"main": {"location": [1, None, []], "revision": 3}},
        {"main": {"revision": {"a": "b"}}},
    ],
)
def test_a_record_of_another_shape_has_no_origins(corpus: dict[str, Any]) -> None:
    manifest = replace(with_sources({"main": {}}), corpus=corpus)
    assert source_records(manifest)[0].origins == ()


def test_facts_of_a_revision_that_are_not_text_are_left_out() -> None:
    (origin,) = origins([WEB], {WEB: {"commit": 7, "date": ["2025"], "config": None}})
    assert (origin.commit, origin.date, origin.selection) == (None, None, "")
    assert origins([WEB], {WEB: None}) == (origin,)


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("hf://org/name", "https://huggingface.co/org/name"),
        ("hf://org/name@v1", "https://huggingface.co/org/name/tree/v1"),
        ("hf://org/name@refs/pr/1/sub", "https://huggingface.co/org/name/tree/refs%2Fpr%2F1/sub"),
        ("hf://datasets/org/name/a b", "https://huggingface.co/datasets/org/name/tree/main/a%20b"),
        ("https://example.org/p?x=1#y", "https://example.org/p?x=1#y"),
        ("/srv/portraits/p", None),
        ("hf://", None),
    ],
)
def test_an_address_leads_to_its_page(address: str, page: str | None) -> None:
    assert web_page(address) == page


def test_the_sources_of_a_golden_portrait_are_its_layers() -> None:
    manifest = golden()
    assert [record.name for record in source_records(manifest)] == [layer.source for layer in manifest.layers]


@pytest.mark.parametrize(
    ("location", "page"),
    [
        ("hf://datasets/org/web@main/en/*.parquet", "https://huggingface.co/datasets/org/web/tree/main/en"),
        ("hf://datasets/org/web/**/[ab]*.txt", "https://huggingface.co/datasets/org/web"),
        ("https://example.org/caf\udce9.txt", "https://example.org/caf%5Cudce9.txt"),
        ("hf://datasets/org/web/caf\ud800", "https://huggingface.co/datasets/org/web/tree/main/caf%5Cud800"),
    ],
)
def test_patterns_and_names_that_are_not_utf8_have_pages(location: str, page: str) -> None:
    (origin,) = origins([location])
    assert origin.url == page
