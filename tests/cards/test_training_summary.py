"""The training summary as a file: its two forms, its updates, and files that are not one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.manifests import CORPUS, golden, with_sources

from portrait.cards.training_summary import SUMMARY_NAMES, is_summary, training_summary, updated_summary
from portrait.errors import OutputExistsError, SpecError

MANIFEST = with_sources(CORPUS)


@pytest.mark.parametrize("name", SUMMARY_NAMES)
def test_a_new_summary_is_one_and_its_update_is_the_same(name: str) -> None:
    content = training_summary(MANIFEST, name)
    assert is_summary(content)
    assert training_summary(MANIFEST, name) == content
    assert updated_summary(content, MANIFEST, name) == content


@pytest.mark.parametrize("name", SUMMARY_NAMES)
def test_an_update_is_that_of_the_other_manifest(name: str) -> None:
    other = replace(golden(), trained_models=("org/other",))
    content = updated_summary(training_summary(MANIFEST, name), other, name)
    assert b"org/other" in content
    assert b"crawl.jsonl" not in content


@pytest.mark.parametrize("name", SUMMARY_NAMES)
def test_paths_of_local_files_are_not_published(name: str) -> None:
    content = training_summary(MANIFEST, name)
    assert b"notes.jsonl" in content
    assert b"secret" not in content


@pytest.mark.parametrize("name", SUMMARY_NAMES)
def test_a_portrait_of_unknown_counts_has_a_summary(name: str) -> None:
    layers = tuple(replace(layer, documents=None, text_bytes=None) for layer in MANIFEST.layers)
    content = training_summary(replace(MANIFEST, layers=layers), name)
    assert b"an unknown number of documents of unknown size" in content


def test_text_in_another_encoding_passes_through() -> None:
    content = training_summary(MANIFEST, "a.md").replace(b"_To be filled in._", b"Caf\xe9", 1)
    assert b"Caf\xe9" in updated_summary(content, MANIFEST, "a.md")


@pytest.mark.parametrize("name", ["summary.txt", "summary", "a\n.pdf"])
def test_a_file_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match=r"ends in \.md or \.json"):
        training_summary(MANIFEST, name)
    with pytest.raises(SpecError, match=r"ends in \.md or \.json"):
        updated_summary(b"", MANIFEST, name)


@pytest.mark.parametrize("content", [b"", b"# Notes\n", b"{}", b"\xff\x00"])
def test_content_that_is_no_summary_is_refused(content: bytes) -> None:
    assert not is_summary(content)
    for name in SUMMARY_NAMES:
        with pytest.raises(OutputExistsError, match="is not a training summary"):
            updated_summary(content, MANIFEST, name)


def test_a_summary_of_the_other_form_is_refused() -> None:
    with pytest.raises(OutputExistsError, match=r"a\.json: is not a training summary"):
        updated_summary(training_summary(MANIFEST, "a.md"), MANIFEST, "a.json")
