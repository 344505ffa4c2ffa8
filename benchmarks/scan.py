"""Asking a 50 MB Bloom filter about a text, on one core: normalise, choose windows, hash, look up.

With the default sampling a text is asked with one window in 28, with a stride with all of them. The bound is
looking up as many random keys in the same filter: one cache line from memory each.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from common import best_seconds, mixed_texts, random_keys, report, stdlib_texts

from portrait import Stride, WindowSpec
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


def bloom_of(path: Path, n_shards: int = 1) -> Bloom:
    """Map the filter, as so many shards."""
    _, blocks = map_tensors(path)[TENSOR]
    per_shard = -(-blocks.nbytes // 32 // n_shards) * 32
    return Bloom(*(blocks[i : i + per_shard] for i in range(0, blocks.nbytes, per_shard)))


def seconds_of(bloom: Bloom, text: str, spec: WindowSpec) -> tuple[float, float]:
    """Return the time to ask about a text, and that to look up as many keys."""
    scanner = Scanner(spec, [(bloom, bloom.rate())])
    probes = b"".join(random_keys(scanner.scan(text).windows, seed=2))
    lookups = best_seconds(lambda: bloom.contains(probes), runs=9)
    return best_seconds(lambda: scanner.scan(text), runs=9), lookups


def measure(
    bloom: Bloom,
    text: str,
    normalizer: NormalizerName,
    *,
    unit: Unit = "char",
    what: str = "ASCII",
    target: int,
    times: int = 0,
) -> None:
    """Report the speed of asking with the default sampling, and with all windows as a stride does.

    Args:
        bloom: The filter.
        text: The text to ask about.
        normalizer: The normaliser.
        unit: What windows count.
        what: The text, in the report.
        target: Megabytes a second, by the default sampling.
        times: How many times faster than by a stride that should be; 0 leaves the stride out.
    """
    width, stride = (10, 5) if unit == "word" else (50, 25)
    n_bytes = len(text.encode())
    seconds, lookups = seconds_of(bloom, text, WindowSpec(width, unit=unit, normalizer=normalizer))
    bound = f"look-ups alone at {n_bytes / lookups / 1e6:.0f} MB/s"
    if times:
        strided, _ = seconds_of(bloom, text, WindowSpec(width, Stride(stride), unit, normalizer))
        bound += (
            f"; {strided / seconds:.1f} x a stride of {stride} ({n_bytes / strided / 1e6:.0f} MB/s), "
            f"target >= {times} x"
        )
    report(
        f"{unit} windows of {what} text, {normalizer}",
        f"{n_bytes / seconds / 1e6:.0f} MB/s",
        f">= {target} MB/s",
        bound,
    )


if __name__ == "__main__":
    text = b"\n".join(stdlib_texts(4_000_000)).decode()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "filter.safetensors")
        write_filter(path)
        bloom = bloom_of(path)
        measure(bloom, text, "none", target=400, times=5)
        measure(bloom, text, "spaces", target=400, times=5)
        measure(bloom_of(path, 7), text, "spaces", what="ASCII (7 shards)", target=400)
        measure(bloom, text, "loose", target=150, times=2)
        measure(bloom, text, "loose", unit="word", target=80)
        mixed = b"\n".join(mixed_texts(4_000_000)).decode()
        for unit in UNITS:
            measure(bloom, mixed, "loose", unit=unit, what="mixed", target=15)
