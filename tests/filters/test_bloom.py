"""The split-block Bloom filter: bits and rates by the definition, buffers, memory, and pieces."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle
from support.forge import change_shard, join_tensor_file, split_tensor_file
from support.packed_keys import pack

import portrait
from portrait import _native
from portrait.bundle import reader as bundles
from portrait.errors import DamagedBundleError
from portrait.filters.bloom import Bloom, BloomBuilder, BloomLayout, expected, key_range, open_layer
from portrait.sizing import bloom_blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portrait.bundle.reader import Bundle

KEYS = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1]))
#: One, even, odd, prime, powers of two and their neighbours.
SIZES = [1, 2, 3, 7, 16, 31, 32, 33, 97, 1000, 1024]


def build_both(keys: list[int], n_blocks: int) -> tuple[BloomBuilder, oracle.Bloom]:
    """Return a builder and the oracle's filter with the same keys."""
    builder, truth = BloomBuilder(n_blocks), oracle.Bloom(n_blocks)
    builder.insert(pack(keys))
    for key in keys:
        truth.insert(key)
    return builder, truth


def test_one_key_sets_the_bits_that_the_salts_name() -> None:
    builder = BloomBuilder(1)
    builder.insert(pack([1]))
    assert struct.unpack("<8I", bytes(builder.data)) == tuple(1 << (salt >> 27) for salt in oracle.SALTS)


@settings(max_examples=200, deadline=None)
@given(st.lists(KEYS, max_size=60), st.sampled_from(SIZES))
def test_the_bytes_are_those_of_the_definition(keys: list[int], n_blocks: int) -> None:
    builder, truth = build_both(keys, n_blocks)
    assert bytes(builder.data) == truth.to_bytes()
    assert len(bytes(builder.data)) == 32 * n_blocks


@pytest.mark.parametrize("n_blocks", SIZES)
def test_answers_and_rate_are_those_of_the_definition(n_blocks: int) -> None:
    rng = random.Random(n_blocks)
    keys = [rng.getrandbits(64) for _ in range(30 * min(n_blocks, 100))]
    builder, truth = build_both(keys, n_blocks)
    bloom = builder.finish()
    probes = [rng.getrandbits(64) for _ in range(2000)] + keys
    assert bloom.contains(pack(probes)) == bytes(truth.contains(key) for key in probes)
    assert bloom.contains(pack(keys)) == b"\x01" * len(keys)
    assert bloom.rate() == pytest.approx(truth.rate(), rel=1e-12)


def test_the_rate_is_the_mean_over_blocks_of_the_product_of_their_lanes_fills() -> None:
    half = struct.pack("<8I", *[0x0000FFFF] * 8)
    full, empty = b"\xff" * 32, bytes(32)
    one_lane_empty = b"\xff" * 28 + bytes(4)
    assert Bloom(full).rate() == 1
    assert Bloom(empty).rate() == 0
    assert Bloom(one_lane_empty).rate() == 0
    assert Bloom(half).rate() == 0.5**8
    assert Bloom(full + empty + half + one_lane_empty).rate() == (1 + 0.5**8) / 4


def test_a_huge_filter_puts_keys_where_the_definition_does() -> None:
    n_blocks = (1 << 21) + 7
    rng = random.Random(0)
    keys = [0, 2**64 - 1, *(rng.getrandbits(64) for _ in range(500))]
    builder, truth = build_both(keys, n_blocks)
    data = memoryview(builder.data)
    for block in list(truth.blocks):
        assert bytes(data[32 * block : 32 * block + 32]) == truth.block_bytes(block)
    assert min(truth.blocks) == 0
    assert max(truth.blocks) == n_blocks - 1
    assert builder.finish().contains(pack(keys)) == b"\x01" * len(keys)


def test_neither_order_nor_repetition_nor_batching_changes_a_byte() -> None:
    rng = random.Random(0)
    keys = [rng.getrandbits(64) for _ in range(1000)]
    expected = bytes(build_both(keys, 97)[0].data)
    assert bytes(build_both(sorted(keys) + keys[:100], 97)[0].data) == expected
    piecewise = BloomBuilder(97)
    for i in range(0, 1000, 7):
        piecewise.insert(pack(keys[i : i + 7]))
    assert bytes(piecewise.data) == expected


def test_a_key_list_is_inserted_like_its_bytes() -> None:
    windows = _native.Windows("spaces", "char", 5, "stride", 2)
    keys = _native.Keys()
    keys.add_text(windows, "it was the best of times, it was the worst of times")
    direct, copied = BloomBuilder(11), BloomBuilder(11)
    direct.insert(keys)
    copied.insert(bytes(keys))
    assert bytes(direct.data) == bytes(copied.data) != bytes(32 * 11)


def test_inserting_no_keys_changes_nothing() -> None:
    builder = BloomBuilder(3)
    builder.insert(b"")
    builder.insert(_native.Keys())
    assert bytes(builder.data) == bytes(96)
    assert builder.finish().contains(b"") == b""


def test_inserting_is_refused_while_the_bits_are_in_use() -> None:
    builder = BloomBuilder(3)
    with memoryview(builder.data) as view:
        assert view.readonly
        with pytest.raises(BufferError, match="in use"):
            builder.insert(pack([1]))
    builder.insert(pack([1]))
    before = bytes(builder.data)
    bloom = builder.finish()
    with pytest.raises(BufferError, match="in use"):
        builder.insert(pack([2]))
    assert bytes(builder.data) == before
    assert bloom.contains(pack([1])) == b"\x01"


def test_a_filter_keeps_its_memory_alive() -> None:
    bloom = Bloom(bytes(bytearray(build_both([1, 2, 3], 5)[0].data)))
    assert bloom.contains(pack([1, 2, 3])) == b"\x01\x01\x01"


@pytest.mark.parametrize("n_bytes", [0, 1, 31, 33, 63])
def test_memory_that_is_not_whole_blocks_is_refused(n_bytes: int) -> None:
    with pytest.raises(ValueError, match=f"{n_bytes} bytes are not whole blocks"):
        Bloom(bytes(n_bytes))


@pytest.mark.parametrize("n_bytes", [1, 7, 9, 15])
def test_keys_are_eight_bytes_each(n_bytes: int) -> None:
    builder = BloomBuilder(1)
    with pytest.raises(ValueError, match="8 bytes each"):
        builder.insert(bytes(n_bytes))
    assert bytes(builder.data) == bytes(32)
    with pytest.raises(ValueError, match="8 bytes each"):
        builder.finish().contains(bytes(n_bytes))


def test_memory_that_is_not_contiguous_is_refused() -> None:
    holes = memoryview(bytes(128))[::2]
    with pytest.raises(BufferError):
        Bloom(holes)
    with pytest.raises(BufferError):
        BloomBuilder(1).insert(holes)


def test_a_filter_has_at_least_one_block() -> None:
    with pytest.raises(ValueError, match="at least one block"):
        BloomBuilder(0)


@pytest.mark.parametrize("n_blocks", [1 << 50, 1 << 58, 1 << 59, (1 << 64) - 1])
def test_a_filter_larger_than_memory_raises_a_memory_error(n_blocks: int) -> None:
    # In a process of its own, which must survive: a huge corpus at a tiny rate needs such a filter.
    script = f"""
from portrait.filters.bloom import BloomBuilder
try:
    BloomBuilder({n_blocks})
except MemoryError:
    print("survived")
"""
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "survived\n")


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
def test_a_filter_in_several_buffers_answers_and_is_cut_like_one_in_one_buffer(per_buffer: int) -> None:
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
def test_buffers_of_other_sizes_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        Bloom(*(bytes(size) for size in sizes))


def test_a_filter_is_built_in_ranges_of_as_many_blocks() -> None:
    layout = BloomLayout(7)
    assert layout.parameters == {"kind": "bloom", "n_blocks": 7}
    assert [(one.first, one.after) for one in layout.ranges(3)] == [(0, 3), (3, 6), (6, 7)]
    assert [(one.first, one.after) for one in layout.ranges(100)] == [(i, i + 1) for i in range(7)]
    assert [one.first_key for one in layout.ranges(7)] == [-(-(i << 64) // 7) for i in range(7)]


@pytest.mark.parametrize("n_ranges", [1, 2, 3, 7, 100])
def test_any_number_of_parts_end_to_end_are_the_whole_filter(n_ranges: int) -> None:
    dice = random.Random(n_ranges)
    keys = [dice.getrandbits(64) for _ in range(600)]
    layout = BloomLayout.for_keys(600, 0.01)
    parts = []
    for one in layout.ranges(n_ranges):
        own = [key for key in keys if one.first_key <= key <= one.last_key]
        parts.append(layout.build([pack(own[:10]), pack(own[10:])], one))
    whole = build_both(keys, layout.n_blocks)[0]
    assert b"".join(bytes(part.buffers[0]) for part in parts) == bytes(whole.data)
    assert layout.assemble(parts).contains(pack(keys)) == b"\x01" * 600


def test_the_expected_size_and_rate_are_those_of_the_layout() -> None:
    assert expected(1000, 0.01) == (32 * bloom_blocks(1000, 0.01), 0.01)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of one layer in several shards."""
    folder = tmp_path_factory.mktemp("bloom")
    dice = random.Random(1)
    (folder / "a.txt").write_text("".join(dice.choices("abcdefghij ", k=200_000)))
    portrait.build(folder / "a.txt", folder / "out", max_shard_bytes=4096)
    return bundles.read(folder / "out")


def test_a_layer_of_several_shards_is_one_filter(bundle: Bundle) -> None:
    (layer,) = bundle.manifest.layers
    opened = open_layer(bundle, layer)
    assert len(layer.shards) > 2
    assert opened.contains(pack([int(key, 16) for key in layer.test_vectors.present])) == b"\x01" * 16
    assert opened.contains(pack([int(key, 16) for key in layer.test_vectors.absent])) == bytes(16)
    assert opened.rate() == layer.fpr


def two_tensors(content: dict[str, Any], blocks: bytes) -> bytes:
    """Return a file of the same blocks and another tensor."""
    n = len(blocks)
    content["more"] = {"dtype": "U8", "shape": [8], "data_offsets": [n, n + 8]}
    return join_tensor_file(content, blocks + b"8 bytes.")


def another_name(content: dict[str, Any], blocks: bytes) -> bytes:
    """Return a file of the same blocks under another name."""
    content["bricks"] = content.pop("blocks")
    return join_tensor_file(content, blocks)


def flat(content: dict[str, Any], blocks: bytes) -> bytes:
    """Return a file of the same blocks as one row of numbers."""
    content["blocks"]["shape"] = [len(blocks) // 4]
    return join_tensor_file(content, blocks)


def one_number(content: dict[str, Any], _: bytes) -> bytes:
    """Return a file of one number, which has no dimension."""
    content["blocks"].update(dtype="U32", shape=[], data_offsets=[0, 4])
    return join_tensor_file(content, bytes(4))


@pytest.mark.parametrize(
    ("change", "content"),
    [
        (two_tensors, r"U32 'blocks' \[\d+, 8\], U8 'more' \[8\]"),
        (another_name, r"U32 'bricks' \[\d+, 8\]"),
        (flat, r"U32 'blocks' \[\d+\]"),
        (one_number, r"U32 'blocks' \[\]"),
    ],
)
def test_a_shard_that_holds_anything_but_its_blocks_is_refused(
    change: Callable[[dict[str, Any], bytes], bytes], content: str, bundle: Bundle, tmp_path: Path
) -> None:
    shutil.copytree(bundle.path, tmp_path / "copy")
    change_shard(tmp_path / "copy", lambda data: change(*split_tensor_file(data)))
    copy = bundles.read(tmp_path / "copy")
    (layer,) = copy.manifest.layers
    with pytest.raises(DamagedBundleError, match=f"holds {content} where blocks from 0 of"):
        open_layer(copy, layer)


@pytest.mark.parametrize("n_blocks", [None, True, 0, -1, "7", 1.0, 1 << 59])
def test_a_number_of_blocks_that_is_none_is_refused(n_blocks: object, bundle: Bundle) -> None:
    (layer,) = bundle.manifest.layers
    with pytest.raises(DamagedBundleError, match=r"layer 'main' records .* blocks: fetch"):
        open_layer(bundle, replace(layer, filter={"kind": "bloom", "n_blocks": n_blocks}))


@pytest.mark.parametrize("more", [-1, 1, 100])
def test_shards_of_more_or_fewer_blocks_than_recorded_are_refused(more: int, bundle: Bundle) -> None:
    (layer,) = bundle.manifest.layers
    changed = {"kind": "bloom", "n_blocks": layer.filter["n_blocks"] + more}
    with pytest.raises(DamagedBundleError, match=r"where blocks from|not those of the keys"):
        open_layer(bundle, replace(layer, filter=changed))


def test_shards_in_another_order_or_incomplete_are_refused(bundle: Bundle) -> None:
    (layer,) = bundle.manifest.layers
    for shards in (
        layer.shards[::-1],
        layer.shards[:-1],
        layer.shards[1:],
        (*layer.shards, layer.shards[-1]),
    ):
        with pytest.raises(DamagedBundleError, match=r"where blocks from|not those of the keys"):
            open_layer(bundle, replace(layer, shards=shards))


@pytest.mark.parametrize("end", ["first_key", "last_key"])
def test_a_range_of_keys_that_the_blocks_contradict_is_refused(end: str, bundle: Bundle) -> None:
    (layer,) = bundle.manifest.layers
    for i, shard in enumerate(layer.shards):
        other: dict[str, Any] = {end: f"{(int(getattr(shard, end), 16) + 1) % 2**64:016x}"}
        shards = (*layer.shards[:i], replace(shard, **other), *layer.shards[i + 1 :])
        with pytest.raises(DamagedBundleError, match="not those of the keys that the manifest names"):
            open_layer(bundle, replace(layer, shards=shards))


def test_the_key_ranges_of_neighbouring_blocks_are_adjacent() -> None:
    for n_blocks in (1, 2, 3, 1000, 2**32 - 1, 2**58 + 1):
        for block in {0, n_blocks // 3, n_blocks - 1}:
            first, last = key_range(block, block + 1, n_blocks)
            assert first * n_blocks >> 64 == last * n_blocks >> 64 == block
            assert first == 0 or (first - 1) * n_blocks >> 64 == block - 1
