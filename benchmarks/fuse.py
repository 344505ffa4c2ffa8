"""The size, build time and look-up time of the binary fuse filter, beside the Bloom filter's.

Sets of up to 2^18 keys are solved as linear equations, which takes hardly more slots than keys; larger
sets are peeled, which is bound by random access to the counts and sums of a partition, 12 MB.
A look-up reads four places in memory where a Bloom filter reads one. Sizes are those of whole files in a
bundle.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import best_seconds, random_keys, report

from portrait import _native
from portrait.bundle.writer import BundleWriter
from portrait.filters.bloom import BloomBuilder
from portrait.filters.fuse import KIND, Fuse, FuseLayout

BITS = 10
REDISBLOOM_BITS_PER_KEY = 14.38
#: The argument "large" adds 10^8 keys, which takes minutes and gigabytes of memory.
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def sorted_keys(n: int) -> bytes:
    keys = np.sort(np.frombuffer(b"".join(random_keys(n, seed=n)), "<u8"))
    # Not np.unique: with 10^8 keys its hash table takes minutes.
    distinct: bytes = keys[np.diff(keys, prepend=~keys[0]) != 0].tobytes()
    return distinct


def file_bytes(fuse: Fuse) -> int:
    """Return the size of the filter written as one shard of a bundle."""
    with tempfile.TemporaryDirectory() as directory, BundleWriter(Path(directory, "x.portrait")) as writer:
        (shard,) = writer.add_layer("main", KIND, fuse.pieces(1 << 60)).shards
    return shard.bytes


def measure(n: int, probes: bytes) -> None:
    keys = sorted_keys(n)
    layout = FuseLayout(n, BITS)
    (whole,) = layout.ranges(1)
    begin = time.perf_counter()
    part = layout.build([keys], whole)
    build_ns = (time.perf_counter() - begin) / n * 1e9
    fuse = layout.assemble([part])
    n_bytes = file_bytes(fuse)
    size = n_bytes / (n * BITS / 8)
    most = 1.15 if n < 10**6 else 1.09
    report(f"size at {n:,} keys, all included", f"{size:.4f}", f"<= {most}", "n r / 8")
    share = n_bytes * 8 / n / REDISBLOOM_BITS_PER_KEY
    report("  against RedisBloom at the same 0.1 %", f"{share:.3f}", "<= 0.76", "14.38 bits a key")
    bound = "additions of rows" if n <= 1 << 18 else "random access to 17 bytes a slot"
    report("  build", f"{build_ns:.0f} ns/key", "<= 150 at 10^7", bound)
    bloom = BloomBuilder.for_keys(n, 2.0**-BITS)
    bloom.insert(keys)
    n_probes = len(probes) // 8
    for name, filter_, target in (("bloom", bloom.finish(), 15), ("fuse", fuse, 40)):
        ns = best_seconds(lambda filter_=filter_: filter_.contains(probes)) / n_probes * 1e9  # type: ignore[misc]
        rate = filter_.contains(probes).count(1) / n_probes * 2**BITS
        report(
            f"  look-up of absent keys, {name}",
            f"{ns:.1f} ns",
            f"<= {target} ns",
            f"rate {rate:.3f} of 2^-{BITS}",
        )


if __name__ == "__main__":
    print(f"fingerprints of {BITS} bits; Unicode {_native.unicode_version()}")
    absent_keys = b"".join(random_keys(2_000_000, seed=7))
    for n_keys in (*SIZES, *([10**8] if "large" in sys.argv[1:] else [])):
        measure(n_keys, absent_keys)
