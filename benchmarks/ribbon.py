"""The size, build time, look-up time and rate of the ribbon filter, beside a Bloom filter's.

A partition is as large as its densest stretch of keys needs, and takes 1.02 slots a key; all else is the
information bound, n log2(1/ε) bits. Building adds some thirty rows of 128 bits to each other for each key,
one after the other, within the second-level cache. A look-up reads three blocks that lie together where a
Bloom filter reads half a cache line. Building and sorting are timed apart, in processor time. Sizes are those
of the tensors in a shard, the table of partitions included.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np
from common import best_seconds, random_keys, report

from portrait import _native
from portrait.filters.bloom import BloomLayout
from portrait.filters.ribbon import RibbonLayout

if TYPE_CHECKING:
    from portrait.filters.protocols import Layout, StoredFilter

COLUMNS = 7
RATE = 2.0**-COLUMNS
#: The argument "large" adds 10^8 keys, which takes minutes and gigabytes of memory.
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
#: Random keys that are counted, and those that are timed.
N_PROBES, N_TIMED = 8_000_000, 1_000_000
#: What the filter may take against n log2(1/ε), table and all.
MOST = {10_000: 1.06}


def n_bits(built: StoredFilter) -> int:
    """Return the size of the filter as one piece of a bundle."""
    (piece,) = built.pieces(1 << 60)
    return 8 * sum(tensor.n_bytes for tensor in piece.tensors)


def sorting_seconds(keys: bytes) -> float:
    """Return how long it takes to sort keys in any order and to drop duplicates."""
    some = _native.Keys()
    some.extend(keys)
    begin = time.thread_time()
    some.sort_unique()
    return time.thread_time() - begin


def build(layout: Layout, keys: bytes) -> tuple[StoredFilter, float]:
    """Return the filter of sorted keys, and how long it took."""
    (whole,) = layout.ranges(1)
    begin = time.thread_time()
    part = layout.build([keys], whole)
    return layout.assemble([part]), time.thread_time() - begin


def measure(n: int, probes: bytes) -> None:
    given = b"".join(random_keys(n, seed=n))
    keys: bytes = np.sort(np.frombuffer(given, "<u8")).tobytes()
    some = np.random.default_rng(1).choice(np.frombuffer(keys, "<u8"), min(n, N_TIMED))
    present: bytes = some.tobytes()
    sorting = sorting_seconds(given)
    # What building from sorted keys spends on finding them sorted is sorting, too.
    again = sorting_seconds(keys)
    print(f"{n:,} keys; sorting takes {sorting / n * 1e9:.0f} ns a key")
    for kind, layout in (
        ("ribbon", RibbonLayout(n, COLUMNS)),
        ("bloom", BloomLayout.for_keys(n, RATE)),
    ):
        built, seconds = build(layout, keys)
        seconds -= again if kind == "ribbon" else 0.0
        own = kind == "ribbon"
        size = n_bits(built) / (n * COLUMNS)
        report(f"{kind}: size", f"{size:.4f}", f"<= {MOST.get(n, 1.035)}" if own else "", "n log2(1/ε) bits")
        report("  build from sorted keys", f"{seconds / n * 1e9:.0f} ns/key", "<= 130 ns" if own else "", "")
        for name, asked, most in (("absent", probes[: 8 * N_TIMED], "<= 30 ns"), ("present", present, "")):
            seconds = best_seconds(lambda built=built, asked=asked: built.contains(asked), runs=20)  # type: ignore[misc]
            report(
                f"  look-up of {name} keys", f"{seconds / len(asked) * 8e9:.1f} ns", most if own else "", ""
            )
        observed = built.contains(probes).count(1) / N_PROBES
        deviation = (RATE / N_PROBES) ** 0.5 / RATE
        rates = f"{observed / RATE:.4f}, from the bits {built.rate() / RATE:.4f}"
        report("  rate observed", rates, "0.97 to 1.03", f"2^-{COLUMNS}, to {deviation:.4f}")
        assert built.contains(present).count(1) == len(present) // 8


if __name__ == "__main__":
    print(f"{COLUMNS} columns; {N_PROBES:,} absent keys")
    absent_keys = b"".join(random_keys(N_PROBES, seed=7))
    for n_keys in (*SIZES, *([10**8] if "large" in sys.argv[1:] else [])):
        measure(n_keys, absent_keys)
