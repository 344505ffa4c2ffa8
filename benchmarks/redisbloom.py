"""Asking filters of the original library about every window of a text, on one core.

The baseline, 0.39 MB of text a second, is what the original library reached through a local Redis
server; this script does not measure it again. The small filter is a file of the tests. The large one,
of half a gigabyte, has random bits, half of them set; its bound is two cache lines from memory for each
window.
"""

from __future__ import annotations

import json
import random
import struct
import tempfile
from pathlib import Path

from common import best_seconds, report, stdlib_texts

import portrait

ORIGINAL_MB_PER_SECOND = 0.39
FIXTURE = Path(__file__).parent.parent / "tests" / "golden" / "redisbloom" / "words.50-50.bf"
LARGE_BYTES = 512_000_000
PIECE_BYTES = 16_000_000
#: Bits of the filter per entry at a rate of 0.1 %, and bits set for each window.
BITS_PER_ENTRY, HASHES = 14.37758756605117, 10


def write_large(path: Path) -> None:
    """Write a dump of one link of random bits, in chunks of 16 MB as a Redis server sends them."""
    entries = int(LARGE_BYTES * 8 / BITS_PER_ENTRY)
    link = (LARGE_BYTES, LARGE_BYTES * 8, entries, 0.001, BITS_PER_ENTRY, HASHES, entries, 0)
    header = struct.pack("<QIIIQQQddIQB", entries, 1, 13, 2, *link)
    part = path.with_name(f"{path.name}.part0.bin")
    dice = random.Random(1)
    blocks = [{"iter": 1, "block_num": 0, "block_size": len(header), "part_file": part.name}]
    with part.open("wb") as file:
        file.write(header)
        for number in range(1, LARGE_BYTES // PIECE_BYTES + 1):
            file.write(dice.randbytes(PIECE_BYTES))
            at = number * PIECE_BYTES + 1
            blocks.append(
                {"iter": at, "block_num": number, "block_size": PIECE_BYTES, "part_file": part.name}
            )
    path.write_text(json.dumps({"blocks": blocks, "bf_info": {}, "width": 50}))


def measure(name: str, path: Path, text: str) -> None:
    opened = portrait.open(path)
    seconds = best_seconds(lambda: opened.query(text), runs=5)
    speed = len(text.encode()) / seconds / 1e6
    report(
        f"every window, {name}",
        f"{speed:.1f} MB/s",
        ">= 50 x",
        f"the original library at {ORIGINAL_MB_PER_SECOND} MB/s, {speed / ORIGINAL_MB_PER_SECOND:.0f} x that",
    )


if __name__ == "__main__":
    text = b"\n".join(stdlib_texts(4_000_000)).decode()
    measure("a RedisBloom filter of 23 kB", FIXTURE, text)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "large.50-50.bf")
        write_large(path)
        opening = best_seconds(lambda: portrait.open(path), runs=3)
        measure("a RedisBloom filter of 512 MB", path, text)
        report("opening it", f"{opening * 1e3:.0f} ms", "<= 100 ms", "the pages whose set bits are counted")
