"""Text → keys, and → Bloom filter, from memory, on one core.

The bound is copying the same text once: no build can be faster than reading its input.
Where the time goes, per stored window of ASCII text at a stride of 25: finding and folding white space
(6 ns in prose, 15 ns in indented source code), XXH3 of 50 bytes (3 ns), and one random cache line of the
filter (2 ns if the filter fits the cache, 8 ns if not). Sampling by content takes another 0.9 ns a
character: 0.2 for the orders of its t-grams, the rest for the searches of the smallest one, whose branches
cannot be predicted when it changes. `loose` finds punctuation and capitals in the same
way, and looks up every non-ASCII character in a table. A window of ten words has about sixty bytes, and
its spaces have to be found twice: for where a window begins and for where it ends.

The last part measures adversarial texts: a normaliser that looked back over its input for every mark or
every space would take four times as long per byte for a text four times as long.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pyarrow as pa
from common import best_seconds, mixed_texts, report, stdlib_texts

from portrait import _native
from portrait.filters.bloom import BloomBuilder
from portrait.spec import NORMALIZERS

if TYPE_CHECKING:
    from collections.abc import Callable

#: Pieces that are repeated to make texts that a quadratic algorithm would be slow on.
GROWTH = {
    "marks": "\u0301",
    "marks in turn": "\u0301\u0323",
    "one word": "b",
    "NULs": "\0",
    "white space": " \t\n",
    "soft hyphens": "\u00ad",
    "ligatures of a sentence": "\ufdfa",
}
#: The size of batches in a build.
BATCH_BYTES = 1 << 22


def batches(texts: list[bytes]) -> list[pa.Array]:
    """Return the texts as Arrow arrays of about ``BATCH_BYTES`` each."""
    arrays: list[pa.Array] = []
    batch: list[bytes] = []
    for text in texts:
        batch.append(text)
        if sum(map(len, batch)) >= BATCH_BYTES:
            arrays.append(pa.array(batch, pa.large_binary()))
            batch = []
    if batch:
        arrays.append(pa.array(batch, pa.large_binary()))
    return arrays


#: The cuts that are measured: by content (the default), and at a stride.
CUTS = {
    "char": ((50, "minimizer", 42), (50, "stride", 25)),
    "word": ((10, "minimizer", 8), (10, "stride", 5)),
}


def measure(
    name: str, texts: list[bytes], normalizer: str, targets: tuple[float, float], unit: str = "char"
) -> None:
    for cut, target in zip(CUTS[unit], targets, strict=True):
        measure_cut(name, texts, normalizer, target, unit, cut)


def measure_cut(
    name: str, texts: list[bytes], normalizer: str, target: float, unit: str, cut: tuple[int, str, int]
) -> None:
    arrays = batches(texts)
    n_bytes = sum(map(len, texts))
    windows = _native.Windows(normalizer, unit, *cut)
    builder = BloomBuilder.for_keys(n_bytes // 25, 0.01)
    keys = _native.Keys()

    def make_keys(insert: Callable[[_native.Keys], None] | None = None) -> None:
        for array in arrays:
            keys.clear()
            validity, offsets, data = array.buffers()
            keys.add_batch(windows, offsets, 8, data, validity, 0, len(array))
            if insert is not None:
                insert(keys)

    joined = b"".join(texts)
    copied = memoryview(bytearray(joined))

    def copy_text() -> None:
        copied[:] = joined

    copy = best_seconds(copy_text)
    seconds = best_seconds(make_keys)
    with_filter = best_seconds(lambda: make_keys(builder.insert))
    report(
        f"{name}, {normalizer}, {cut[1]}" + (f", {unit}s" if unit != "char" else ""),
        f"{n_bytes / seconds / 1e9:.2f} GB/s",
        f">= {target} GB/s",
        f"copying at {n_bytes / copy / 1e9:.1f} GB/s, {copy / seconds:.3f} of it reached; with the filter "
        f"{n_bytes / with_filter / 1e9:.2f} GB/s",
    )


def seconds_per_byte(windows: _native.Windows, text: str) -> float:
    scanner = _native.Scanner(windows, [(_native.Filter.bloom([bytes(32)]), 0.0)])
    return best_seconds(lambda: scanner.scan(text), runs=3) / len(text.encode())


def measure_growth(name: str, piece: str) -> None:
    """Report the time per byte of 12 MB of a repeated piece, relative to 3 MB.

    Both sizes exceed the buffers kept between texts, so that both times include allocation.
    """
    pieces = -(-3_000_000 // len(piece.encode()))
    ratios = []
    for normalizer, unit in itertools.product(NORMALIZERS, ("char", "word")):
        windows = _native.Windows(normalizer, unit, 10, "minimizer", 2)
        long, short = ("a" + piece * n for n in (4 * pieces, pieces))
        ratios.append(seconds_per_byte(windows, long) / seconds_per_byte(windows, short))
    report(f"{name}: 12 MB / 3 MB", f"{max(ratios):.2f}", "<= 2", "1; the worst of all normalisers and units")


if __name__ == "__main__":
    ascii_texts = stdlib_texts(40_000_000)
    print(f"text -> keys, one core, {sum(map(len, ascii_texts)) / 1e6:.0f} MB of ASCII source code")
    measure("ASCII", ascii_texts, "spaces", (0.6, 0.7))
    measure("ASCII", ascii_texts, "none", (0.8, 1.5))
    measure("ASCII", ascii_texts, "loose", (0.3, 0.3))
    measure("ASCII", ascii_texts, "spaces", (0.2, 0.3), "word")
    measure("ASCII", ascii_texts, "loose", (0.2, 0.3), "word")
    mixed = mixed_texts(20_000_000)
    measure("mixed UTF-8", mixed, "spaces", (0.25, 0.25))
    measure("mixed UTF-8", mixed, "loose", (0.08, 0.08))
    measure("mixed UTF-8", mixed, "spaces", (0.08, 0.08), "word")
    measure("mixed UTF-8", mixed, "loose", (0.08, 0.08), "word")
    for name, piece in GROWTH.items():
        measure_growth(name, piece)
