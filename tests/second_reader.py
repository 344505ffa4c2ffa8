"""A second reader of portraits, written from docs/FORMAT.md alone: plain, slow, and none of ours.

It reads bundles with Bloom filters and says of each window of a text whether a layer holds it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
import unicodedata
from pathlib import Path
from typing import Any

import xxhash

SALTS = [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31]
WHITE_SPACE = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)} | {
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
}


class Refused(Exception):  # noqa: N818  # what a reader must do
    """The bundle is not one that this reader may answer from."""


def require(condition: bool, what: str) -> None:
    """Refuse the bundle unless a condition holds."""
    if not condition:
        raise Refused(what)


class Shard:
    """One file of a layer: its blocks, and the keys they are for."""

    def __init__(self, directory: Path, record: dict[str, Any]) -> None:
        self.first_key, self.last_key = int(record["first_key"], 16), int(record["last_key"], 16)
        require(Path(record["file"]).name == record["file"], "a shard is a file of the bundle")
        with (directory / record["file"]).open("rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        require(len(self.map) == record["bytes"], "the shard has the recorded size")
        (header_bytes,) = struct.unpack_from("<Q", self.map)
        require(8 + header_bytes <= len(self.map), "the header lies within the file")
        header = json.loads(self.map[8 : 8 + header_bytes])
        del header["__metadata__"]
        tensor = header.pop("blocks")
        require(not header, "a bloom shard has one tensor")
        require(tensor["dtype"] == "U32" and tensor["shape"][1:] == [8], "blocks are eight lanes")
        self.n_blocks: int = tensor["shape"][0]
        self.data = 8 + header_bytes
        require(tensor["data_offsets"] == [0, 32 * self.n_blocks], "offsets are those of the shape")
        require(self.data + 32 * self.n_blocks == len(self.map), "the tensors fill the data")


class Layer:
    """One source's filter."""

    def __init__(self, directory: Path, record: dict[str, Any]) -> None:
        require(record["filter"]["kind"] == "bloom", "this reader knows Bloom filters only")
        self.record = record
        self.n_blocks: int = record["filter"]["n_blocks"]
        self.shards = [Shard(directory, shard) for shard in record["shards"]]
        expected = block = 0
        for shard in self.shards:
            require(shard.first_key == expected, "shards follow each other")
            require(shard.first_key == -(-block * 2**64 // self.n_blocks), "keys are those of the blocks")
            expected = shard.last_key + 1
            block += shard.n_blocks
        require(expected == 2**64, "shards cover all keys")
        require(block == self.n_blocks, "the shards hold all blocks")

    def holds(self, key: int) -> bool:
        """Whether the filter holds a key."""
        block = key * self.n_blocks >> 64
        for shard in self.shards:
            if shard.first_key <= key <= shard.last_key:
                lanes = struct.unpack_from("<8I", shard.map, shard.data + 32 * block)
                low = key & 0xFFFFFFFF
                return all(lanes[i] >> ((low * SALTS[i] & 0xFFFFFFFF) >> 27) & 1 for i in range(8))
            block -= shard.n_blocks
        raise AssertionError("every key has a shard")


class Reader:
    """A portrait, opened."""

    def __init__(self, path: str | Path) -> None:
        directory = Path(path)
        self.text = (directory / "portrait.json").read_bytes()
        self.manifest = json.loads(self.text)
        require(self.manifest["format"] == "portrait", "it is a portrait")
        require(self.manifest["format_version"] == 1, "it is of a version that this reader knows")
        expected_hash = {"name": "xxh3_64", "window_seed": 0, "document_seed": 1}
        require(self.manifest["hash"] == expected_hash, "the hash is known")
        self.normalizer: str = self.manifest["normalizer"]["name"]
        require(self.normalizer in ("none", "spaces"), "the normaliser is known")
        require(self.manifest["normalizer"]["version"] == 1, "the normaliser's version is known")
        self.layers = {record["source"]: Layer(directory, record) for record in self.manifest["layers"]}

    def id(self) -> str:
        """The id that belongs to the manifest."""
        content = {name: self.manifest[name] for name in ("format_version", "windows", "hash")}
        content["normalizer"] = {name: self.manifest["normalizer"][name] for name in ("name", "version")}
        content["layers"] = [
            {name: record[name] for name in ("source", "filter", "fpr", "tensors")}
            for record in self.manifest["layers"]
        ]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def manifest_sha256(self) -> str:
        """The digest that belongs to the manifest's bytes."""
        stated: bytes = self.manifest["manifest_sha256"].encode()
        return hashlib.sha256(self.text.replace(stated, b"0" * 64)).hexdigest()

    def normalize(self, text: str) -> str:
        """The text as the portrait's windows see it."""
        if self.normalizer == "none":
            return text
        spaced = (" " if ord(c) in WHITE_SPACE else c for c in unicodedata.normalize("NFC", text))
        return " ".join(word for word in "".join(spaced).split(" ") if word)

    def hits(self, text: str) -> dict[str, bytes]:
        """For each source, a byte per window at stride 1: 1 where its layer holds it."""
        windows = self.manifest["windows"]
        text = self.normalize(text)
        width: int = windows["width"]
        encoded = text.encode()
        if windows["unit"] == "byte":
            cut = (encoded[at : at + width] for at in range(len(encoded) - width + 1))
        else:
            cut = (text[at : at + width].encode() for at in range(len(text) - width + 1))
        keys = [xxhash.xxh3_64_intdigest(window, seed=0) for window in cut]
        return {source: bytes(map(layer.holds, keys)) for source, layer in self.layers.items()}

    def documents(self, text: str) -> dict[str, bool]:
        """For each source, whether it holds the key of the text as a whole document."""
        key = xxhash.xxh3_64_intdigest(self.normalize(text).encode(), seed=1)
        return {source: layer.holds(key) for source, layer in self.layers.items()}
