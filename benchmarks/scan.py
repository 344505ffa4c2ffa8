"""Asking every window of a text, on one core, against a 50 MB Bloom filter in a bundle.

The bound is looking up as many random keys in the same filter: one cache line from memory each.
Normalising and hashing the windows comes on top, 3 to 6 ns a window.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from common import best_seconds, random_keys, report, stdlib_texts

import portrait
from portrait.filters import Scanner
from portrait.filters.bloom import TENSOR, Bloom, BloomBuilder
from portrait.tensors import header, map_tensors

if TYPE_CHECKING:
    from portrait.spec import NormalizerName

FILTER_BYTES = 50_000_000
BITS_PER_KEY = 10.53


def write_filter(path: Path) -> None:
    """A filter of random keys, as a shard of a bundle holds it."""
    builder = BloomBuilder(FILTER_BYTES // 32)
    for piece in random_keys(int(FILTER_BYTES * 8 / BITS_PER_KEY), seed=1):
        builder.insert(piece)
    (whole,) = builder.pieces(builder.n_blocks * 32)
    with path.open("wb") as file:
        file.write(header(whole.tensors, {}))
        file.writelines(whole.buffers)


def measure(path: Path, text: str, normalizer: NormalizerName, n_shards: int = 1) -> None:
    _, blocks = map_tensors(path)[TENSOR]
    per_shard = -(-blocks.nbytes // 32 // n_shards) * 32
    bloom = Bloom(*(blocks[i : i + per_shard] for i in range(0, blocks.nbytes, per_shard)))
    scanner = Scanner(portrait.WindowSpec(normalizer=normalizer), [(bloom, bloom.rate())])
    n_windows = scanner.scan(text).windows
    probes = b"".join(random_keys(n_windows, seed=2))
    lookups = best_seconds(lambda: bloom.contains(probes), runs=9)
    seconds = best_seconds(lambda: scanner.scan(text), runs=9)
    report(
        f"every window of ASCII text, {normalizer}" + (f", {n_shards} shards" if n_shards > 1 else ""),
        f"{len(text) / seconds / 1e6:.0f} MB/s",
        ">= 80 MB/s",
        f"look-ups alone at {len(text) / lookups / 1e6:.0f} MB/s, {lookups / seconds:.2f} of it reached",
    )


if __name__ == "__main__":
    text = b"\n".join(stdlib_texts(4_000_000)).decode()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "filter.safetensors")
        write_filter(path)
        measure(path, text, "none")
        measure(path, text, "spaces")
        measure(path, text, "spaces", n_shards=7)
