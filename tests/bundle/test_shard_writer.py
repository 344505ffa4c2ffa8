"""Shards on disk: written, recorded in the manifest, and readable by the safetensors library."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import xxhash
from support.progress_callbacks import ByteCounter
from support.sample_bundles import build_two_sources, shards

from portrait.bundle.pieces import Piece
from portrait.bundle.shard_writer import ShardWriter, free_name, shard_name, sketch_name
from portrait.bundle.tensors import TensorInfo, map_tensors

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of two sources."""
    return build_two_sources(tmp_path_factory.mktemp("bundle"))


def test_shards_are_safetensors_of_one_aligned_tensor(bundle: Path) -> None:
    for layer, shard, path in shards(bundle):
        data = path.read_bytes()
        (header_bytes,) = struct.unpack_from("<Q", data)
        assert (8 + header_bytes) % 64 == 0
        blocks = safetensors.numpy.load_file(path)["blocks"]
        assert blocks.dtype == np.dtype("<u4")
        assert blocks.shape == (layer["filter"]["n_blocks"], 8)
        assert blocks.tobytes() == data[8 + header_bytes :]
        assert len(data) == shard["bytes"]


def test_shards_name_their_source_in_their_metadata(bundle: Path) -> None:
    for layer, _, path in shards(bundle):
        with safetensors.safe_open(path, framework="numpy") as file:
            assert list(file.keys()) == ["blocks"]
            assert file.metadata() == {
                "format": "portrait",
                "format_version": "1",
                "filter": "bloom",
                "source": layer["source"],
            }


def test_the_recorded_digests_are_those_of_the_files(bundle: Path) -> None:
    for _, shard, path in shards(bundle):
        data = path.read_bytes()
        assert shard["sha256"] == hashlib.sha256(data).hexdigest()
        assert shard["xxh3_128"] == xxhash.xxh3_128_hexdigest(data)
        assert (shard["first_key"], shard["last_key"]) == ("0" * 16, "f" * 16)


def test_the_recorded_rate_follows_from_the_fill_of_the_blocks(bundle: Path) -> None:
    for layer, _, path in shards(bundle):
        fill = np.bitwise_count(safetensors.numpy.load_file(path)["blocks"]) / 32
        assert layer["fpr"] == pytest.approx(fill.prod(axis=1).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("arxiv", "arxiv"),
        ("a b/c\\d", "a-b-c-d"),
        ("..", "layer"),
        (".hidden", "hidden"),
        ("日本", "layer"),
        ("-", "layer"),
        ("v1.2_final", "v1.2_final"),
    ],
)
def test_a_shard_s_name_is_its_source_s_in_safe_characters(source: str, expected: str) -> None:
    assert shard_name(source, 3, 12, set()) == f"{expected}-00003-of-00012.safetensors"


def test_shard_names_differ_even_where_case_is_ignored() -> None:
    taken: set[str] = set()
    names = [shard_name(source, 1, 1, taken) for source in ("Web", "web", "WEB", "w/eb", "web-2")]
    assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("free.bin", "free.bin"),
        ("main-00001-of-00002.safetensors", "main-3-00001-of-00002.safetensors"),
        ("pile.50-50.bf.part0.bin", "pile.50-50.bf.part0-2.bin"),
        ("LICENSE", "LICENSE-2"),
        (".bin", ".bin-2"),
    ],
)
def test_a_taken_name_gets_a_number(name: str, expected: str) -> None:
    taken = {
        "main-00001-of-00002.safetensors",
        "main-2-00001-of-00002.safetensors",
        "pile.50-50.bf.part0.bin",
        "license",
        ".bin",
    }
    assert free_name(name, taken) == expected


TABLE = TensorInfo.of("table", "U64", 3, 8)
PRINTS = TensorInfo.of("fingerprints", "U8", 77)
DATA = bytes(range(192)) + bytes(range(77))


def piece(*buffers: bytes, first_key: int = 0, last_key: int = 99) -> Piece:
    return Piece(first_key, last_key, [TABLE, PRINTS], buffers)


@pytest.mark.parametrize("cuts", [(), (192,), (1,), (191, 193), (0, 192, 269)])
def test_buffers_and_tensors_need_not_end_together(cuts: tuple[int, ...], tmp_path: Path) -> None:
    buffers = [DATA[i:j] for i, j in zip((0, *cuts), (*cuts, len(DATA)), strict=True)]
    progress = ByteCounter()
    writer = ShardWriter(progress)
    shard = writer.write_piece(tmp_path / "shard", piece(*buffers), {"format": "portrait"})
    content = (tmp_path / "shard").read_bytes()
    assert content.endswith(DATA)
    assert [bytes(data) for _, data in map_tensors(tmp_path / "shard").values()] == [DATA[:192], DATA[192:]]
    assert (shard.file, shard.first_key, shard.last_key) == ("shard", "0" * 16, f"{99:016x}")
    assert shard.bytes == progress.n_bytes == len(content)
    assert shard.sha256 == hashlib.sha256(content).hexdigest()
    assert shard.xxh3_128 == xxhash.xxh3_128_hexdigest(content)


def test_a_tensor_s_digest_covers_all_shards(tmp_path: Path) -> None:
    writer = ShardWriter()
    assert writer.tensors == {}
    for name in ("one", "two"):
        writer.write_piece(tmp_path / name, piece(DATA), {})
    assert writer.tensors == {
        "table": hashlib.sha256(DATA[:192] * 2).hexdigest(),
        "fingerprints": hashlib.sha256(DATA[192:] * 2).hexdigest(),
    }


@pytest.mark.parametrize("buffers", [(), (DATA[:-1],), (DATA, b"x")])
def test_buffers_that_are_not_the_tensors_data_are_refused(
    buffers: tuple[bytes, ...], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="not the tensors' data"):
        ShardWriter().write_piece(tmp_path / "shard", piece(*buffers), {})
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_format_has_the_same_record_written_and_read(tmp_path: Path) -> None:
    progress = ByteCounter()
    writer, reader = ShardWriter(), ShardWriter(progress)
    shard = writer.write_file(tmp_path / "main.bloom", "bits", [b"header", memoryview(b"bits"), b""])
    assert (tmp_path / "main.bloom").read_bytes() == b"headerbits"
    assert reader.record_file(tmp_path / "main.bloom", "bits") == shard
    assert writer.tensors == reader.tensors == {"bits": hashlib.sha256(b"headerbits").hexdigest()}
    assert (shard.first_key, shard.last_key, shard.bytes) == ("0" * 16, "f" * 16, 10)
    assert progress.n_bytes == 10


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "shard").write_text("mine")
    with pytest.raises(FileExistsError):
        ShardWriter().write_piece(tmp_path / "shard", piece(DATA), {})
    assert (tmp_path / "shard").read_text() == "mine"
    with pytest.raises(FileNotFoundError):
        ShardWriter().record_file(tmp_path / "missing", "bits")


def test_a_sketch_is_named_after_its_source_and_numbered_where_the_name_is_taken() -> None:
    taken = {"web-2-sketch.safetensors"}
    names = [sketch_name(source, taken) for source in ("web", "Web", "../日本 web", "日本", "main-sketch")]
    assert names == [
        "web-sketch.safetensors",
        "Web-3-sketch.safetensors",
        "web-4-sketch.safetensors",
        "layer-sketch.safetensors",
        "main-sketch-sketch.safetensors",
    ]
    assert {name.casefold() for name in names} < taken
