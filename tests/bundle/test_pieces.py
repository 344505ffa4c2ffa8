"""Layers in several files: the same portrait, cut."""

from __future__ import annotations

import random
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from support.forge import change_manifest, split_tensor_file

import portrait
from portrait import DamagedBundleError, FilterSpec, SpecError
from portrait.filters import kinds as filters
from portrait.filters import pybloom, redisbloom
from portrait.filters.bloom import Bloom, BloomBuilder, key_range
from portrait.spec import FILTER_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALLEST = 4096


def words(seed: str, n: int) -> str:
    dice = random.Random(seed)
    return " ".join("".join(dice.choices("abcdefghij", k=dice.randint(2, 9))) for _ in range(n))


TEXTS = {"a": words("a", 12_000), "b": words("b", 700)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("shards")
    for name, text in TEXTS.items():
        (directory / f"{name}.txt").write_text(text)
    sources = {name: directory / f"{name}.txt" for name in TEXTS}
    portrait.build(sources, directory / "whole")
    portrait.build(sources, directory / "cut", max_shard_bytes=SMALLEST)
    return directory


@pytest.fixture
def cut(corpus: Path, tmp_path: Path) -> Path:
    """A copy of the portrait in several shards, to be changed."""
    return shutil.copytree(corpus / "cut", tmp_path / "cut")


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
        found, expected = (opened.query(text).to_dict() for opened in (cut, whole))
        for answer in (found, expected):
            for layer in answer["layers"]:
                del layer["portrait"]
        assert found == expected


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


@pytest.mark.parametrize("n_blocks", [1, 2, 3, 7, 97, 100, 1024])
@pytest.mark.parametrize("max_bytes", [1, 32, 63, 64, 100, 1000, 10**9])
def test_pieces_are_the_blocks_of_their_keys(n_blocks: int, max_bytes: int) -> None:
    builder = BloomBuilder(n_blocks)
    builder.insert(random.Random(n_blocks).randbytes(80 * n_blocks))
    data = bytes(builder.data)
    pieces = list(builder.finish().pieces(max_bytes))
    per_piece = pieces[0].tensors[0].shape[0]
    block = 0
    for piece in pieces:
        (tensor,) = piece.tensors
        n = tensor.shape[0]
        assert n == min(per_piece, n_blocks - block)
        assert 32 * n == tensor.n_bytes <= max(32, max_bytes)
        assert b"".join(map(bytes, piece.buffers)) == data[32 * block : 32 * (block + n)]
        assert (piece.first_key * n_blocks) >> 64 == block
        assert (piece.last_key * n_blocks) >> 64 == block + n - 1
        assert (piece.last_key + 1) * n_blocks >> 64 == block + n
        block += n
    assert block == n_blocks
    assert pieces[0].first_key == 0
    assert pieces[-1].last_key == 2**64 - 1


@pytest.mark.parametrize("per_buffer", [1, 2, 33, 99, 100])
def test_a_filter_of_several_buffers_is_cut_and_asked_as_one(per_buffer: int) -> None:
    dice = random.Random(per_buffer)
    builder = BloomBuilder(100)
    builder.insert(dice.randbytes(8 * 2000))
    data, whole = bytes(builder.data), builder.finish()
    several = Bloom(*(data[i : i + 32 * per_buffer] for i in range(0, len(data), 32 * per_buffer)))
    keys = dice.randbytes(8 * 20_000) + bytes(8) + b"\xff" * 8
    assert several.contains(keys) == whole.contains(keys)
    assert several.rate() == whole.rate()
    for max_bytes in (32, 1000, 3200):
        for one, other in zip(several.pieces(max_bytes), whole.pieces(max_bytes), strict=True):
            assert (one.first_key, one.last_key, one.tensors) == (
                other.first_key,
                other.last_key,
                other.tensors,
            )
            assert b"".join(map(bytes, one.buffers)) == b"".join(map(bytes, other.buffers))


@pytest.mark.parametrize("sizes", [[], [32, 64], [64, 32, 64], [64, 0], [0], [64, 63]])
def test_buffers_of_other_sizes_are_no_filter(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        Bloom(*(bytes(size) for size in sizes))


def test_key_ranges_of_any_filter_meet() -> None:
    for n_blocks in (1, 2, 3, 1000, 2**32 - 1, 2**58 + 1):
        for block in {0, n_blocks // 3, n_blocks - 1}:
            first, last = key_range(block, block + 1, n_blocks)
            assert first * n_blocks >> 64 == last * n_blocks >> 64 == block
            assert first == 0 or (first - 1) * n_blocks >> 64 == block - 1


def test_every_kind_of_filter_that_can_be_asked_for_can_be_built() -> None:
    assert set(filters.KINDS) == {*FILTER_KINDS, redisbloom.KIND}  # of which only the last is read only
    for kind in FILTER_KINDS:
        spec = FilterSpec(kind)  # type: ignore[arg-type]
        if kind == pybloom.KIND:  # of windows, not of keys
            with pytest.raises(SpecError, match="windows"):
                filters.layout(spec, 10)
        else:
            assert filters.layout(spec, 10).parameters["kind"] == kind


def shards_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manifest["layers"][0]["shards"]
    return found


def swap(manifest: dict[str, Any]) -> None:
    """Exchange two files of equal size, so that only the bits are wrong."""
    one, two = shards_of(manifest)[:2]
    for name in ("file", "sha256", "xxh3_128", "bytes"):
        one[name], two[name] = two[name], one[name]


def shift(manifest: dict[str, Any]) -> None:
    one, two = shards_of(manifest)[:2]
    border = int(two["first_key"], 16) + 1
    one["last_key"], two["first_key"] = f"{border - 1:016x}", f"{border:016x}"


def unite(manifest: dict[str, Any]) -> None:
    one, two = shards_of(manifest)[:2]
    one["last_key"] = two["last_key"]
    del shards_of(manifest)[1]


def set_shard(i: int, **fields: str) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: shards_of(manifest)[i].update(fields)


def share(manifest: dict[str, Any]) -> None:
    shards_of(manifest)[1]["file"] = shards_of(manifest)[0]["file"]


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "one missing": (lambda manifest: shards_of(manifest).pop(1), "cover all keys"),
    "last missing": (lambda manifest: shards_of(manifest).pop(), "cover all keys"),
    "first missing": (lambda manifest: shards_of(manifest).pop(0), "cover all keys"),
    "reversed": (lambda manifest: shards_of(manifest).reverse(), "cover all keys"),
    "begins late": (set_shard(0, first_key=f"{1:016x}"), "cover all keys"),
    "ends before it begins": (set_shard(1, last_key=f"{0:016x}"), "cover all keys"),
    "ends early": (set_shard(-1, last_key="f" * 15 + "e"), "cover all keys"),
    "overlap": (set_shard(1, first_key=f"{1:016x}"), "cover all keys"),
    "all twice": (lambda manifest: shards_of(manifest).extend(shards_of(manifest)), "cover all keys"),
    "a file twice": (share, "files of their own"),
    "capitals": (set_shard(-1, last_key="F" * 16), "16 hexadecimal digits"),
    "short": (set_shard(0, first_key="0"), "16 hexadecimal digits"),
    "signed": (set_shard(0, first_key="+" + "0" * 15), "16 hexadecimal digits"),
    "border shifted": (shift, "not those of the keys"),
    "two ranges for one file": (unite, "not those of the keys"),
    "fewer blocks": (
        lambda manifest: manifest["layers"][0]["filter"].update(n_blocks=3),
        "where blocks from 0 of 3 belong",
    ),
    "more blocks": (
        lambda manifest: manifest["layers"][0]["filter"].update(n_blocks=2**40),
        "not those of the keys",
    ),
    "more blocks than keys": (
        lambda manifest: manifest["layers"][0]["filter"].update(n_blocks=2**80),
        "speaks of",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_shards_that_do_not_fit_together_are_refused(kind: str, cut: Path) -> None:
    change, what = WRONG[kind]
    change_manifest(cut, change)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(cut)
    assert what in str(caught.value)
    assert str(caught.value).startswith(str(cut))


def test_exchanged_shards_are_noticed_when_verified(cut: Path) -> None:
    change_manifest(cut, swap)
    portrait.open(cut)
    with pytest.raises(DamagedBundleError, match="its tensors are not those"):
        portrait.verify(cut)


@pytest.mark.parametrize("size", [0, -1, 4095, 1e9, "5GB", None, True])
def test_a_size_that_is_none_is_refused(size: Any, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="largest size of a shard"):
        portrait.build(corpus / "a.txt", tmp_path / "out", max_shard_bytes=size)
    assert not (tmp_path / "out").exists()
