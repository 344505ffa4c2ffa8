"""The section in a model's card: what it says, and how it is put into the page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt
from support.places import GOLDEN

from portrait.bundle.manifest_reader import parse
from portrait.bundle.readme.section import detectable
from portrait.cards.model_section import model_section, with_section
from portrait.errors import SpecError

if TYPE_CHECKING:
    from portrait.bundle.manifest import Manifest

PAGE = b"---\nlicense: mit\n---\n# A model\n\nIt speaks.\n"


@pytest.fixture
def manifest() -> Manifest:
    """A manifest of one source, ``main``."""
    path = GOLDEN / "defaults" / "portrait.json"
    return parse(path.read_bytes(), str(path))


def test_the_section_says_what_there_is_and_how_to_ask(manifest: Manifest) -> None:
    text = model_section(manifest, "corpus.portrait", "org/model")
    assert "org/model covers" in text
    assert "in 1 source: main." in text
    assert f"`{manifest.id}`" in text
    assert 'portrait query hf://org/model/corpus.portrait "' in text
    elsewhere = model_section(manifest, "x", "org/model", address="hf://datasets/org/portraits")
    assert "portrait query hf://datasets/org/portraits " in elsewhere


def test_the_section_links_to_the_portrait(manifest: Manifest) -> None:
    html = MarkdownIt().render(model_section(manifest, "a b", "org/model"))
    assert '<a href="https://huggingface.co/org/model/tree/main/a%20b">hf://org/model/a b</a>' in html
    unlinked = model_section(manifest, "x", "org/model", address="hf://?")
    assert "- Portrait: hf\\://?\n" in unlinked


def test_the_section_says_whether_a_copy_can_be_told_from_chance(manifest: Manifest) -> None:
    text = model_section(manifest, "x", "org/model")
    assert f"a copy of {detectable(manifest)} can be told from chance" in text
    hopeless = replace(manifest, layers=(replace(manifest.layers[0], fpr=1.0),))
    assert "no copy can be told from chance" in model_section(hopeless, "x", "org/model")


def test_names_cannot_break_the_page(manifest: Manifest) -> None:
    layers = tuple(replace(manifest.layers[0], source=f"<b>{i}|`") for i in range(12))
    text = model_section(replace(manifest, layers=layers), "x", "org/model")
    assert " and 2 more" in text
    assert "<b>" not in MarkdownIt().render(text)


def test_an_unknown_amount_of_text_is_said_to_be_unknown(manifest: Manifest) -> None:
    layer = replace(manifest.layers[0], text_bytes=None)
    assert "covers an unknown amount of text" in model_section(
        replace(manifest, layers=(layer,)), "x", "org/model"
    )


@pytest.mark.parametrize("model", ["model", "a/b/c", "", "org/", "or g/model", "hf://org/model"])
def test_a_model_is_named_with_its_owner(manifest: Manifest, model: str) -> None:
    with pytest.raises(SpecError, match="not a model's repository, such as ORG/NAME"):
        model_section(manifest, "x", model)


@pytest.mark.parametrize("page", [PAGE, b"", b"no line feed", PAGE.replace(b"\n", b"\r\n"), b"caf\xe9\n"])
def test_the_section_is_added_once_and_then_replaced(manifest: Manifest, page: bytes) -> None:
    first = with_section(page, model_section(manifest, "x", "org/model"))
    assert first.startswith(page)
    edited = first + b"More.\n"
    second = with_section(edited, model_section(manifest, "y", "org/model"))
    before = edited.index(b"<!-- portrait:model begin")
    assert second[:before] == edited[:before]
    assert second.endswith(b"<!-- portrait:model end -->" + edited.partition(b"portrait:model end -->")[2])
    assert b"hf://org/model/y" in second
    assert b"hf://org/model/x" not in second
    assert second.count(b"portrait:model begin") == 1
    if b"\r\n" in page:
        assert first.count(b"\n") == first.count(b"\r\n")


@pytest.mark.parametrize("marks", ["begin", "end", "end begin", "begin end begin end"])
def test_marks_that_do_not_pair_up_are_refused(manifest: Manifest, marks: str) -> None:
    page = "".join(f"<!-- portrait:model {mark} -->\n" for mark in marks.split())
    with pytest.raises(SpecError, match=r"^page\.md: has marks of the section that do not pair up"):
        with_section(page.encode(), model_section(manifest, "x", "org/model"), "page.md")
