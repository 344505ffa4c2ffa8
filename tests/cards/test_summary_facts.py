"""What a build knows of a summary: sizes, dates, datasets on a hub, and sources for a person to assign."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.manifests import COMMIT, CORPUS, WEB, golden, with_sources

from portrait.cards.summary_facts import BYTES_PER_TOKEN, facts, size_band, unassigned

BILLION, TRILLION = 10**9, 10**12


@pytest.mark.parametrize(
    ("n_tokens", "band"),
    [
        (0, "Less than 1 billion tokens"),
        (BILLION // 2, "Less than 1 billion tokens"),
        (BILLION // 2 + 1, None),
        (2 * BILLION - 1, None),
        (2 * BILLION, "1 billion to 10 trillion tokens"),
        (5 * TRILLION, "1 billion to 10 trillion tokens"),
        (11 * TRILLION, None),
        (20 * TRILLION, "More than 10 trillion tokens"),
    ],
)
def test_a_size_is_stated_unless_it_is_near_a_boundary(n_tokens: int, band: str | None) -> None:
    assert size_band(n_tokens * BYTES_PER_TOKEN) == band


@given(st.integers(0, 10**15), st.floats(0.5, 2))
def test_a_stated_size_is_right_if_tokens_have_two_to_eight_bytes(n_bytes: int, factor: float) -> None:
    band = size_band(n_bytes)
    n_tokens = n_bytes / BYTES_PER_TOKEN * factor
    if band is not None and n_tokens not in (BILLION, 10 * TRILLION):
        expected = (n_tokens >= BILLION) + (n_tokens >= 10 * TRILLION)
        assert band.startswith(("Less", "1 billion", "More")[expected])


def test_the_text_is_measured_exactly() -> None:
    known = facts(with_sources(CORPUS, web=2_500_001))
    (measured,) = known["text-measured"]
    assert measured.text.startswith("5,500,001 bytes of UTF-8 in 40 documents: about 1,400,000 tokens")
    assert known["text-size"][0].text == "Less than 1 billion tokens"


def test_a_size_near_a_boundary_or_unknown_is_left_to_a_person() -> None:
    near = facts(with_sources(CORPUS, web=5 * BILLION))
    assert "text-size" not in near
    assert "Near a boundary" in near["text-measured"][0].text
    unknown = facts(with_sources(CORPUS, web=None))
    assert "text-size" not in unknown
    assert unknown["text-measured"][0].text.startswith("Unknown")


def test_datasets_on_a_hub_are_public_and_linked_and_small_ones_apart() -> None:
    known = facts(with_sources(CORPUS, web=97_000_000, books=2_900_000))
    (large,) = known["public-large"]
    (other,) = known["public-other"]
    assert (large.text, other.text) == ("org/web", "org/books")
    assert large.url == f"https://huggingface.co/datasets/org/web/tree/{COMMIT}"
    assert large.details == (
        f", config en, split train, commit {COMMIT} of 2025-02-19T08:30:00Z"
        "; source web: 10 documents, 97,000,000 bytes of text, 97.1% of the public text"
    )


def test_a_dataset_of_unknown_size_may_be_large() -> None:
    known = facts(with_sources(CORPUS, books=None))
    assert [item.text for item in known["public-large"]] == ["org/books", "org/web"]
    assert known["public-other"][0].text == "None"
    assert "of unknown size" in known["public-large"][0].details


def test_without_datasets_on_a_hub_nothing_is_said_about_public_ones() -> None:
    assert not [id_ for id_ in facts(golden()) if id_.startswith("public")]


def test_a_source_of_hub_and_local_data_is_in_both_places() -> None:
    record = {"location": [WEB, "extra.txt"], "revision": CORPUS["web"]["revision"], "files": []}
    manifest = with_sources({"mixed": record})
    (large,) = facts(manifest)["public-large"]
    assert "source mixed, with other data" in large.details
    assert "%" not in large.details
    ((name, hub, local),) = unassigned(manifest).values()
    assert name.text.startswith("mixed: 10 documents")
    assert (hub.text, local.text, local.details) == ("org/web", "extra.txt", ", local data")


def test_other_sources_wait_for_a_person() -> None:
    manifest = with_sources(CORPUS)
    assert [items[0].text.partition(":")[0] for items in unassigned(manifest).values()] == ["crawl", "notes"]
    assert facts(manifest)["unassigned"][0].text == "crawl, notes"
    public = with_sources({"web": CORPUS["web"]})
    assert unassigned(public) == {}
    assert facts(public)["unassigned"][0].text == "None"


def test_ids_of_sources_are_distinct_stable_and_plain() -> None:
    names = ["a b", "a-b", "A B", "日本", "京都", "x" * 100]
    corpus = {name: {"location": ["a.txt"], "revision": None, "files": []} for name in names}
    ids = list(unassigned(with_sources(corpus)))
    assert len(set(ids)) == len(names)
    assert all(set(id_) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for id_ in ids)
    assert [*unassigned(with_sources({"日本": corpus["日本"]}))] == [ids[3]]


def test_dates_are_those_that_the_hub_stated() -> None:
    (dates,) = facts(with_sources(CORPUS))["revision-dates"]
    assert dates.text == "2025-02-19T08:30:00Z to 2025-02-19T08:30:00Z; 3 locations without a date"
    assert facts(golden())["revision-dates"][0].text == "None are known."


def test_models_are_the_trained_ones() -> None:
    manifest = replace(golden(), trained_models=("org/a-7b", "org/b\n"))
    assert [item.text for item in facts(manifest)["model-names"]] == ["org/a-7b", "org/b\\n"]
    assert facts(replace(manifest, trained_models=()))["model-names"] == ()
