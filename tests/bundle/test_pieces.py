"""Layers in several shards: the same portrait as in one."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from support.forge import split_tensor_file

import portrait
from portrait.bundle.reader import read
from portrait.bundle.writer import BundleWriter

if TYPE_CHECKING:
    from pathlib import Path

#: The smallest limit on the size of a shard.
SMALLEST = 4096


def words(seed: str, n: int) -> str:
    """Return a text of ``n`` random words, the same for the same seed."""
    dice = random.Random(seed)
    return " ".join("".join(dice.choices("abcdefghij", k=dice.randint(2, 9))) for _ in range(n))


TEXTS = {"a": words("a", 20_000), "b": words("b", 700)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a portrait in one shard a layer, ``whole``, and the same in small shards, ``cut``."""
    directory = tmp_path_factory.mktemp("shards")
    for name, text in TEXTS.items():
        (directory / f"{name}.txt").write_text(text)
    sources = {name: directory / f"{name}.txt" for name in TEXTS}
    portrait.build(sources, directory / "whole")
    portrait.build(sources, directory / "cut", max_shard_bytes=SMALLEST)
    return directory


def test_cutting_changes_neither_id_nor_answers(corpus: Path) -> None:
    whole, cut = portrait.open(corpus / "whole"), portrait.open(corpus / "cut")
    assert [len(layer.shards) for layer in whole.manifest.layers] == [1, 1]
    assert len(cut.manifest.layers[0].shards) > 2
    assert cut.manifest.id == whole.manifest.id
    assert [layer.tensors for layer in cut.manifest.layers] == [
        layer.tensors for layer in whole.manifest.layers
    ]
    for text in (TEXTS["a"], TEXTS["b"], TEXTS["a"][5000:9000], words("c", 3000)):
        assert cut.hits(text) == whole.hits(text)
        answers = [opened.query(text).to_dict() for opened in (cut, whole)]
        for answer in answers:
            for one in (*answer["layers"], *answer["portraits"]):
                del one["portrait"]
        assert answers[0] == answers[1]


def test_shards_end_to_end_are_the_whole_filter(corpus: Path) -> None:
    whole, cut = (portrait.open(corpus / name).manifest for name in ("whole", "cut"))
    for one, several in zip(whole.layers, cut.layers, strict=True):
        data = split_tensor_file((corpus / "whole" / one.shards[0].file).read_bytes())[1]
        parts = [split_tensor_file((corpus / "cut" / shard.file).read_bytes())[1] for shard in several.shards]
        assert b"".join(parts) == data
        assert max(map(len, parts)) - min(map(len, parts[:-1] or parts)) <= 0
        assert all(shard.bytes <= SMALLEST for shard in several.shards)


def test_shards_are_numbered_and_their_ranges_complete(corpus: Path) -> None:
    shards = portrait.open(corpus / "cut").manifest.layers[0].shards
    total = len(shards)
    assert [shard.file for shard in shards] == [
        f"a-{i:05}-of-{total:05}.safetensors" for i in range(1, total + 1)
    ]
    assert int(shards[0].first_key, 16) == 0
    assert int(shards[-1].last_key, 16) == 2**64 - 1
    assert all(int(one.last_key, 16) + 1 == int(two.first_key, 16) for one, two in pairwise(shards))


def test_a_bundle_has_ten_thousand_shards_at_most(corpus: Path) -> None:
    bundle = read(corpus / "whole")
    layer = bundle.manifest.layers[0]
    most = replace(layer, shards=layer.shards * 10_000)
    with BundleWriter(corpus / "whole", overwrite=True) as writer:
        assert writer.keep_layer(bundle, most) == most
        with pytest.raises(portrait.SpecError, match="would have more than 10,000 shards"):
            writer.keep_layer(bundle, layer)
