"""The card: what a portrait holds, how to query it, and what it cannot tell."""

from __future__ import annotations

import html
import os
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from support.places import GOLDEN

from portrait import Stride, WindowSpec
from portrait.bundle.reader import read
from portrait.bundle.readme.card import card, read_card, updated
from portrait.errors import printable
from portrait.evidence import FORGEABLE

if TYPE_CHECKING:
    from pathlib import Path

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
        [layer.source, f"{layer.documents:,}", f"{layer.text_bytes} B", f"{layer.distinct_keys:,}"]
        for layer in example.layers
    ]
    assert [float(row[4]) for row in cells] == [
        pytest.approx(layer.fpr, rel=0.01) for layer in example.layers
    ]
    sizes = [sum(shard.bytes for shard in layer.shards) for layer in example.layers]
    assert [row[5] for row in cells] == [f"{n} B" for n in sizes]


@pytest.mark.parametrize("name", BUNDLES)
def test_the_card_names_the_portrait_its_id_and_its_windows(name: str) -> None:
    example = manifest(name)
    text = card(example, "harbour.portrait")
    assert "\n# harbour.portrait\n" in text
    assert 'portrait query harbour.portrait "a passage' in text
    assert f"- Id: `{example.id}`" in text
    spec = example.windows
    assert f"windows of {spec.window}" in text
    assert str(spec.sampling.gap) in text
    assert f"`{spec.normalizer}`, hashed by XXH3-64." in text
    assert f"Every verbatim passage of {spec.length(spec.guaranteed_length, 'or more')} that appears" in text
    assert FORGEABLE in text


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
        ("ribbon", "XXH3-64"),
        ("pybloom", "the digests that pybloom-live takes"),
        ("redisbloom", "MurmurHash"),
    ],
)
def test_every_kind_of_filter_names_its_hash(kind: str, hash_name: str) -> None:
    text = card(with_layer(manifest("defaults"), filter={"kind": kind}), "x")
    assert f"hashed by {hash_name}.\n" in text


def test_the_smallest_kind_of_filter_is_recommended() -> None:
    advice = "With filters of the kind `ribbon`, which is for publishing, it would be smaller.\n"
    assert f"- Filters: bloom. {advice}" in card(manifest("defaults"), "x")
    assert "- Filters: ribbon, the smallest kind.\n" in card(manifest("loose_words"), "x")


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


@pytest.mark.parametrize(
    ("width", "length"),
    [
        # Two windows: a chain of one, of which chance shows 0.02, is no evidence yet.
        (1999, "2,018 characters or more"),
        # One window, whose chance of 0.01 is evidence.
        (2000, "2,009 characters or more"),
        (2001, "2,010 characters or more"),
    ],
)
def test_the_length_that_is_evidence_is_that_of_a_text_of_2000_units(width: int, length: str) -> None:
    wide = replace(manifest("defaults"), windows=WindowSpec(width=width, sampling=Stride(10)))
    assert f"in a text of 2000 characters,\n  {length} " in card(with_layer(wide, fpr=0.01), "x")


# What people write.

HOSTILE = [
    "<script>alert(1)</script>",
    "two\nlines\n# and a title",
    "\x1b[31mred\x1b[0m",
    "| a | b |",
    "[x](javascript:alert(1)) ![y](https://evil.example/y)",
    "`code` ``` and more",
    "<!-- portrait:end -->",
    "---\nlicense: mit\n---",
    "\u202egnihsif",
    "caf\udce9",
]


def section_of(text: str) -> str:
    """Return the HTML of a card's text."""
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(ModelCard(text).text))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_people_is_shown_and_never_markup(text: str) -> None:
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    example = replace(
        manifest("defaults"), license=text, trained_models=(text, "org/model"), tool=f"portrait {text}"
    )
    example = with_layer(example, source=shown)
    written = card(example, text.replace("/", "_"))
    assert all(c.isprintable() or c == "\n" for c in written)
    written.encode()
    page = section_of(written)
    # The very tags of a harmless card, in the same order.
    tags = re.findall(r"<[^>]*>", page)
    assert tags == re.findall(r"<[^>]*>", section_of(card(with_layer(example, source="x"), "x")))
    words = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert f"Licence: {shown}\n" in words
    assert f"Models trained on the corpus: {shown}, org/model\n" in words
    assert f"Built by portrait {shown}: windows" in words
    command = re.search(r"portrait query (.*) \"a passage", words)
    assert command
    (argument,) = shlex.split(command[1])
    assert argument.removeprefix("./") == printable(text.replace("/", "_"))
    assert not argument.startswith("-")


def test_a_directory_s_name_is_no_option() -> None:
    assert "portrait query ./-f " in card(manifest("defaults"), "-f")


def test_the_card_has_front_matter_for_the_hub() -> None:
    example = replace(manifest("defaults"), license="CC0-1.0", trained_models=("org/model", "our model"))
    assert ModelCard(card(example, "x")).data.to_dict() == {  # type: ignore[no-untyped-call]
        "license": "cc0-1.0",
        "library_name": "data-portrait",
        "tags": ["data-portrait"],
        "base_model": ["org/model"],
    }


@pytest.mark.parametrize("kind", ["cuckoo", None, 7])
def test_an_unknown_kind_of_filter_is_called_that(kind: object) -> None:
    assert "hashed by an unknown hash." in card(with_layer(manifest("defaults"), filter={"kind": kind}), "x")


# A card that people have edited.


def test_text_outside_the_marks_stays_byte_for_byte() -> None:
    old = replace(manifest("defaults"), license="CC0-1.0")
    new = replace(old, license="MIT")

    def parts(text: str) -> tuple[bytes, bytes]:
        """Return the front matter, and the rest without the last line feed."""
        begin = text.index("<!-- portrait:begin")
        return text[:begin].encode(), text[begin:-1].encode()

    top, bottom = b"\xff words\r\n\r\n", b"\n\nMore words: \x00\xfe <!-- a comment -->\n\n"
    front, section = parts(card(old, "x"))
    written = updated(front + top + section + bottom, new, "y", old)
    front, section = parts(card(new, "y"))
    assert written == front + top + section + bottom


def test_the_generated_part_has_the_line_ends_of_its_marks() -> None:
    old = manifest("defaults")
    edited = (card(old, "x") + "mine\n").replace("\n", "\r\n").encode()
    written = updated(edited, old, "x", old)
    assert written == edited


@pytest.mark.parametrize(
    "text",
    [
        "Ours.",
        "",
        "<!-- portrait:begin -->\n",
        "<!-- portrait:end -->\n<!-- portrait:begin -->\n",
        "<!-- portrait:begin -->\n<!-- portrait:end -->\n<!-- portrait:end -->\n",
        "see <!-- portrait:begin -->\nsee <!-- portrait:end -->\n",
    ],
)
def test_a_readme_without_one_pair_of_marks_is_no_card(text: str, tmp_path: Path) -> None:
    assert read_card(tmp_path) is None
    (tmp_path / "README.md").write_text(text)
    assert read_card(tmp_path) is None


def test_a_card_may_be_a_link_and_must_be_a_regular_file(tmp_path: Path) -> None:
    content = card(manifest("defaults"), "x").encode()
    (tmp_path / "blob").write_bytes(content)
    path = tmp_path / "README.md"
    path.symlink_to("blob")
    assert read_card(tmp_path) == content
    path.unlink()
    os.mkfifo(path)
    assert read_card(tmp_path) is None
    path.unlink()
    path.symlink_to("/dev/zero")
    assert read_card(tmp_path) is None
    path.unlink()
    with path.open("wb") as file:
        file.write(content)
        file.truncate(8 << 20)
    assert read_card(tmp_path) == content.ljust(8 << 20, b"\0")
    os.truncate(path, (8 << 20) + 1)
    assert read_card(tmp_path) is None
