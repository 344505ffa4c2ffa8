"""An independent writer and reader of RedisBloom dumps in plain Python."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support import oracle

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path


def murmur64(data: bytes, seed: int) -> int:
    """Return the MurmurHash64A hash of ``data``."""
    m, mask = 0xC6A4A7935BD1E995, (1 << 64) - 1
    h = seed ^ (len(data) * m & mask)
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        k = int.from_bytes(data[at : at + 8], "little") * m & mask
        k = (k ^ k >> 47) * m & mask
        h = (h ^ k) * m & mask
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 47) * m & mask
    return h ^ h >> 47


def murmur32(data: bytes, seed: int) -> int:
    """Return the 32-bit MurmurHash2 hash of ``data``."""
    m, mask = 0x5BD1E995, (1 << 32) - 1
    h = seed ^ len(data)
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if data[whole:]:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


@dataclass
class Link:
    """One Bloom filter of a chain: the fields of its record, and its bits."""

    error: float
    capacity: int
    bits: int
    log2_bits: int
    data: bytearray
    entries: int = 0

    @property
    def bits_per_entry(self) -> float:
        """Bits per entry for the link's error rate."""
        return -math.log(self.error) / 0.480453013918201

    @property
    def hashes(self) -> int:
        """Number of bits that an entry sets."""
        return math.ceil(0.693147180559945 * self.bits_per_entry)

    def record(self) -> bytes:
        """Return the link's record in the dump's header."""
        fields = (len(self.data), self.bits, self.entries, self.error, self.bits_per_entry)
        return struct.pack("<QQQddIQB", *fields, self.hashes, self.capacity, self.log2_bits)

    def positions(self, window: bytes, wide: bool) -> list[int]:
        """Return the positions of a window's bits; ``wide`` chooses the 64-bit hash."""
        murmur, seed = (murmur64, 0xC6A4A7935BD1E995) if wide else (murmur32, 0x9747B28C)
        a = murmur(window, seed)
        b = murmur(window, a)
        n_bits = 1 << self.log2_bits if self.log2_bits else self.bits
        return [(a + i * b) % (1 << 64) % n_bits for i in range(self.hashes)]

    def holds(self, window: bytes, wide: bool) -> bool:
        """Return whether all bits of a window are set."""
        return all(self.data[at >> 3] >> (at & 7) & 1 for at in self.positions(window, wide))


def link(capacity: int, error: float, *, rounded: bool) -> Link:
    """Return an empty link, sized as RedisBloom sizes it; ``rounded`` rounds its bits to a power of two."""
    bits = int(capacity * -math.log(error) / 0.480453013918201)
    log2_bits = bits.bit_length() if rounded else 0
    n_bytes = -(-(1 << log2_bits if rounded else bits) // 64) * 8
    return Link(error, capacity, 8 * n_bytes, log2_bits, bytearray(n_bytes))


def header(links: Sequence[Link], options: int) -> bytes:
    """Return the header of a dump."""
    entries = sum(link.entries for link in links)
    return struct.pack("<QIII", entries, len(links), options, 2) + b"".join(link.record() for link in links)


def write(path: Path, links: Sequence[Link], options: int, width: int, parts: Sequence[list[int]]) -> None:
    """Write a dump: an index at ``path`` and its part files.

    Args:
        path: The path of the index.
        links: The links of the chain.
        options: RedisBloom's option bits.
        width: The width of the windows in characters.
        parts: For each part file, the sizes in bytes of the chunks that it holds.
    """
    head, data = header(links, options), b"".join(link.data for link in links)
    blocks: list[dict[str, Any]] = []
    at = 0
    for number, sizes in enumerate(parts):
        part = path.with_name(f"{path.name}.part{number}.bin")
        start = at
        for size in ([0] if number == 0 else []) + sizes:
            at += size
            blocks.append(
                {
                    "iter": at + 1,
                    "block_num": len(blocks),
                    "block_size": size or len(head),
                    "part_file": part.name,
                }
            )
        part.write_bytes((b"" if number else head) + data[start:at])
    assert at == len(data)
    index = {"blocks": blocks, "bf_info": {}, "width": width, "key": path.name, "last-loaded": {}}
    path.write_text(json.dumps(index))


def read(path: Path) -> tuple[list[Link], bool]:
    """Return a dump's links and whether it uses 64-bit hashes, without checking anything.

    The names of the part files must sort in the order of their content.
    """
    files = (
        [path]
        if path.with_name(f"{path.name}.idx").exists()
        else sorted(path.parent.glob(f"{path.name}.part*"))
    )
    data = b"".join(file.read_bytes() for file in files)
    _, n_links, options, _ = struct.unpack_from("<QIII", data)
    at = 20 + 53 * n_links
    links = []
    for i in range(n_links):
        n_bytes, bits, entries, error, _, _, capacity, log2_bits = struct.unpack_from(
            "<QQQddIQB", data, 20 + 53 * i
        )
        links.append(Link(error, capacity, bits, log2_bits, bytearray(data[at : at + n_bytes]), entries))
        at += n_bytes
    assert at == len(data)
    return links, bool(options & 4)


def second_opinion(path: Path, text: str, width: int) -> str:
    """Return the hits of a text in a dump at stride 1, computed here: "1" or "0" for each window."""
    links, wide = read(path)
    normalized, _ = oracle.normalise(text, "data-portraits")
    windows = oracle.all_windows(normalized, oracle.Spec(width, 1))
    return "".join("01"[any(link.holds(window, wide) for link in links)] for window in windows)


def write_windows(path: Path, windows: Collection[str], error: float, width: int) -> None:
    """Write a dump of one link that holds these windows, as the original library writes it."""
    distinct = {window.encode() for window in windows}
    one = link(max(1, len(distinct)), error, rounded=False)
    for window in distinct:
        for at in one.positions(window, wide=True):
            one.data[at >> 3] |= 1 << (at & 7)
    one.entries = len(distinct)
    write(path, [one], 1 | 4, width, [[len(one.data)]])
