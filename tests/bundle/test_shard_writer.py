"""Shards on disk, written and recorded, and read with other people's tools."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import xxhash

import portrait
from portrait.bundle.pieces import Piece
from portrait.bundle.shard_writer import ShardWriter, shard_name
from portrait.bundle.tensors import TensorInfo, map_tensors
from portrait.progress import Silent

if TYPE_CHECKING:
    from pathlib import Path


SOURCES = {
    "arxiv": "We show that every finite lattice of this kind embeds in a free one. " * 40,
    "日本 web": "Das Wetter bleibt unbeständig: 京都 meldet Regen, Köln meldet Nebel, sonst nichts. " * 90,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait of two sources."""
    directory = tmp_path_factory.mktemp("bundle")
    for i, text in enumerate(SOURCES.values()):
        (directory / f"{i}.txt").write_text(text)
    out = directory / "two.portrait"
    portrait.build({name: directory / f"{i}.txt" for i, name in enumerate(SOURCES)}, out)
    return out


@pytest.fixture
def manifest(bundle: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((bundle / "portrait.json").read_bytes())
    return content


def shards(bundle: Path, manifest: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any], Path]]:
    """Each layer with its shard's record and file."""
    return [
        (layer, shard, bundle / shard["file"]) for layer in manifest["layers"] for shard in layer["shards"]
    ]


def test_shards_are_safetensors_of_one_aligned_tensor(bundle: Path, manifest: dict[str, Any]) -> None:
    for layer, shard, path in shards(bundle, manifest):
        data = path.read_bytes()
        (header_bytes,) = struct.unpack_from("<Q", data)
        assert (8 + header_bytes) % 64 == 0
        blocks = safetensors.numpy.load_file(path)["blocks"]
        assert blocks.dtype == np.dtype("<u4")
        assert blocks.shape == (layer["filter"]["n_blocks"], 8)
        assert blocks.tobytes() == data[8 + header_bytes :]
        assert len(data) == shard["bytes"]


def test_shards_say_where_they_come_from(bundle: Path, manifest: dict[str, Any]) -> None:
    for layer, _, path in shards(bundle, manifest):
        with safetensors.safe_open(path, framework="numpy") as file:
            assert list(file.keys()) == ["blocks"]
            assert file.metadata() == {
                "format": "portrait",
                "format_version": "1",
                "filter": "bloom",
                "source": layer["source"],
            }


def test_the_recorded_digests_are_those_of_the_files(bundle: Path, manifest: dict[str, Any]) -> None:
    for _, shard, path in shards(bundle, manifest):
        data = path.read_bytes()
        assert shard["sha256"] == hashlib.sha256(data).hexdigest()
        assert shard["xxh3_128"] == xxhash.xxh3_128_hexdigest(data)
        assert (shard["first_key"], shard["last_key"]) == ("0" * 16, "f" * 16)


def test_the_fill_of_the_blocks_is_the_recorded_rate(bundle: Path, manifest: dict[str, Any]) -> None:
    for layer, _, path in shards(bundle, manifest):
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
def test_a_shard_is_named_after_its_source_by_a_name_safe_everywhere(source: str, expected: str) -> None:
    assert shard_name(source, 3, 12, set()) == f"{expected}-00003-of-00012.safetensors"


def test_shard_names_differ_in_more_than_case() -> None:
    taken: set[str] = set()
    names = [shard_name(source, 1, 1, taken) for source in ("Web", "web", "WEB", "w/eb", "web-2")]
    assert len({name.casefold() for name in names}) == len(names)


TABLE = TensorInfo.of("table", "U64", 3, 8)
PRINTS = TensorInfo.of("fingerprints", "U8", 77)
DATA = bytes(range(192)) + bytes(range(77))


class Counter(Silent):
    """Counts the bytes that it is told of."""

    n_bytes = 0

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        self.n_bytes += n_bytes


def piece(*buffers: bytes, first_key: int = 0, last_key: int = 99) -> Piece:
    return Piece(first_key, last_key, [TABLE, PRINTS], buffers)


@pytest.mark.parametrize("cuts", [(), (192,), (1,), (191, 193), (0, 192, 269)])
def test_buffers_and_tensors_need_not_end_together(cuts: tuple[int, ...], tmp_path: Path) -> None:
    buffers = [DATA[i:j] for i, j in zip((0, *cuts), (*cuts, len(DATA)), strict=True)]
    progress = Counter()
    writer = ShardWriter(progress)
    shard = writer.write_piece(tmp_path / "shard", piece(*buffers), {"format": "portrait"})
    content = (tmp_path / "shard").read_bytes()
    assert content.endswith(DATA)
    assert [bytes(data) for _, data in map_tensors(tmp_path / "shard").values()] == [DATA[:192], DATA[192:]]
    assert (shard.file, shard.first_key, shard.last_key) == ("shard", "0" * 16, f"{99:016x}")
    assert shard.bytes == progress.n_bytes == len(content)
    assert shard.sha256 == hashlib.sha256(content).hexdigest()
    assert shard.xxh3_128 == xxhash.xxh3_128_hexdigest(content)


def test_tensors_are_digested_over_all_shards(tmp_path: Path) -> None:
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


def test_a_file_of_another_format_is_written_and_recorded_alike(tmp_path: Path) -> None:
    progress = Counter()
    writer, reader = ShardWriter(), ShardWriter(progress)
    shard = writer.write_file(tmp_path / "main.bloom", "bits", [b"header", memoryview(b"bits"), b""])
    assert (tmp_path / "main.bloom").read_bytes() == b"headerbits"
    assert reader.record_file(tmp_path / "main.bloom", "bits") == shard
    assert writer.tensors == reader.tensors == {"bits": hashlib.sha256(b"headerbits").hexdigest()}
    assert (shard.first_key, shard.last_key, shard.bytes) == ("0" * 16, "f" * 16, 10)
    assert progress.n_bytes == 10


def test_a_file_that_exists_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "shard").write_text("mine")
    with pytest.raises(FileExistsError):
        ShardWriter().write_piece(tmp_path / "shard", piece(DATA), {})
    assert (tmp_path / "shard").read_text() == "mine"
    with pytest.raises(FileNotFoundError):
        ShardWriter().record_file(tmp_path / "missing", "bits")
