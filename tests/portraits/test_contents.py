"""The contents of a portrait: a bundle's, and a foreign filter's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.places import GOLDEN

import portrait
from portrait.bundle import reader as bundles
from portrait.errors import SpecError
from portrait.portraits.contents import bundle_contents, open_contents

if TYPE_CHECKING:
    from pathlib import Path


def test_a_bundle_is_opened_only_with_the_stride_it_was_built_with(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait")
    assert portrait.open(built.path, stride=25).spec == built.spec
    with pytest.raises(SpecError, match="was built with a stride of 25, not 50"):
        portrait.open(built.path, stride=50)


def test_a_bundle_s_contents_are_those_of_its_manifest(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("Some text.")
    built = portrait.build({name: tmp_path / f"{name}.txt" for name in ("a", "b")}, tmp_path / "a.portrait")
    contents = bundle_contents(bundles.read(built.path))
    assert (contents.path, contents.name, contents.spec) == (built.path, "a", built.spec)
    assert [(layer.source, layer.fpr) for layer in contents.layers] == [
        (layer.source, layer.fpr) for layer in built.manifest.layers
    ]
    assert contents.about == built.manifest


def test_a_foreign_filter_is_one_layer_named_after_its_file() -> None:
    path = GOLDEN / "redisbloom" / "words.50-50.bf"
    contents = open_contents(path, None)
    assert (contents.path, contents.name) == (path, "words.50-50")
    (layer,) = contents.layers
    assert (layer.source, layer.fpr) == ("words.50-50", layer.filter.rate())


def test_the_error_about_another_stride_names_the_parameter(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait")
    with pytest.raises(SpecError) as caught:
        open_contents(built.path, 7)
    assert caught.value.parameter == "stride"
