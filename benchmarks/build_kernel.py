"""Text → keys → Bloom from memory, on one core.

The bound is copying the same text once: no build can be faster than reading what it builds from.
What the time goes to, per stored window of ASCII text at the default stride of 25: finding and
folding white space (6 ns in prose, 15 ns in indented source code), XXH3 of 50 bytes (3 ns), and one
random cache line of the filter (2 ns where the filter fits the cache, 8 ns where it does not).
`loose` finds punctuation and capitals in the same way, and looks every character beyond ASCII up in a
table. Windows of ten words are of some sixty bytes, and spaces have to be found: twice, for where a
window begins and where it ends.

Last, texts that are made to take long: a normaliser that looked at what it has seen again, for every
mark or every space, would need four times as long for each byte of a text four times as long.
"""

from __future__ import annotations

import itertools

import pyarrow as pa
from common import best_seconds, mixed_texts, report, stdlib_texts

from portrait import _native
from portrait.filters.bloom import BloomBuilder
from portrait.spec import NORMALIZERS

#: What a text may be made of, over and over, that is not one mark, word or run too many.
GROWTH = {
    "marks": "\u0301",
    "marks in turn": "\u0301\u0323",
    "one word": "b",
    "NULs": "\0",
    "white space": " \t\n",
    "soft hyphens": "\u00ad",
    "ligatures of a sentence": "\ufdfa",
}
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


def measure(name: str, texts: list[bytes], normalizer: str, target: float, unit: str = "char") -> None:
    arrays = batches(texts)
    n_bytes = sum(map(len, texts))
    windows = _native.Windows(normalizer, unit, *((10, 5) if unit == "word" else (50, 25)))
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
        f"{name}, {normalizer}" + (f", {unit}s" if unit != "char" else ""),
        f"{n_bytes / seconds / 1e9:.2f} GB/s",
        f">= {target} GB/s",
        f"copying at {n_bytes / copy / 1e9:.1f} GB/s, {copy / seconds:.3f} of it reached",
    )


def seconds_per_byte(windows: _native.Windows, text: str) -> float:
    scanner = _native.Scanner(windows, [(_native.Filter.bloom([bytes(32)]), 0.0)])
    return best_seconds(lambda: scanner.scan(text), runs=3) / len(text.encode())


def measure_growth(name: str, piece: str) -> None:
    """The same over and over: time for each byte of 12 MB over that of 3 MB.

    Both need more memory than is kept from one text to the next: what getting it costs is in both.
    """
    pieces = -(-3_000_000 // len(piece.encode()))
    ratios = []
    for normalizer, unit in itertools.product(NORMALIZERS, ("char", "word")):
        windows = _native.Windows(normalizer, unit, 10, 5)
        long, short = ("a" + piece * n for n in (4 * pieces, pieces))
        ratios.append(seconds_per_byte(windows, long) / seconds_per_byte(windows, short))
    report(f"{name}: 12 MB / 3 MB", f"{max(ratios):.2f}", "<= 2", "1, of all normalisers and units")


if __name__ == "__main__":
    ascii_texts = stdlib_texts(40_000_000)
    print(f"text -> keys -> Bloom, one core, {sum(map(len, ascii_texts)) / 1e6:.0f} MB of ASCII source code")
    measure("ASCII", ascii_texts, "spaces", 0.7)
    measure("ASCII", ascii_texts, "none", 1.5)
    measure("ASCII", ascii_texts, "loose", 0.3)
    measure("ASCII", ascii_texts, "spaces", 0.3, "word")
    measure("ASCII", ascii_texts, "loose", 0.3, "word")
    mixed = mixed_texts(20_000_000)
    measure("mixed UTF-8", mixed, "spaces", 0.25)
    measure("mixed UTF-8", mixed, "loose", 0.08)
    measure("mixed UTF-8", mixed, "spaces", 0.08, "word")
    measure("mixed UTF-8", mixed, "loose", 0.08, "word")
    for name, piece in GROWTH.items():
        measure_growth(name, piece)
