"""A card's front matter: valid for the hub whatever people wrote, and theirs where they changed it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import DatasetCard, ModelCard
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]
from hypothesis import given
from hypothesis import strategies as st
from support.places import GOLDEN

from portrait.bundle.reader import read
from portrait.bundle.readme.front_matter import front_matter, updated

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

EXAMPLE = read(GOLDEN / "defaults").manifest


def manifest(**fields: Any) -> Manifest:
    """Return a manifest with some fields replaced."""
    return replace(EXAMPLE, **{"license": None, "trained_models": (), "corpus": {}, **fields})


def data(text: str) -> dict[str, Any]:
    """Return the fields of a card's front matter, as the hub's own library reads them."""
    fields: dict[str, Any] = ModelCard(text).data.to_dict()  # type: ignore[no-untyped-call]
    assert DatasetCard(text).data.to_dict() == fields  # type: ignore[no-untyped-call]
    return fields


def at(*locations: object) -> dict[str, Any]:
    """Return a corpus of one source with these locations."""
    return {"main": {"location": list(locations), "revision": None, "files": []}}


def test_a_manifest_that_states_nothing_names_the_library_only() -> None:
    assert data(front_matter(manifest())) == {"library_name": "data-portrait", "tags": ["data-portrait"]}


@pytest.mark.parametrize(
    ("stated", "fields"),
    [
        ("CC0-1.0", {"license": "cc0-1.0"}),
        (" apache-2.0 ", {"license": "apache-2.0"}),
        ("other", {"license": "other"}),
        ("", {}),
        ("GPL-3.0-or-later", {"license": "other", "license_name": "gpl-3.0-or-later"}),
        ("Ask me first!", {"license": "other", "license_name": "ask-me-first"}),
        ("許諾", {"license": "other", "license_name": "custom"}),
        ("mit\n---\nlicense: gpl", {"license": "other", "license_name": "mit-license-gpl"}),
        ('"\x1b[31m{{x}}', {"license": "other", "license_name": "31m-x"}),
        ("x" * 1000, {"license": "other", "license_name": "x" * 96}),
    ],
)
def test_a_licence_is_one_that_the_hub_knows_or_another_with_a_name(
    stated: str, fields: dict[str, str]
) -> None:
    found = data(front_matter(manifest(license=stated)))
    assert {key: value for key, value in found.items() if key.startswith("license")} == fields


def test_datasets_of_the_hub_are_named() -> None:
    corpus = {
        **at("hf://datasets/org/one@main?split=train", "hf://datasets/squad", "corpus/*.jsonl"),
        "web": {"location": ["hf://datasets/org/two/data/a.parquet", "hf://datasets/org/one"]},
        "odd": {"location": ["hf://datasets/org/four/two\nlines.jsonl", "hf://datasets/org/fünf"]},
        "url": {"location": ["https://huggingface.co/datasets/org/three/resolve/main/a.jsonl"]},
        "bad": {
            "location": ["hf://datasets/a--b/c", "hf://datasets/-x/y", "hf://datasets/x/y\n- z", 7, None]
        },
        "worse": {"location": "hf://datasets/no/list"},
        "worst": 7,
    }
    found = data(front_matter(manifest(corpus=corpus)))
    assert found["datasets"] == ["org/four", "org/one", "org/three", "org/two", "squad"]


def test_models_of_the_hub_are_named() -> None:
    models = ("org/b", "org/a", "our model, 7B", "gpt2", "org/b", "x/y/z", "a/b\n---", "../etc", "x/y.git")
    assert data(front_matter(manifest(trained_models=models)))["base_model"] == ["org/b", "org/a"]


@given(st.text(), st.lists(st.text()), st.lists(st.text()))
def test_any_text_gives_front_matter_that_the_hub_accepts(
    license_: str, models: list[str], datasets: list[str]
) -> None:
    corpus = at(*(f"hf://datasets/{name}" for name in datasets))
    text = front_matter(manifest(license=license_, trained_models=tuple(models), corpus=corpus))
    fields = data(text)
    assert fields["library_name"] == "data-portrait"
    for name in [*fields.get("datasets", []), *fields.get("base_model", [])]:
        validate_repo_id(name)
    assert ModelCard(text).text.strip() == ""


# Written again.

OLD = manifest(license="MIT", trained_models=("org/a",))
NEW = manifest(license="CC0-1.0", trained_models=("org/a", "org/b"), corpus=at("hf://datasets/org/one"))
REST = "\nwords of a person\n"


def test_what_nobody_changed_is_written_again() -> None:
    assert updated(front_matter(OLD) + REST, NEW, OLD) == (
        "---\n"
        'license: "cc0-1.0"\n'
        'library_name: "data-portrait"\n'
        'tags:\n- "data-portrait"\n'
        'base_model:\n- "org/a"\n- "org/b"\n'
        'datasets:\n- "org/one"\n'
        "---\n" + REST
    )
    assert data(updated(front_matter(NEW), OLD, NEW)) == data(front_matter(OLD))
    assert updated(front_matter(NEW), NEW, NEW) == front_matter(NEW)


def test_keys_of_people_stay_byte_for_byte() -> None:
    theirs = (
        "---\n"
        "# Our page\n"
        "language: [en,  de]\n"
        'license: "mit"\n'
        "license_link: LICENSE\n"
        'library_name: "data-portrait"\n'
        "\n"
        "tags:\n"
        '- "data-portrait"\n'
        "# and ours\n"
        "- harbour\n"
        "extra: |\n"
        "  license: not a key\n"
        'base_model:\n- "org/a"\n'
        "# the end\n"
        "---\n"
    )
    expected = theirs.replace('"mit"', '"cc0-1.0"').replace('- "org/a"\n', '- "org/a"\n- "org/b"\n')
    expected = expected.replace("# the end\n", '# the end\ndatasets:\n- "org/one"\n')
    assert updated(theirs + REST, NEW, OLD) == expected + REST
    assert data(expected)["tags"] == ["data-portrait", "harbour"]


@pytest.mark.parametrize(
    "theirs",
    [
        "---\nlicense: gpl-3.0\n---\n",
        "---\nlicense: gpl-3.0\nlicense_name: mine\n---\n",
        '---\nlicense: "mit" # really\n---\n',
        "---\nlibrary_name: x\n---\n",
        "---\nlicense: a\nlicense: b\n---\n",
    ],
)
def test_a_value_that_a_person_gave_stays_and_keys_that_were_removed_stay_away(theirs: str) -> None:
    new = manifest(license="Ask me", trained_models=("org/b",))
    assert updated(theirs + REST, new, OLD) == theirs + REST


@pytest.mark.parametrize("text", ["", "words\n", "\ufeff---\na: b\n---\n", "--- a: b", "---\nnever closed\n"])
def test_without_front_matter_nothing_is_added(text: str) -> None:
    assert updated(text, NEW, OLD) == text


def test_without_the_old_manifest_every_value_is_a_person_s() -> None:
    assert (
        updated(front_matter(OLD), NEW, None)
        == front_matter(OLD).replace("---\n", "---\n", 1).removesuffix("---\n")
        + 'datasets:\n- "org/one"\n---\n'
    )


def test_line_ends_stay_as_they_are() -> None:
    dos = front_matter(OLD).replace("\n", "\r\n")
    written = updated(dos, NEW, OLD)
    assert written.replace("\r\n", "") == written.replace("\r\n", "\n").replace("\n", "")
    assert data(written) == data(updated(front_matter(OLD), NEW, OLD))


@pytest.mark.parametrize(("first", "others"), [("\r\n", "\n"), ("\n", "\r\n")])
def test_where_line_ends_are_mixed_new_lines_end_as_the_first(first: str, others: str) -> None:
    theirs = f'---{first}license: "mit"{others}extra: 1{others}---{others}'
    assert updated(theirs, manifest(license="CC0-1.0"), manifest(license="MIT")) == (
        f'---{first}license: "cc0-1.0"{first}extra: 1{others}---{others}'
    )
