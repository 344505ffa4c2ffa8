"""The observed false-positive rate of filters, against the rate they are sized for.

A small filter has a whole number of blocks and its rate varies by chance: it is averaged over many.
"""

from __future__ import annotations

from common import random_keys, report

from portrait.filters.bloom import BloomBuilder
from portrait.sizing import bloom_fpr

TARGET = 0.01
PROBES = 10_000_000


def measure(n_keys: int, n_filters: int) -> tuple[float, float, int]:
    """Return the mean observed rate, the mean rate read off the bits, and the number of blocks."""
    probes = random_keys(PROBES // n_filters, seed=99)
    n_hits = n_probes = 0
    rate = 0.0
    for seed in range(n_filters):
        builder = BloomBuilder.for_keys(n_keys, TARGET)
        for piece in random_keys(n_keys, seed=seed + 1000):
            builder.insert(piece)
        bloom = builder.finish()
        rate += bloom.rate() / n_filters
        for piece in probes:
            n_hits += bloom.contains(piece).count(1)
            n_probes += len(piece) // 8
    return n_hits / n_probes, rate, builder.n_blocks


if __name__ == "__main__":
    for n_keys, n_filters in ((1_000, 500), (100_000, 20), (10_000_000, 1)):
        observed, rate, n_blocks = measure(n_keys, n_filters)
        report(
            f"false-positive rate at {n_keys:,} keys, {n_filters} filters",
            f"{observed:.5f}",
            f"{TARGET} +- 10 %",
            f"{observed / TARGET:.3f} of the target; expected {bloom_fpr(n_keys, n_blocks):.5f}, "
            f"read off the bits {rate:.5f}, {n_blocks * 256 / n_keys:.2f} bits per key",
        )
