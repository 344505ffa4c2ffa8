"""A second reader of portraits, written from docs/FORMAT.md alone: simple and slow, without the library.

It reads bundles with Bloom and ribbon filters, and tells for each window that a question asks whether a layer
holds it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

SALTS = [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31]
MASK = 2**64 - 1
WHITE_SPACE = {*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)} | {
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
}

# The first and the last code point of each range of ignorable characters.
IGNORABLE = [
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
]
IGNORABLE += [(0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F)]
IGNORABLE += [(0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)]
IGNORABLE += [(0xE0000, 0xE0FFF)]


class Refused(Exception):  # noqa: N818  # the format says that a reader refuses
    """Raised when the bundle does not follow the format, or needs a newer reader."""


def require(condition: bool, what: str) -> None:
    """Raise Refused unless a condition holds; ``what`` states the condition."""
    if not condition:
        raise Refused(what)


class TensorFile:
    """One file of a layer, and its tensors."""

    def __init__(self, directory: Path, record: dict[str, Any]) -> None:
        require(Path(record["file"]).name == record["file"], "the file is one of the bundle")
        with (directory / record["file"]).open("rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        require(len(self.map) == record["bytes"], "the file has the recorded size")
        (header_bytes,) = struct.unpack_from("<Q", self.map)
        require(8 + header_bytes <= len(self.map), "the header lies within the file")
        self.tensors = json.loads(self.map[8 : 8 + header_bytes])
        del self.tensors["__metadata__"]
        self.data = 8 + header_bytes
        end = 0
        for tensor in sorted(self.tensors.values(), key=lambda tensor: tensor["data_offsets"]):
            n_bytes = {"U8": 1, "U32": 4, "U64": 8}[tensor["dtype"]]
            for n in tensor["shape"]:
                n_bytes *= n
            require(tensor["data_offsets"] == [end, end + n_bytes], "the offsets match the shape")
            end += n_bytes
        require(self.data + end == len(self.map), "the tensors fill the data")

    def tensor(self, name: str, dtype: str, *tail: int) -> tuple[int, int]:
        """Return a tensor's offset in the file and its first dimension, after checking its type and shape."""
        tensor = self.tensors[name]
        require(
            tensor["dtype"] == dtype and tensor["shape"][1:] == list(tail), f"{name} has the expected type"
        )
        first: int = tensor["shape"][0]
        return self.data + tensor["data_offsets"][0], first


class Shard(TensorFile):
    """A part of a layer's filter, and the range of keys that it covers."""

    def __init__(self, directory: Path, record: dict[str, Any]) -> None:
        self.first_key, self.last_key = int(record["first_key"], 16), int(record["last_key"], 16)
        super().__init__(directory, record)


class Layer:
    """One source's filter, and its sketch."""

    def __init__(self, directory: Path, record: dict[str, Any]) -> None:
        self.directory = directory
        self.record = record
        self.shards = [Shard(directory, shard) for shard in record["shards"]]
        expected = unit = 0
        for shard in self.shards:
            require(shard.first_key == expected, "shards are contiguous")
            require(shard.first_key == -(-unit * 2**64 // self.n_units()), "the keys match the content")
            expected = shard.last_key + 1
            unit += self.units_in(shard)
        require(expected == 2**64, "shards cover all keys")
        require(unit == self.n_units(), "the shards hold everything")

    def sketch(self) -> tuple[int, ...]:
        """Return the layer's smallest keys."""
        record: dict[str, Any] = self.record["sketch"]
        require(record["n_keys"] == min(16384, self.record["distinct_keys"]), "the smallest keys are there")
        file = TensorFile(self.directory, record)
        digests = hashlib.sha256(file.map).hexdigest(), xxhash.xxh3_128_hexdigest(bytes(file.map))
        require(digests == (record["sha256"], record["xxh3_128"]), "the digests are the recorded ones")
        require(set(file.tensors) == {"keys"}, "a sketch has one tensor")
        at, n_keys = file.tensor("keys", "U64")
        require(n_keys == record["n_keys"], "the tensor has the recorded number of keys")
        keys: tuple[int, ...] = struct.unpack_from(f"<{n_keys}Q", file.map, at)
        require(list(keys) == sorted(set(keys)), "the keys ascend")
        return keys

    def n_units(self) -> int:
        """Return the number of blocks or partitions in the filter."""
        raise NotImplementedError

    def units_in(self, shard: Shard) -> int:
        """Return the number of blocks or partitions in one shard."""
        raise NotImplementedError

    def holds_in(self, shard: Shard, unit: int, key: int) -> bool:
        """Return whether the ``unit``-th block or partition of a shard holds a key."""
        raise NotImplementedError

    def holds(self, key: int) -> bool:
        """Return whether the filter holds a key."""
        unit = key * self.n_units() >> 64
        for shard in self.shards:
            if shard.first_key <= key <= shard.last_key:
                return self.holds_in(shard, unit, key)
            unit -= self.units_in(shard)
        raise AssertionError("every key has a shard")


class BloomLayer(Layer):
    """A split-block Bloom filter."""

    def n_units(self) -> int:
        n_blocks: int = self.record["filter"]["n_blocks"]
        return n_blocks

    def units_in(self, shard: Shard) -> int:
        require(set(shard.tensors) == {"blocks"}, "a bloom shard has one tensor")
        return shard.tensor("blocks", "U32", 8)[1]

    def holds_in(self, shard: Shard, unit: int, key: int) -> bool:
        lanes = struct.unpack_from("<8I", shard.map, shard.tensor("blocks", "U32", 8)[0] + 32 * unit)
        low = key & 0xFFFFFFFF
        return all(lanes[i] >> ((low * SALTS[i] & 0xFFFFFFFF) >> 27) & 1 for i in range(8))


class RibbonLayer(Layer):
    """A ribbon filter."""

    def n_units(self) -> int:
        n_partitions: int = self.record["filter"]["n_partitions"]
        return n_partitions

    def units_in(self, shard: Shard) -> int:
        require(set(shard.tensors) == {"columns", "partitions"}, "a ribbon shard has two tensors")
        return shard.tensor("partitions", "U64")[1]

    def partition(self, shard: Shard, unit: int) -> tuple[int, int]:
        """Return the offset of a partition in a shard's file, and its number of blocks."""
        n_columns: int = self.record["filter"]["n_columns"]
        require(1 <= n_columns <= 32, "a filter has 1 to 32 columns")
        at, n_words = shard.tensor("columns", "U64")
        table, n_partitions = shard.tensor("partitions", "U64")
        blocks: tuple[int, ...] = struct.unpack_from(f"<{n_partitions}Q", shard.map, table)
        ends = [at]
        for n_blocks in blocks:
            require(3 <= n_blocks < 2**32, "a partition has 3 blocks or more")
            ends.append(ends[-1] + -(-n_blocks * n_columns // 8) * 64)
        require(ends[-1] == at + 8 * n_words, "the partitions fill the tensor")
        return ends[unit], blocks[unit]

    def holds_in(self, shard: Shard, unit: int, key: int) -> bool:
        n_columns: int = self.record["filter"]["n_columns"]
        at, n_blocks = self.partition(shard, unit)
        start = (key * self.n_units() & MASK) * 64 * (n_blocks - 2) >> 64
        block, offset = divmod(start, 64)
        row = (mixed(key ^ 0x9E3779B97F4A7C15) << 64 | mixed(key) | 1) << offset
        words = struct.unpack_from(f"<{3 * n_columns}Q", shard.map, at + 8 * n_columns * block)
        for j in range(n_columns):
            column = words[j] | words[n_columns + j] << 64 | words[2 * n_columns + j] << 128
            if (row & column).bit_count() % 2:
                return False
        return True

    def rate(self) -> float:
        """Return the false-positive rate that the format prescribes for the bits."""
        n_columns: int = self.record["filter"]["n_columns"]
        rates = []
        for shard in self.shards:
            for unit in range(self.units_in(shard)):
                at, n_blocks = self.partition(shard, unit)
                inner = range(1, n_blocks - 1)
                ranks = [
                    rank(struct.unpack_from(f"<{n_columns}Q", shard.map, at + 8 * n_columns * i))
                    for i in inner
                ]
                rates.append(sum(2.0**-one for one in ranks) / len(inner))
        return sum(rates) / len(rates)


def rank(words: tuple[int, ...]) -> int:
    """Return how many of the words are no exclusive or of others."""
    basis: list[int] = []
    for word in words:
        for other in basis:
            word = min(word, word ^ other)
        if word:
            basis.append(word)
    return len(basis)


def mixed(h: int) -> int:
    """Return ``h`` mixed by the 64-bit finaliser of MurmurHash3."""
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & MASK
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return h ^ h >> 33


def loose(text: str) -> str:
    """Return the text normalised by ``loose``."""
    text = "".join(c for c in text if not any(first <= ord(c) <= last for first, last in IGNORABLE))
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", text).casefold())
    result = ""
    for c in text:
        kind = unicodedata.category(c)[0]
        if kind in "LN" or (kind == "M" and result and result[-1] != " "):
            result += c
        elif result and result[-1] != " ":
            result += " "
    return result.rstrip(" ")


KINDS = {"bloom": BloomLayer, "ribbon": RibbonLayer}

#: The units of a normalised text: its characters, its bytes of UTF-8, or its words.
Parts = str | bytes | list[str]


class Windows:
    """The manifest's ``windows``: how a normalised text is cut, and what is stored and asked of it."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.unit: str = record["unit"]
        require(self.unit in ("char", "byte", "word"), "the unit is known")
        self.sampling: str = record["sampling"]
        require(self.sampling in ("minimizer", "stride"), "the sampling is known")
        self.width: int = record["width"]
        self.step: int = record["span" if self.sampling == "minimizer" else "stride"]
        require(self.width >= 1 and self.step >= 1, "width and span or stride are at least 1")
        #: The units of a group whose symbols count at each end, and the units of a group.
        self.ends = 2 if self.unit == "word" else 8
        self.group = self.ends + (self.width - self.ends) % self.step
        require(self.sampling == "stride" or self.width >= self.ends, "a window has room for a group")

    def parts(self, text: str) -> Parts:
        """Return the units of a normalised text."""
        if self.unit == "char":
            return text
        if self.unit == "byte":
            return text.encode()
        spaced = "".join(" " if ord(c) in WHITE_SPACE else c for c in text)
        return [word for word in spaced.split(" ") if word]

    def key(self, parts: Parts, at: int) -> int:
        """Return the key of the window that begins at a unit."""
        window = parts[at : at + self.width]
        if isinstance(window, list):
            window = " ".join(window)
        return xxhash.xxh3_64_intdigest(window if isinstance(window, bytes) else window.encode(), seed=0)

    def asked(self, parts: Parts) -> list[int]:
        """Return the first units of the windows that a question of these units asks."""
        if self.sampling == "minimizer" and len(parts) >= self.width + self.step - 1:
            return self.sampled(parts)
        return list(range(len(parts) - self.width + 1))

    def stored(self, parts: Parts) -> list[int]:
        """Return the first units of the windows that a document of these units stores."""
        every = range(len(parts) - self.width + 1)
        if not every:
            return []
        if self.sampling == "stride":
            return [at for at in every if at % self.step == 0 or at == every[-1]]
        if len(every) >= self.step:
            return self.sampled(parts)
        return [0, every[-1]] if len(every) > 1 else [0]

    def sampled(self, parts: Parts) -> list[int]:
        """Return the first units of the windows that the contexts of a text sample.

        A group's order and place are packed into one number, so that the smallest of a context's numbers
        names the first of its smallest groups.
        """
        orders = self.orders(parts)
        packed = orders.astype(np.uint64) << np.uint64(32) | np.arange(len(orders), dtype=np.uint64)
        covered, wanted = 1, self.width + self.step - self.group
        while covered < wanted:
            more = min(covered, wanted - covered)
            packed = np.minimum(packed[:-more], packed[more:])
            covered += more
        contexts = np.arange(len(packed))
        x = (packed & np.uint64(2**32 - 1)).astype(np.int64) - contexts
        sampled: list[int] = np.unique(contexts + x % self.step).tolist()
        return sampled

    def orders(self, parts: Parts) -> np.ndarray[Any, np.dtype[np.uint32]]:
        """Return the order of the group that begins at each unit; numbers of NumPy are taken mod 2^32."""
        u32 = np.uint32
        n = len(parts) - self.group + 1
        if isinstance(parts, list):
            known = {word: xxhash.xxh3_64_intdigest(word.encode(), seed=0) & 0xFFFFFFFF for word in {*parts}}
            at = np.array([known[word] for word in parts], dtype=u32)
        else:
            if isinstance(parts, bytes):
                s = np.frombuffer(parts, dtype=np.uint8).astype(u32)
            else:
                codes = np.frombuffer(parts.encode("utf-32-le"), dtype="<u4").astype(u32)
                s = np.where(codes < 128, codes, u32(128) + ((codes * u32(0x9E3779B1)) >> u32(25)))
            # The four symbols from each unit on, as one number.
            at = s[:-3] | s[1:-2] << u32(8) | s[2:-1] << u32(16) | s[3:] << u32(24)
        far = self.ends // 2
        h = at[:n] * u32(0x9E3779B1)
        h ^= h >> u32(15)
        h = (h + at[far : far + n]) * u32(0x85EBCA77)
        h ^= h >> u32(13)
        if self.group > self.ends:
            c, d = self.group - 2 * far, self.group - far
            h = (h + at[c : c + n]) * u32(0xC2B2AE3D)
            h ^= h >> u32(15)
            h = (h + at[d : d + n]) * u32(0x27D4EB2F)
            h ^= h >> u32(13)
        return h * u32(0x165667B1)


def share_in(a: Layer, b: Layer) -> float:
    """Estimate the share of one layer's keys that are in another one, by their sketches."""
    keys_a, keys_b = a.sketch(), b.sketch()
    partial = [
        keys[-1] for one, keys in ((a, keys_a), (b, keys_b)) if len(keys) < one.record["distinct_keys"]
    ]
    threshold = min(partial, default=2**64)
    sample = [key for key in keys_a if key < threshold]
    return len({*sample} & {*keys_b}) / len(sample)


class Reader:
    """An open portrait."""

    def __init__(self, path: str | Path) -> None:
        directory = Path(path)
        self.text = (directory / "portrait.json").read_bytes()
        self.manifest = json.loads(self.text)
        require(self.manifest["format"] == "portrait", "it is a portrait")
        require(self.manifest["format_version"] == 1, "the format's version is known")
        expected_hash = {"name": "xxh3_64", "window_seed": 0, "document_seed": 1}
        require(self.manifest["hash"] == expected_hash, "the hash is known")
        self.normalizer: str = self.manifest["normalizer"]["name"]
        require(self.normalizer in ("none", "spaces", "loose"), "the normaliser is known")
        require(self.manifest["normalizer"]["version"] == 1, "the normaliser's version is known")
        self.windows = Windows(self.manifest["windows"])
        self.layers: dict[str, Layer] = {}
        for record in self.manifest["layers"]:
            require(record["filter"]["kind"] in KINDS, "the filter is known")
            self.layers[record["source"]] = KINDS[record["filter"]["kind"]](directory, record)

    def id(self) -> str:
        """Return the id that the format prescribes for the manifest."""
        content = {name: self.manifest[name] for name in ("format_version", "windows", "hash")}
        content["normalizer"] = {name: self.manifest["normalizer"][name] for name in ("name", "version")}
        content["layers"] = [
            {name: record[name] for name in ("source", "document_keys", "filter", "fpr", "tensors")}
            for record in self.manifest["layers"]
        ]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def manifest_sha256(self) -> str:
        """Return the digest that the format prescribes for the manifest's bytes."""
        stated: bytes = self.manifest["manifest_sha256"].encode()
        return hashlib.sha256(self.text.replace(stated, b"0" * 64)).hexdigest()

    def normalize(self, text: str) -> str:
        """Return the text as normalised for the portrait's windows."""
        if self.normalizer == "none":
            return text
        if self.normalizer == "loose":
            return loose(text)
        spaced = (" " if ord(c) in WHITE_SPACE else c for c in unicodedata.normalize("NFC", text))
        return " ".join(word for word in "".join(spaced).split(" ") if word)

    def hits(self, text: str) -> dict[str, bytes]:
        """Return for each source one byte per asked window: 1 if the layer holds the window, otherwise 0."""
        parts = self.windows.parts(self.normalize(text))
        keys = [self.windows.key(parts, at) for at in self.windows.asked(parts)]
        return {source: bytes(map(layer.holds, keys)) for source, layer in self.layers.items()}

    def documents(self, text: str) -> dict[str, bool | None]:
        """Return for each source whether it holds the key of the text as a whole document.

        The answer is ``None`` where such a document has no key.
        """
        text = self.normalize(text)
        key = xxhash.xxh3_64_intdigest(text.encode(), seed=1)
        is_short = not self.windows.stored(self.windows.parts(text))
        answers: dict[str, bool | None] = {}
        for source, layer in self.layers.items():
            which = layer.record["document_keys"]
            require(which in ("all", "long", "none"), "it is known which documents have keys")
            keyed = which == "all" or (which == "long" and not is_short)
            answers[source] = layer.holds(key) if keyed else None
        return answers
