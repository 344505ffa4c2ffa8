"""The structure of the summary: the template's sections, with fields whose ids are stable and distinct."""

from __future__ import annotations

import re

from support.manifests import CORPUS, golden, with_sources

from portrait.cards.summary_template import SOURCE_LABELS, summary


def test_the_sections_are_the_templates() -> None:
    numbers = [section.number for section in summary(golden())]
    assert numbers == [
        "", "1", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6", "3",
        "3.1", "3.2", "3.3",
    ]  # fmt: skip


def test_every_field_has_an_id_of_its_own() -> None:
    ids = [field.id for section in summary(with_sources(CORPUS)) for field in section.fields]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", id_) for id_ in ids)


def test_what_a_build_knows_is_in_its_fields() -> None:
    fields = {field.id: field for section in summary(with_sources(CORPUS)) for field in section.fields}
    known = {id_ for id_, field in fields.items() if field.items and not id_.startswith("source-")}
    assert known == {
        "portrait", "model-names", "modality-text", "text-size", "text-measured", "revision-dates",
        "unassigned", "public-used", "public-modalities", "public-large", "public-other",
    }  # fmt: skip
    assert fields["provider-name"].items == ()


def test_each_source_to_be_assigned_has_its_fields() -> None:
    (sources,) = [section for section in summary(with_sources(CORPUS)) if section.number == "2"]
    labels = [field.label for field in sources.fields[1:]]
    assert labels == 2 * list(SOURCE_LABELS.values())
    facts, section, description = sources.fields[1:4]
    assert section.id == f"{facts.id}-section"
    assert description.id == f"{facts.id}-description"
    assert facts.items
    assert not section.items
    assert not description.items
