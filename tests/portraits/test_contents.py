"""The contents of a portrait: a bundle's, and a foreign filter's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.places import GOLDEN

import portrait
from portrait.bundle import reader as bundles
from portrait.errors import DamagedBundleError, SpecError
from portrait.filters.kinds import open_layer
from portrait.portraits import contents
from portrait.portraits.contents import bundle_contents, open_contents

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.bundle.manifest import Layer
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import StoredFilter


def test_a_bundle_is_opened_only_with_the_stride_it_was_built_with(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    windows = portrait.WindowSpec(sampling=portrait.Stride(25))
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait", windows=windows)
    assert portrait.open(built.path, stride=25).spec == built.spec
    with pytest.raises(SpecError, match="was built with a stride of 25, not 50"):
        portrait.open(built.path, stride=50)


def test_a_bundle_of_sampled_windows_has_no_stride(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait")
    with pytest.raises(SpecError) as caught:
        portrait.open(built.path, stride=42)
    assert caught.value.parameter == "stride"


def test_a_bundle_s_contents_are_those_of_its_manifest(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("Some text.")
    built = portrait.build({name: tmp_path / f"{name}.txt" for name in ("a", "b")}, tmp_path / "a.portrait")
    opened = bundle_contents(bundles.read(built.path))
    assert (opened.path, opened.name, opened.spec) == (built.path, "a", built.spec)
    assert [(layer.source, layer.fpr) for layer in opened.layers] == [
        (layer.source, layer.fpr) for layer in built.manifest.layers
    ]
    assert opened.about == built.manifest


def test_a_foreign_filter_is_one_layer_named_after_its_file() -> None:
    path = GOLDEN / "redisbloom" / "words.50-50.bf"
    opened = open_contents(path, None)
    assert (opened.path, opened.name) == (path, "words.50-50")
    (layer,) = opened.layers
    assert (layer.source, layer.fpr) == ("words.50-50", layer.filter.rate())


def test_the_error_about_another_stride_names_the_parameter(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait")
    with pytest.raises(SpecError) as caught:
        open_contents(built.path, 7)
    assert caught.value.parameter == "stride"


@pytest.mark.parametrize("n_times", [1, 3, 20])
def test_a_portrait_that_is_replaced_while_it_is_opened_is_opened_again(
    n_times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"Some text of {name}, which is longer than a window. " * 2)
    out = tmp_path / "out"
    portrait.build(tmp_path / "a.txt", out)
    left = [n_times]

    def replaced(bundle: Bundle, layer: Layer) -> StoredFilter:
        """Open a layer of a portrait that another process has replaced since its manifest was read."""
        if left[0] and bundle.path == out:
            left[0] -= 1
            with monkeypatch.context() as patch:
                patch.setattr(contents, "open_layer", open_layer)
                portrait.build(tmp_path / f"{'ab'[left[0] % 2]}.txt", out, overwrite=True)
        return open_layer(bundle, layer)

    if n_times == 1:
        portrait.build(tmp_path / "b.txt", out, overwrite=True)
    monkeypatch.setattr(contents, "open_layer", replaced)
    if n_times > 5:
        with pytest.raises(DamagedBundleError, match="the shard is missing"):
            open_contents(out, None)
    else:
        assert open_contents(out, None).about == bundles.read(out).manifest


def test_a_shard_that_is_missing_and_stays_missing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "out")
    (built.path / built.manifest.layers[0].shards[0].file).unlink()
    with pytest.raises(DamagedBundleError, match="the shard is missing"):
        open_contents(built.path, None)
