"""The same corpus through Python with pybloom-live, which is what people would write without this library.

Both read the same texts from memory and record the same windows, in one process on one core.
"""

from __future__ import annotations

import pyarrow as pa
from common import best_seconds, report, stdlib_texts
from pybloom_live import BloomFilter

from portrait import _native
from portrait.filters.bloom import BloomBuilder

WIDTH, STRIDE, FPR = 50, 25, 0.01


def with_pybloom(texts: list[str], n_keys: int) -> BloomFilter:
    """Fold white space, then cut and record windows, as a Python programmer would."""
    bloom = BloomFilter(capacity=n_keys, error_rate=FPR)
    for text in texts:
        spaced = " ".join(text.split())
        for start in range(0, len(spaced) - WIDTH + 1, STRIDE):
            bloom.add(spaced[start : start + WIDTH], skip_check=True)
    return bloom


def with_portrait(texts: pa.Array, n_keys: int) -> BloomBuilder:
    windows = _native.Windows("spaces", "char", WIDTH, "stride", STRIDE)
    keys = _native.Keys()
    validity, offsets, data = texts.buffers()
    keys.add_batch(windows, offsets, 8, data, validity, 0, len(texts))
    builder = BloomBuilder.for_keys(n_keys, FPR)
    builder.insert(keys)
    return builder


if __name__ == "__main__":
    texts = stdlib_texts(4_000_000)
    n_bytes = sum(map(len, texts))
    n_keys = n_bytes // STRIDE + len(texts)
    strings, array = [text.decode() for text in texts], pa.array(texts, pa.large_binary())
    peer = best_seconds(lambda: with_pybloom(strings, n_keys), runs=3)
    ours = best_seconds(lambda: with_portrait(array, n_keys), runs=7)
    report(
        "recording text, against Python + pybloom-live",
        f"{n_bytes / ours / 1e6:.0f} MB/s",
        ">= 30 x",
        f"{peer / ours:.0f} x its {n_bytes / peer / 1e6:.1f} MB/s, on one core each",
    )
