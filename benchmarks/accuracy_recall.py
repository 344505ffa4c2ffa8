"""Recall of shorter and of edited passages: the default sampling beside strides, on the same texts."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

from common import table
from corpora import noise, normalise

from portrait import Minimizer, Stride, WindowSpec
from portrait.answers.judge import DEFAULT_EVALUE
from portrait.evidence import significant_chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from corpora import Corpus

    from portrait import Portrait
    from portrait.spec import FilterKind

#: The windows that are compared: width, stride and span.
PAIRS = ((50, 25, 42), (25, 12, 17))
#: Files of the original library: width and stride.
ORIGINALS = ((50, 50), (50, 25), (25, 12))
LENGTHS = (100, 125, 133, 150, 200, 300, 500, 1000)
EDIT_RATES = (0.0, 0.01, 0.02, 0.05)
#: Lengths at which passages with many edits may still be found, and their edit rates.
LONG_LENGTHS, LONG_RATES = (1000, 2000, 4000), (0.02, 0.05, 0.1)
#: The number of characters of other text around a passage.
AROUND_CHARS = 1500
#: From this length on the default sampling recognises at least as many passages as a stride.
COMPARED_CHARS = 133


class Outcome(NamedTuple):
    """Whether a passage was found; and whether it was found or noticed as a copy with edits."""

    found: bool
    noticed: bool


def edited(text: str, rate: float, dice: random.Random) -> str:
    """Replace, remove or put a character before each character, with probability ``rate`` in all."""
    out = []
    for char in text:
        kind = dice.random()
        if kind >= rate:
            out.append(char)
        elif kind < rate / 3:
            out.append(dice.choice("etaoinshr"))
        elif kind < 2 * rate / 3:
            out.append(dice.choice("etaoinshr") + char)
    return "".join(out)


def copies(texts: Sequence[str], length: int, rate: float, n: int) -> Iterator[str]:
    """Yield ``n`` texts of 1,500 characters around an edited passage; always the same ones."""
    dice = random.Random(f"{length} {rate}")
    long_enough = [text for text in texts if len(text) >= length]
    for _ in range(n):
        text = dice.choice(long_enough)
        start = dice.randint(0, len(text) - length)
        copy = edited(text[start : start + length], rate, dice)
        yield f"{noise(dice, 110)} {copy} {noise(dice, 110)}"


def ask(opened: Portrait, text: str) -> Outcome:
    """Ask about one text."""
    answer = opened.query(text)
    found = answer.verdict == "found"
    return Outcome(found, found or answer.layers[0].approximate is not None)


def cell(outcomes: Sequence[Outcome]) -> str:
    """Return the shares of passages, found and noticed, as a cell of a table."""
    found, noticed = (f"{sum(one) / len(outcomes):.0%}" for one in zip(*outcomes, strict=True))
    return found if found == noticed else f"{found} ({noticed})"


def is_below(first: Sequence[bool], second: Sequence[bool]) -> bool:
    """Return whether the first of two portraits recognises fewer of the same passages than the second.

    Only passages count that one of them misses (McNemar's test), and three standard deviations are allowed.
    """
    lost = sum(b and not a for a, b in zip(first, second, strict=True))
    gained = sum(a and not b for a, b in zip(first, second, strict=True))
    return lost - gained > 3 * math.sqrt(lost + gained)


def needed_windows(opened: Portrait, n_chars: int) -> int:
    """Return how many windows in a row are evidence in a text of so many characters."""
    n_windows = opened.spec.typical_windows(n_chars)
    needed = significant_chain(n_windows, 1, opened.layers[0].fpr, DEFAULT_EVALUE)
    assert needed is not None
    return needed


def compare(
    corpus: Corpus,
    kind: tuple[FilterKind, float],
    pair: tuple[int, int, int],
    n: int,
    *,
    lengths: Sequence[int] = LENGTHS,
    rates: Sequence[float] = EDIT_RATES,
) -> bool:
    """Print the recall of two samplings; return whether the default one keeps up with the stride.

    It finds as many passages wherever it needs fewer windows in a row than the stride, and finds or notices
    as many everywhere.
    """
    width, stride, span = pair
    specs = WindowSpec(width, Stride(stride)), WindowSpec(width, Minimizer(span))
    strided, chosen = (corpus.build(spec, *kind) for spec in specs)
    texts = [normalise(text, chosen.spec) for text in corpus.documents]
    rows: list[tuple[str, ...]] = []
    remarks: list[str] = []
    kept = True
    for length in lengths:
        cells: list[str] = []
        needed = [needed_windows(opened, AROUND_CHARS + length) for opened in (chosen, strided)]
        for rate in rates:
            answers = [(ask(strided, text), ask(chosen, text)) for text in copies(texts, length, rate, n)]
            by_stride, by_content = ([pair[i] for pair in answers] for i in range(2))
            cells += cell(by_stride), cell(by_content)
            if length < COMPARED_CHARS:
                continue
            found, noticed = (
                is_below([one[i] for one in by_content], [one[i] for one in by_stride]) for i in range(2)
            )
            kept &= not noticed and not (found and needed[0] < needed[1])
            if found or noticed:
                what = "notices" if noticed else "finds"
                remarks.append(
                    f"{length} characters, {rate:.0%} edited: the span of {span} {what} less than the stride "
                    f"of {stride}, with {needed[0]} and {needed[1]} windows in a row as evidence."
                )
        rows.append((str(length), *cells))
    print(f"\nWindows of {width} characters, {kind[0]}, ε = {chosen.layers[0].fpr:.4f}:")
    headings = (
        f"{rate:.0%} edited, {name}" for rate in rates for name in (f"stride {stride}", f"span {span}")
    )
    table(("length", *headings), rows)
    if remarks:
        print("\n\n".join(remarks), end="\n\n")
    return kept


def originals(corpus: Corpus, n: int) -> None:
    """Print the recall with files of the original library."""
    rows = []
    for width, stride in ORIGINALS:
        spec = WindowSpec(width, Stride(stride), normalizer="data-portraits")
        opened = corpus.write_redisbloom(spec, 0.001)
        texts = [normalise(text, spec) for text in corpus.documents]
        for rate in EDIT_RATES:
            cells = (
                cell([ask(opened, text) for text in copies(texts, length, rate, n)]) for length in LENGTHS
            )
            rows.append((f"{width}/{stride}, {rate:.0%} edited", *cells))
    print("\nFilters of the original library (`redisbloom`), ε = 0.001:")
    table(("windows/stride, edits", *map(str, LENGTHS)), rows)


def measure(corpus: Corpus, kinds: Sequence[tuple[FilterKind, float]], n: int, n_long: int) -> bool:
    """Print the recall by length and edits; return whether the default sampling is nowhere below strides."""
    print(f"## Recall by length and edits: {n:,} passages in each cell, in 1,500 characters of other text")
    print("\nShare found; in brackets, found or noticed as a copy with edits.")
    kept = True
    for pair in PAIRS:
        for kind in kinds:
            kept &= compare(corpus, kind, pair, n)
    originals(corpus, n)
    print(f"## Recall of long passages: {n_long:,} in each cell, in 1,500 characters of other text")
    for kind in kinds:
        kept &= compare(corpus, kind, PAIRS[0], n_long, lengths=LONG_LENGTHS, rates=LONG_RATES)
    return kept
