"""The ribbon filter: no false negatives, the promised rate and size, parts, and damage."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support import forge
from support.packed_keys import pack

import portrait
from portrait import DamagedBundleError, FilterSpec, SpecError
from portrait.bundle.reader import read
from portrait.bundle.writer import BundleWriter
from portrait.filters.ribbon import Ribbon, RibbonLayout, columns_for, expected, key_range, open_layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portrait.bundle.reader import Bundle


def keys(n: int, seed: int = 1) -> bytes:
    """Return ``n`` random keys in ascending order, packed."""
    dice = random.Random(seed)
    return pack(sorted({dice.getrandbits(64) for _ in range(n)}))


def build(content: bytes, n_columns: int) -> Ribbon:
    """Return a filter of these packed keys, with so many columns."""
    layout = RibbonLayout(len(content) // 8, n_columns)
    (whole,) = layout.ranges(1)
    return layout.assemble([layout.build([content], whole)])


@pytest.mark.parametrize("n_columns", [1, 4, 7, 8, 13, 31, 32])
@pytest.mark.parametrize("n", [0, 1, 2, 100, 1023, 40_000])
def test_every_key_is_found(n: int, n_columns: int) -> None:
    content = keys(n)
    assert build(content, n_columns).contains(content) == b"\x01" * n


@pytest.mark.parametrize("n", [0, 1, 150, 20_000, 150_000])
@pytest.mark.parametrize("n_columns", [1, 4, 7, 10])
def test_the_false_positive_rate_is_as_promised(n: int, n_columns: int) -> None:
    ribbon = build(keys(n), n_columns)
    probes = random.Random("probes").randbytes(8 * 400_000)
    assert ribbon.rate() == pytest.approx(2.0**-n_columns, rel=0.01)
    assert ribbon.sampled_rate() == ribbon.rate()
    expected = 400_000 * ribbon.rate()
    assert abs(ribbon.contains(probes).count(1) - expected) < 5 * expected**0.5


@pytest.mark.parametrize(
    ("n", "overhead"), [(1000, 1.4), (10_000, 1.06), (100_000, 1.035), (1 << 18, 1.035), (1_000_000, 1.035)]
)
@pytest.mark.parametrize("n_columns", [7, 10])
def test_the_filter_is_as_small_as_promised(n: int, overhead: float, n_columns: int, tmp_path: Path) -> None:
    ribbon = build(keys(n), n_columns)
    with BundleWriter(tmp_path / "a.portrait") as writer:
        (shard,) = writer.add_layer("main", "ribbon", ribbon.pieces(1 << 40)).shards
    assert shard.bytes < overhead * n * n_columns / 8


@pytest.mark.parametrize(
    ("n", "tolerance"), [(0, 0), (1, 0), (100, 0), (1000, 0.1), (60_000, 0.02), (1_000_000, 0.01)]
)
@pytest.mark.parametrize("n_columns", [1, 7, 20, 32])
def test_the_expected_size_is_about_the_size(n: int, tolerance: float, n_columns: int) -> None:
    (piece,) = build(keys(n), n_columns).pieces(1 << 40)
    n_bytes, rate = expected(n, 2.0**-n_columns)
    assert sum(tensor.n_bytes for tensor in piece.tensors) == pytest.approx(
        n_bytes, rel=tolerance, abs=tolerance and 64 + 8 * n_columns
    )
    assert rate == 2.0**-n_columns


def test_the_rate_determines_the_columns() -> None:
    assert [columns_for(rate) for rate in (0.5, 0.01, 1 / 128, 0.001, 2.0**-32)] == [1, 7, 7, 10, 32]
    # There are no more.
    assert columns_for(2.0**-33) == 32
    with pytest.raises(SpecError, match="at least 2\\^-32"):
        FilterSpec("ribbon", 1e-11)


def test_the_order_and_repetition_of_keys_do_not_matter() -> None:
    content = keys(5000)
    layout = RibbonLayout(5000, 8)
    (whole,) = layout.ranges(1)
    once = layout.build([content], whole)
    shuffled = [content[i : i + 8] for i in range(0, len(content), 8)]
    random.Random(3).shuffle(shuffled)
    again = layout.build([b"".join(shuffled), b"", content[:800]], whole)
    assert once.n_keys == again.n_keys == len(content) // 8
    assert [bytes(buffer) for buffer in once.buffers] == [bytes(buffer) for buffer in again.buffers]


@pytest.mark.parametrize("n_partitions", [4, 5])
def test_any_number_of_parts_end_to_end_are_the_whole_filter(n_partitions: int) -> None:
    content = keys(20_000)
    # The number of keys is a bad estimate: it determines the partitions, not the answers.
    layout = RibbonLayout(n_partitions << 15, 7)
    assert layout.n_partitions == n_partitions
    (whole,) = layout.assemble([layout.build([content], layout.ranges(1)[0])]).pieces(1 << 40)
    for n in (2, 3, 4, 7):
        ranges = layout.ranges(n)
        assert len(ranges) <= n
        parts = []
        for within in ranges:
            own = [
                content[i : i + 8]
                for i in range(0, len(content), 8)
                if within.first_key <= int.from_bytes(content[i : i + 8], "little") <= within.last_key
            ]
            parts.append(layout.build(own, within))
        opened = layout.assemble(parts)
        assert opened.contains(content) == b"\x01" * 20_000
        (joined,) = opened.pieces(1 << 40)
        assert joined.tensors == whole.tensors
        assert b"".join(map(bytes, joined.buffers)) == b"".join(map(bytes, whole.buffers))


def test_the_ranges_of_partitions_are_those_of_their_keys() -> None:
    for n_partitions in (1, 2, 3, 7, 1000):
        ends = [key_range(i, i + 1, n_partitions) for i in range(n_partitions)]
        for number, (first, last) in enumerate(ends):
            assert first * n_partitions >> 64 == last * n_partitions >> 64 == number
        assert [last + 1 for _, last in ends] == [*(first for first, _ in ends[1:]), 1 << 64]


def test_several_partitions_have_the_same_content_in_one_shard_and_in_several() -> None:
    content = keys(100_000)
    whole = build(content, 7)
    assert RibbonLayout(len(content) // 8, 7).n_partitions == 3
    pieces = list(whole.pieces(1 << 15))
    assert [piece.first_key for piece in pieces] == [0, -(-(1 << 64) // 3), -(-(2 << 64) // 3)]
    (one,) = whole.pieces(1 << 40)
    for i, buffer in enumerate(one.buffers):
        assert b"".join(bytes(piece.buffers[i]) for piece in pieces) == bytes(buffer)
    cut = Ribbon([(bytes(piece.buffers[0]), bytes(piece.buffers[1])) for piece in pieces], 7)
    probes = random.Random(3).randbytes(8 * 100_000)
    assert cut.contains(probes) == whole.contains(probes)
    assert cut.contains(content).count(1) == len(content) // 8


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait with a ribbon filter, and its corpus, tale.txt, beside it."""
    directory = tmp_path_factory.mktemp("ribbon")
    words = random.Random(5).choices(["ferry", "lamp", "of", "the", "quay", "seven", "tide"], k=3000)
    (directory / "tale.txt").write_text(" ".join(words), encoding="utf-8")
    portrait.build(directory / "tale.txt", directory / "tale.portrait", filter=FilterSpec("ribbon"))
    return directory / "tale.portrait"


def test_a_portrait_with_a_ribbon_filter_answers_and_is_smaller_than_with_a_bloom_filter(
    bundle: Path,
) -> None:
    text = (bundle.parent / "tale.txt").read_text(encoding="utf-8")
    opened = portrait.open(bundle)
    assert opened.query(text).exact_document
    assert opened.query(text[1000:1400]).verdict == "found"
    assert opened.query("Nothing of this was ever written down by anybody. " * 4).verdict == "not_found"
    assert opened.manifest.layers[0].fpr == 2.0**-7
    report = portrait.verify(bundle)
    assert report is not None
    bloom = portrait.build(
        bundle.parent / "tale.txt", bundle.parent / "bloom.portrait", filter=FilterSpec(fpr=2.0**-7)
    )
    ribbon_bytes, bloom_bytes = (built.manifest.layers[0].shards[0].bytes for built in (opened, bloom))
    assert ribbon_bytes < bloom_bytes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_columns", 9),
        ("n_columns", 0),
        ("n_columns", -1),
        ("n_columns", 33),
        ("n_columns", 1 << 40),
        ("n_columns", "7"),
        ("n_columns", True),
        ("n_partitions", 2),
        ("n_partitions", 0),
        ("n_partitions", True),
        ("n_partitions", 1 << 62),
    ],
)
def test_a_manifest_that_contradicts_the_shard_is_refused(
    name: str, value: object, bundle: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "tale.portrait"
    shutil.copytree(bundle, damaged)
    forge.change_manifest(damaged, lambda content: content["layers"][0]["filter"].update({name: value}))
    with pytest.raises(DamagedBundleError, match=r"fetch the bundle again$"):
        portrait.open(damaged)


@pytest.mark.parametrize("bit", [0, 1, 5, 16, 31, 32, 40, 63])
def test_a_damaged_table_of_partitions_is_refused(bit: int, bundle: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "tale.portrait"
    shutil.copytree(bundle, damaged)
    (shard,) = damaged.glob("*-of-*.safetensors")
    data = bytearray(shard.read_bytes())
    # The table is the last tensor, and has one number.
    data[-8 + bit // 8] ^= 1 << bit % 8
    shard.write_bytes(data)
    with pytest.raises(DamagedBundleError, match=r"layer 'main': .*: fetch the bundle again$"):
        portrait.open(damaged)


def test_columns_that_hold_everything_are_noticed(bundle: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "tale.portrait"
    shutil.copytree(bundle, damaged)

    def zeroed(data: bytes) -> bytes:
        content, rest = forge.split_tensor_file(data)
        begin, end = content["columns"]["data_offsets"]
        return forge.join_tensor_file(content, rest[:begin] + bytes(end - begin) + rest[end:])

    forge.change_shard(damaged, zeroed)
    opened = portrait.open(damaged)
    assert opened.filter("main").contains(keys(100)) == b"\x01" * 100
    assert opened.filter("main").rate() == 1.0
    with pytest.raises(DamagedBundleError, match=r"recorded as 0\.00781, but its bits have 1: fetch"):
        opened.check_rates()
    with pytest.raises(DamagedBundleError):
        portrait.verify(damaged)


# A layer in several shards.


def four_partitions(content: bytes) -> Ribbon:
    """Return a filter of these packed keys in four partitions, as many keys have."""
    layout = RibbonLayout(4 << 15, 9)
    (whole,) = layout.ranges(1)
    return layout.assemble([layout.build([content], whole)])


@pytest.fixture(scope="module")
def divided(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of one layer in four shards, a partition each."""
    out = tmp_path_factory.mktemp("divided") / "a.portrait"
    manifest = read(bundle).manifest
    with BundleWriter(out) as writer:
        stored = writer.add_layer("main", "ribbon", four_partitions(keys(3000)).pieces(1))
        parameters = {"kind": "ribbon", "n_columns": 9, "n_partitions": 4}
        layer = replace(
            manifest.layers[0], filter=parameters, shards=stored.shards, tensors=stored.tensors, fpr=2.0**-9
        )
        return writer.commit(replace(manifest, layers=(layer,)))


def test_a_layer_of_several_shards_is_one_filter(divided: Bundle) -> None:
    (layer,) = divided.manifest.layers
    assert len(layer.shards) == 4
    opened, whole = open_layer(divided, layer), four_partitions(keys(3000))
    probes = random.Random(3).randbytes(8 * 20_000)
    assert opened.contains(keys(3000)) == b"\x01" * 3000
    assert opened.contains(probes) == whole.contains(probes)
    assert [len(list(opened.pieces(n))) for n in (1, 1 << 40)] == [4, 1]
    sizes = [piece.tensors[0].n_bytes + 8 for piece in whole.pieces(1)]
    # As many whole partitions as the limit allows.
    for n_bytes, n_partitions in ((sum(sizes[:2]) - 1, 1), (sum(sizes[:2]), 2), (sum(sizes) - 1, 3)):
        assert next(whole.pieces(n_bytes)).tensors[1].shape == (n_partitions,)


def test_shards_of_several_partitions_can_be_cut_otherwise() -> None:
    whole = four_partitions(keys(3000))
    sizes = [piece.tensors[0].n_bytes + 8 for piece in whole.pieces(1)]
    halves = list(whole.pieces(sum(sizes[:2])))
    assert [piece.tensors[1].shape for piece in halves] == [(2,), (2,)]
    again = Ribbon([(bytes(piece.buffers[0]), bytes(piece.buffers[1])) for piece in halves], 9)
    for n_bytes in (1, sum(sizes[:2]), sum(sizes) - 1, sum(sizes)):
        expected, cut = (
            [(*piece.tensors, b"".join(map(bytes, piece.buffers))) for piece in filter_.pieces(n_bytes)]
            for filter_ in (whole, again)
        )
        assert cut == expected


@pytest.mark.parametrize("end", ["first_key", "last_key"])
@pytest.mark.parametrize("number", range(4))
def test_a_range_of_keys_that_the_partitions_contradict_is_refused(
    number: int, end: str, divided: Bundle
) -> None:
    (layer,) = divided.manifest.layers
    shards = list(layer.shards)
    key = (int(getattr(shards[number], end), 16) + 1) % 2**64
    other: dict[str, Any] = {end: f"{key:016x}"}
    shards[number] = replace(shards[number], **other)
    with pytest.raises(DamagedBundleError) as caught:
        open_layer(divided, replace(layer, shards=tuple(shards)))
    assert str(caught.value) == (
        f"{divided.path / shards[number].file}: holds partitions {number} to {number} of 4, which are not "
        "those of the keys that the manifest names: fetch the bundle again"
    )


def test_shards_in_another_order_or_number_are_refused(divided: Bundle) -> None:
    (layer,) = divided.manifest.layers
    for shards, what in (
        (layer.shards[::-1], "which are not those of the keys"),
        (layer.shards[1:], "which are not those of the keys"),
        (layer.shards[:3], "layer 'main' has 3 partitions of 4: fetch"),
        ((*layer.shards, layer.shards[3]), "where partitions from 4 of 4 belong"),
    ):
        with pytest.raises(DamagedBundleError, match=what):
            open_layer(divided, replace(layer, shards=shards))


def another_name(content: dict[str, Any]) -> None:
    content["more"] = content.pop("columns")


def deep(content: dict[str, Any]) -> None:
    content["partitions"]["shape"] = [1, 1]


def deep_columns(content: dict[str, Any]) -> None:
    content["columns"]["shape"].append(1)


def other_items(content: dict[str, Any]) -> None:
    content["partitions"].update(dtype="U32", shape=[2])


def other_columns(content: dict[str, Any]) -> None:
    content["columns"].update(dtype="U32", shape=[2 * content["columns"]["shape"][0]])


def no_partitions(content: dict[str, Any]) -> None:
    content["partitions"].update(shape=[0])
    content["partitions"]["data_offsets"][1] -= 8
    content["columns"]["shape"][0] += 1
    content["columns"]["data_offsets"][1] += 8
    content["partitions"]["data_offsets"][0] += 8
    content["partitions"]["data_offsets"][1] += 8


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (another_name, r"holds more, partitions where columns and partitions belong"),
        (deep, r"holds U64 \[\d+\] and U64 \[1, 1\] where partitions from 0 of 1 belong"),
        (deep_columns, r"holds U64 \[\d+, 1\] and U64 \[1\] where partitions from 0 of 1 belong"),
        (other_items, r"holds U64 \[\d+\] and U32 \[2\] where partitions from 0 of 1 belong"),
        (other_columns, r"holds U32 \[\d+\] and U64 \[1\] where partitions from 0 of 1 belong"),
        (no_partitions, r"holds U64 \[\d+\] and U64 \[0\] where partitions from 0 of 1 belong"),
    ],
)
def test_a_shard_that_holds_anything_but_partitions_is_refused(
    change: Callable[[dict[str, Any]], None], what: str, bundle: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "tale.portrait"
    shutil.copytree(bundle, damaged)

    def changed(data: bytes) -> bytes:
        content, rest = forge.split_tensor_file(data)
        change(content)
        return forge.join_tensor_file(content, rest)

    forge.change_shard(damaged, changed)
    opened = read(damaged)
    with pytest.raises(DamagedBundleError, match=what):
        open_layer(opened, opened.manifest.layers[0])
