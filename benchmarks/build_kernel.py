"""Text → keys → Bloom from memory, on one core.

The bound is copying the same text once: no build can be faster than reading what it builds from.
What the time goes to, per stored window of ASCII text at the default stride of 25: finding and
folding white space (6 ns in prose, 15 ns in indented source code), XXH3 of 50 bytes (3 ns), and one
random cache line of the filter (2 ns where the filter fits the cache, 8 ns where it does not).
"""

from __future__ import annotations

import pyarrow as pa
from common import best_seconds, mixed_texts, report, stdlib_texts

from portrait import _native
from portrait.filters.bloom import BloomBuilder

#: Texts go through in batches of this size, as they do in a build.
BATCH_BYTES = 1 << 22


def batches(texts: list[bytes]) -> list[pa.Array]:
    """The texts as Arrow arrays of about ``BATCH_BYTES`` each."""
    arrays: list[pa.Array] = []
    held: list[bytes] = []
    for text in texts:
        held.append(text)
        if sum(map(len, held)) >= BATCH_BYTES:
            arrays.append(pa.array(held, pa.large_binary()))
            held = []
    if held:
        arrays.append(pa.array(held, pa.large_binary()))
    return arrays


def measure(name: str, texts: list[bytes], normalizer: str, target: float) -> None:
    arrays = batches(texts)
    n_bytes = sum(map(len, texts))
    windows = _native.Windows(normalizer, "char", 50, 25)
    builder = BloomBuilder.for_keys(n_bytes // 25, 0.01)
    keys = _native.Keys()

    def build() -> None:
        for array in arrays:
            keys.clear()
            validity, offsets, data = array.buffers()
            keys.add_batch(windows, offsets, 8, data, validity, 0, len(array))
            builder.insert(keys)

    joined = b"".join(texts)
    copied = memoryview(bytearray(joined))

    def copy_text() -> None:
        copied[:] = joined

    copy = best_seconds(copy_text)
    seconds = best_seconds(build)
    report(
        f"{name}, {normalizer}",
        f"{n_bytes / seconds / 1e9:.2f} GB/s",
        f">= {target} GB/s",
        f"copying at {n_bytes / copy / 1e9:.1f} GB/s, {copy / seconds:.3f} of it reached",
    )


if __name__ == "__main__":
    ascii_texts = stdlib_texts(40_000_000)
    print(f"text -> keys -> Bloom, one core, {sum(map(len, ascii_texts)) / 1e6:.0f} MB of ASCII source code")
    measure("ASCII", ascii_texts, "spaces", 0.7)
    measure("ASCII", ascii_texts, "none", 1.5)
    measure("mixed UTF-8", mixed_texts(20_000_000), "spaces", 0.25)
