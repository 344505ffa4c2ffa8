"""The summary in JSON: what people write or add stays, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.manifests import COMMIT, CORPUS, with_sources

from portrait.cards.summary_json import is_rendered, render, updated
from portrait.cards.summary_template import SummarySection, summary

ALL = summary(with_sources(CORPUS))
GROWN = summary(with_sources(CORPUS, web=77_000_000))
FEWER = summary(with_sources({name: CORPUS[name] for name in ("books", "web")}))
NEW = render(ALL)
DESCRIPTION = next(f.id for s in ALL for f in s.fields if f.id.startswith("source-notes") and "-desc" in f.id)


def field(content: dict[str, Any], id_: str) -> dict[str, Any]:
    """Return a field of a summary, which may be changed."""
    (only,) = [f for s in content["sections"] for f in s.get("fields", []) if f["id"] == id_]
    found: dict[str, Any] = only
    return found


def update(content: Any, sections: tuple[SummarySection, ...]) -> dict[str, Any]:
    """Return a summary, updated, and check that a second update changes nothing."""
    once = updated(json.dumps(content), sections)
    assert updated(once, sections) == once
    new: dict[str, Any] = json.loads(once)
    return new


def new() -> dict[str, Any]:
    """Return a new summary as a JSON object."""
    content: dict[str, Any] = json.loads(NEW)
    return content


def test_fields_have_a_status_and_a_value() -> None:
    blank, known = field(new(), "provider-name"), field(new(), "text-size")
    assert (blank["status"], blank["value"]) == ("blank", None)
    assert (known["status"], known["value"]) == ("generated", "Less than 1 billion tokens")
    urls = [item["url"] for item in field(new(), "public-large")["value"]]
    assert urls == [f"https://huggingface.co/datasets/org/{name}/tree/{COMMIT}" for name in ("books", "web")]


@pytest.mark.parametrize("sections", [ALL, GROWN, FEWER], ids=["all", "grown", "fewer"])
def test_an_untouched_summary_becomes_what_a_new_one_would_be(
    sections: tuple[SummarySection, ...],
) -> None:
    assert updated(NEW, sections) == render(sections)
    assert updated(render(FEWER), sections) == render(sections)


@pytest.mark.parametrize("value", ["Example Ltd.", False, 0, ["a", "b"], {"name": "x"}])
@pytest.mark.parametrize("id_", ["provider-name", "text-size"])
def test_a_value_of_a_person_stays_whatever_the_status_says(id_: str, value: Any) -> None:
    content = new()
    field(content, id_)["value"] = value
    assert field(update(content, GROWN), id_) == {
        "id": id_,
        "label": field(content, id_)["label"],
        "status": "filled",
        "value": value,
    }


def test_a_value_that_is_removed_is_generated_again() -> None:
    content = new()
    field(content, "text-size").update(value="mine", status="filled")
    changed = update(content, ALL)
    field(changed, "text-size")["value"] = None
    assert update(changed, ALL) == new()


def test_members_and_sections_that_people_add_stay() -> None:
    content = new()
    content["reviewed"] = "by legal"
    content["introduction"] = "Ours."
    content["sections"][3]["note"] = "of the section"
    field(content, "provider-name")["note"] = "of the field"
    ours = {"number": "4", "fields": [{"id": "ours", "value": "x"}]}
    content["sections"] += [ours, "text", content["sections"][2]]
    changed = update(content, ALL)
    assert changed == content


def test_a_field_that_people_add_and_text_where_a_field_should_be_are_unplaced() -> None:
    content = new()
    content["sections"][2]["fields"] += [{"id": "ours", "value": "x"}, "text", {"id": ["odd"], "value": "y"}]
    content["sections"][3]["fields"] = "all of it"
    changed = update(content, ALL)
    assert changed["unplaced"] == [
        {"id": "ours", "value": "x"},
        "text",
        {"id": ["odd"], "value": "y"},
        "all of it",
    ]
    assert changed["sections"][3] == new()["sections"][3]


def test_text_of_a_dropped_source_is_unplaced_and_returns_with_it() -> None:
    content = new()
    field(content, DESCRIPTION).update(value="Diaries.", status="filled")
    dropped = update(content, FEWER)
    assert [(one["id"], one["value"]) for one in dropped["unplaced"]] == [(DESCRIPTION, "Diaries.")]
    assert update(dropped, ALL) == content


def test_a_filled_field_does_not_give_way_to_an_unplaced_one() -> None:
    content = new()
    field(content, DESCRIPTION)["value"] = "Letters."
    content["unplaced"] = [{"id": DESCRIPTION, "value": "Diaries."}]
    changed = update(content, ALL)
    assert field(changed, DESCRIPTION)["value"] == "Letters."
    assert changed["unplaced"] == content["unplaced"]


@pytest.mark.parametrize("sections", [None, "text", [], [[], 3, None], [{"number": ["1"]}, {"fields": 1}]])
def test_a_summary_of_another_shape_is_made_whole(sections: Any) -> None:
    content = {"format": "portrait-training-summary", "sections": sections, "unplaced": "mine"}
    changed = update(content, ALL)
    assert changed["sections"][: len(ALL)] == new()["sections"]
    assert changed["unplaced"] == ["mine"]


def test_a_summary_is_known_by_its_format() -> None:
    assert is_rendered(NEW)
    for other in ("", "[]", "{}", '{"format": "portrait"}', NEW[:-5], "[" * 100_000):
        assert not is_rendered(other)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("aé京 {", max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.sampled_from([f.id for s in ALL for f in s.fields]),
        _JSON.filter(lambda value: value not in (None, "", [], {})),
        max_size=4,
    ),
    st.permutations(range(3)),
)
def test_no_sequence_of_updates_loses_a_value(values: dict[str, Any], versions: list[int]) -> None:
    content = new()
    for id_, value in values.items():
        field(content, id_).update(value=value, status="filled")
    for sections in [(ALL, GROWN, FEWER)[version] for version in versions]:
        content = update(content, sections)
    last = update(content, ALL)
    assert {id_: field(last, id_)["value"] for id_ in values} == values
    assert last["unplaced"] == []
