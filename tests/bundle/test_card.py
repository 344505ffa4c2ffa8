"""The card tells people what a portrait is, how to ask it, and what it cannot say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.places import GOLDEN

from portrait import WindowSpec
from portrait.bundle.card import card
from portrait.bundle.reader import read

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer, Manifest

BUNDLES = ["defaults", "loose_words", "two_sources"]


def manifest(name: str) -> Manifest:
    (path,) = GOLDEN.glob(f"{name}/**/portrait.json")
    return read(path.parent).manifest


def rows(text: str) -> list[str]:
    """The rows of the card's table."""
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("name", BUNDLES)
def test_every_layer_has_its_row(name: str) -> None:
    made = manifest(name)
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows(card(made, "x"))]
    assert [row[:4] for row in cells] == [
        [layer.source, str(layer.documents), str(layer.text_bytes), str(layer.distinct_keys)]
        for layer in made.layers
    ]
    assert [float(row[4]) for row in cells] == [pytest.approx(layer.fpr, rel=0.01) for layer in made.layers]
    assert [row[5] for row in cells] == [
        str(sum(shard.bytes for shard in layer.shards)) for layer in made.layers
    ]


@pytest.mark.parametrize("name", BUNDLES)
def test_the_card_names_the_portrait_and_what_it_is_made_of(name: str) -> None:
    made = manifest(name)
    text = card(made, "harbour.portrait")
    assert text.startswith("# harbour.portrait\n")
    assert 'portrait query harbour.portrait "a passage' in text
    assert f"- Id: `{made.id}`" in text
    spec = made.windows
    assert f"windows of {spec.width} {spec.unit_name}, every {spec.stride}" in text
    assert f"`{spec.normalizer}`, hashed by XXH3-64." in text
    assert f"Every verbatim passage of {spec.guaranteed_length} {spec.unit_name} or more" in text


def test_what_nobody_has_stated_is_said_not_to_be() -> None:
    made = replace(manifest("defaults"), license=None, trained_models=())
    text = card(made, "x")
    assert "- Models trained on the corpus: none named\n" in text
    assert "- Licence: not stated\n" in text
    text = card(replace(made, license="CC0-1.0", trained_models=("a/b", "c/d")), "x")
    assert "- Models trained on the corpus: a/b, c/d\n" in text
    assert "- Licence: CC0-1.0\n" in text


def changed(made: Manifest, **fields: object) -> Manifest:
    layer: Layer = replace(made.layers[0], **fields)  # type: ignore[arg-type]
    return replace(made, layers=(layer,))


def test_counts_that_nobody_knows_are_unknown() -> None:
    text = card(changed(manifest("defaults"), documents=None, text_bytes=None), "x")
    (row,) = rows(text)
    assert row.startswith("| main | unknown | unknown | ")


def test_a_source_cannot_break_the_table() -> None:
    (row,) = rows(card(changed(manifest("defaults"), source="a|b"), "x"))
    assert row.startswith("| a\\|b | ")


@pytest.mark.parametrize(
    ("kind", "hashed"),
    [
        ("bloom", "XXH3-64"),
        ("fuse", "XXH3-64"),
        ("pybloom", "the digests that pybloom-live takes"),
        ("redisbloom", "MurmurHash"),
    ],
)
def test_every_kind_of_filter_has_its_hash(kind: str, hashed: str) -> None:
    text = card(changed(manifest("defaults"), filter={"kind": kind}), "x")
    assert f"hashed by {hashed}.\n" in text


def test_hashes_of_several_kinds_are_all_named() -> None:
    made = manifest("two_sources")
    one, two = made.layers
    layers = (replace(one, filter={"kind": "redisbloom"}), replace(two, filter={"kind": "bloom"}))
    assert "hashed by XXH3-64 and MurmurHash." in card(replace(made, layers=layers), "x")


def test_where_no_chain_is_significant_there_is_no_length() -> None:
    made = manifest("defaults")
    assert "to be told from chance: in a text of 2000 characters,\n  none." in card(
        changed(made, fpr=1.0), "x"
    )
    assert ",\n  none." not in card(made, "x")
    wide = replace(made, windows=WindowSpec(width=5000))
    assert card(wide, "x")
