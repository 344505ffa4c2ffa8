"""How many windows are stored and asked: observed beside the theory."""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

from accuracy_chance import PIECE_CHARS
from common import cutter, stdlib_texts, table
from corpora import english, noise, normalise

from portrait import Minimizer, Stride, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECS = (
    WindowSpec(),
    WindowSpec(50, Minimizer(24)),
    WindowSpec(50, unit="byte"),
    WindowSpec(25),
    WindowSpec(13, unit="word"),
)
#: The share of the theory by which an observed density may differ.
TOLERANCE = 0.03
#: The highest mean number of windows to ask about 500 characters.
MOST_ASKED = 20


def samples(n_bytes: int) -> dict[str, list[str]]:
    """Return texts to sample windows of: random ones and real ones."""
    dice = random.Random(4)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return {
        "random characters": ["".join(dice.choices(letters, k=n_bytes))],
        "random words": [noise(dice, n_bytes // 7)],
        "English": english(),
        "source code": [text.decode() for text in stdlib_texts(n_bytes)],
    }


def n_units(text: str, spec: WindowSpec) -> int:
    """Return the length of a normalised text, in units."""
    normalised = normalise(text, spec)
    if spec.unit == "word":
        return len(normalised.split())
    return len(normalised if spec.unit == "char" else normalised.encode())


def measure_density(texts: dict[str, list[str]]) -> bool:
    """Compare the share of windows that are stored with the theory; return whether it is met."""
    print("## Density: stored windows among all windows, repetitions included")
    rows: list[tuple[str, ...]] = []
    kept = True
    for spec in SPECS:
        theory = spec.density
        for name, documents in texts.items():
            if name == "random characters" and spec.unit == "word":
                continue  # they have no words
            # The first and last windows of short documents would count among the sampled ones.
            long_enough = [text for text in documents if n_units(text, spec) >= 20 * spec.guaranteed_length]
            stored = sum(len(cutter(spec).stored(text)) for text in long_enough)
            observed = stored / sum(n_units(text, spec) - spec.width + 1 for text in long_enough)
            kept &= abs(observed / theory - 1) <= TOLERANCE
            cut = f"{spec.width}/{spec.span} {spec.unit_name}"
            rows.append((cut, name, f"{observed:.5f}", f"{theory:.5f}", f"{observed / theory:.3f}"))
    table(("windows/span", "text", "observed", "theory", "ratio"), rows)
    return kept


def measure_asked(texts: dict[str, list[str]]) -> bool:
    """Count the windows asked about 500 characters; return whether they are few enough."""
    print(f"## Windows asked about {PIECE_CHARS} characters")
    specs = WindowSpec(), WindowSpec(50, Stride(25))
    rows: list[tuple[str, ...]] = []
    kept = True
    for name, documents in texts.items():
        asked: Sequence[list[int]] = [[], []]
        for document in documents:
            text = normalise(document, specs[0])
            for start in range(0, len(text) - PIECE_CHARS + 1, PIECE_CHARS):
                for spec, counts in zip(specs, asked, strict=True):
                    counts.append(len(cutter(spec).asked(text[start : start + PIECE_CHARS])))
        mean, most, all_windows = statistics.fmean(asked[0]), max(asked[0]), max(asked[1])
        kept &= mean <= MOST_ASKED and most <= all_windows
        rows.append((name, f"{len(asked[0]):,}", f"{mean:.1f}", str(most), str(all_windows)))
    table(("text", "pieces", "span 42, mean", "span 42, most", "stride 25, always"), rows)
    return kept
