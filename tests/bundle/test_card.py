"""The card: what a portrait holds, how to query it, and what it cannot tell."""

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
    """Return the manifest of a golden bundle."""
    (path,) = GOLDEN.glob(f"{name}/**/portrait.json")
    return read(path.parent).manifest


def rows(text: str) -> list[str]:
    """Return the rows of the table in a card, without its header."""
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("name", BUNDLES)
def test_every_layer_has_a_row(name: str) -> None:
    example = manifest(name)
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows(card(example, "x"))]
    assert [row[:4] for row in cells] == [
        [layer.source, str(layer.documents), str(layer.text_bytes), str(layer.distinct_keys)]
        for layer in example.layers
    ]
    assert [float(row[4]) for row in cells] == [
        pytest.approx(layer.fpr, rel=0.01) for layer in example.layers
    ]
    assert [row[5] for row in cells] == [
        str(sum(shard.bytes for shard in layer.shards)) for layer in example.layers
    ]


@pytest.mark.parametrize("name", BUNDLES)
def test_the_card_names_the_portrait_its_id_and_its_windows(name: str) -> None:
    example = manifest(name)
    text = card(example, "harbour.portrait")
    assert text.startswith("# harbour.portrait\n")
    assert 'portrait query harbour.portrait "a passage' in text
    assert f"- Id: `{example.id}`" in text
    spec = example.windows
    assert f"windows of {spec.width} {spec.unit_name}, every {spec.stride}" in text
    assert f"`{spec.normalizer}`, hashed by XXH3-64." in text
    assert f"Every verbatim passage of {spec.guaranteed_length} {spec.unit_name} or more" in text


def test_a_licence_and_models_that_are_not_stated_are_reported_as_such() -> None:
    example = replace(manifest("defaults"), license=None, trained_models=())
    text = card(example, "x")
    assert "- Models trained on the corpus: none named\n" in text
    assert "- Licence: not stated\n" in text
    text = card(replace(example, license="CC0-1.0", trained_models=("a/b", "c/d")), "x")
    assert "- Models trained on the corpus: a/b, c/d\n" in text
    assert "- Licence: CC0-1.0\n" in text


def with_layer(original: Manifest, **fields: object) -> Manifest:
    """Return the manifest with its first layer only, whose ``fields`` are replaced."""
    layer: Layer = replace(original.layers[0], **fields)  # type: ignore[arg-type]
    return replace(original, layers=(layer,))


def test_missing_counts_are_shown_as_unknown() -> None:
    text = card(with_layer(manifest("defaults"), documents=None, text_bytes=None), "x")
    (row,) = rows(text)
    assert row.startswith("| main | unknown | unknown | ")


def test_a_source_cannot_break_the_table() -> None:
    (row,) = rows(card(with_layer(manifest("defaults"), source="a|b"), "x"))
    assert row.startswith("| a\\|b | ")


@pytest.mark.parametrize(
    ("kind", "hash_name"),
    [
        ("bloom", "XXH3-64"),
        ("fuse", "XXH3-64"),
        ("pybloom", "the digests that pybloom-live takes"),
        ("redisbloom", "MurmurHash"),
    ],
)
def test_every_kind_of_filter_names_its_hash(kind: str, hash_name: str) -> None:
    text = card(with_layer(manifest("defaults"), filter={"kind": kind}), "x")
    assert f"hashed by {hash_name}.\n" in text


def test_hashes_of_several_kinds_are_all_named() -> None:
    example = manifest("two_sources")
    one, two = example.layers
    layers = (replace(one, filter={"kind": "redisbloom"}), replace(two, filter={"kind": "bloom"}))
    assert "hashed by XXH3-64 and MurmurHash." in card(replace(example, layers=layers), "x")


def test_the_card_gives_no_length_where_no_chain_is_significant() -> None:
    example = manifest("defaults")
    assert "to be told from chance: in a text of 2000 characters,\n  none." in card(
        with_layer(example, fpr=1.0), "x"
    )
    assert ",\n  none." not in card(example, "x")
    wide = replace(example, windows=WindowSpec(width=5000))
    assert card(wide, "x")
