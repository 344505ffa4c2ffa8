"""Asking a 50 MB Bloom filter in a bundle about every window of a text, on one core.

The bound is looking up as many random keys in the same filter: one cache line from memory each.
Normalising and hashing take another 3 to 6 ns a window.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from common import best_seconds, mixed_texts, random_keys, report, stdlib_texts

import portrait
from portrait.bundle.tensors import header, map_tensors
from portrait.filters.bloom import TENSOR, Bloom, BloomBuilder
from portrait.portraits.scanner import Scanner

if TYPE_CHECKING:
    from portrait.spec import NormalizerName, Unit

UNITS: tuple[Unit, ...] = ("char", "word")
FILTER_BYTES = 50_000_000
BITS_PER_KEY = 10.53


def write_filter(path: Path) -> None:
    """Write a filter of random keys as a shard of a bundle."""
    builder = BloomBuilder(FILTER_BYTES // 32)
    for piece in random_keys(int(FILTER_BYTES * 8 / BITS_PER_KEY), seed=1):
        builder.insert(piece)
    (whole,) = builder.finish().pieces(builder.n_blocks * 32)
    with path.open("wb") as file:
        file.write(header(whole.tensors, {}))
        file.writelines(whole.buffers)


def measure(
    path: Path,
    text: str,
    normalizer: NormalizerName,
    n_shards: int = 1,
    *,
    unit: Unit = "char",
    what: str = "ASCII",
    target: int = 80,
) -> None:
    _, blocks = map_tensors(path)[TENSOR]
    per_shard = -(-blocks.nbytes // 32 // n_shards) * 32
    bloom = Bloom(*(blocks[i : i + per_shard] for i in range(0, blocks.nbytes, per_shard)))
    width, stride = (10, 5) if unit == "word" else (50, 25)
    scanner = Scanner(
        portrait.WindowSpec(width, portrait.Stride(stride), unit, normalizer), [(bloom, bloom.rate())]
    )
    n_windows, n_bytes = scanner.scan(text).windows, len(text.encode())
    probes = b"".join(random_keys(n_windows, seed=2))
    lookups = best_seconds(lambda: bloom.contains(probes), runs=9)
    seconds = best_seconds(lambda: scanner.scan(text), runs=9)
    report(
        f"{unit} windows of {what} text, {normalizer}" + (f", {n_shards} shards" if n_shards > 1 else ""),
        f"{n_bytes / seconds / 1e6:.0f} MB/s",
        f">= {target} MB/s",
        f"look-ups alone at {n_bytes / lookups / 1e6:.0f} MB/s, {lookups / seconds:.2f} of it reached",
    )


if __name__ == "__main__":
    text = b"\n".join(stdlib_texts(4_000_000)).decode()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "filter.safetensors")
        write_filter(path)
        measure(path, text, "none")
        measure(path, text, "spaces")
        measure(path, text, "spaces", n_shards=7)
        measure(path, text, "loose")
        measure(path, text, "loose", unit="word")
        mixed = b"\n".join(mixed_texts(4_000_000)).decode()
        for unit in UNITS:
            measure(path, mixed, "loose", unit=unit, what="mixed", target=15)
