"""What a portrait gives away: attacks by someone who holds it, and nothing else of the corpus.

Three of them: rebuilding text from one window that is known, guessing the whole text of short documents, and
guessing the one field of a form letter that is unknown. It prints every number of docs/privacy.md.
"""

from __future__ import annotations

import heapq
import math
import random
import string
import sys
import tempfile
import warnings
from array import array
from collections import Counter, defaultdict
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

import datasets
import xxhash
from accuracy import table

import portrait
from portrait.disclosure import least_gap
from portrait.spec import Stride, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.filters.protocols import Filter

#: The strides to attack, at windows of 50 characters.
STRIDES = (1, 2, 4, 8, least_gap(WindowSpec(50, Stride(25))), 25)
#: The number of characters to rebuild, after those of the window that is known.
TARGET_CHARS = 200
#: The number of continuations to ask the filter about before giving up, from one stored window to the next.
MAX_GUESSES = 400
#: The same for each of the texts that the attacker follows, at least: more than there are characters.
MIN_GUESSES = 120
#: The number of contexts whose next characters are kept in memory.
MAX_KNOWN = 20_000
#: The number of characters from which the attacker's model predicts the next one.
ORDER = 6
#: The characters of English text.
PRINTABLE = [char for char in string.printable if char == " " or not char.isspace()]
#: The number of likely texts that the attacker follows at a time.
BEAM = 4
#: The number of likely next characters that the attacker considers where there are many texts.
BRANCHES = 8


class Model:
    """The attacker's knowledge of the language: which character follows the last few, from other texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._next: list[defaultdict[str, Counter[str]]] = [defaultdict(Counter) for _ in range(ORDER + 1)]
        for text in texts:
            for at, char in enumerate(text):
                for order in range(min(at, ORDER) + 1):
                    self._next[order][text[at - order : at]][char] += 1
        self._known: dict[str, list[tuple[float, str]]] = {}

    def following(self, context: str) -> list[tuple[float, str]]:
        """Return each character that may follow, with minus the logarithm of its probability."""
        context = context[-ORDER:]
        known = self._known.get(context)
        if known is None:
            # Any character may follow, even where the other texts never have it.
            weights = defaultdict(float, dict.fromkeys(PRINTABLE, 1e-6))
            for order in range(len(context) + 1):
                # Each longer context outweighs the shorter ones where it has been seen often.
                counts = self._next[order].get(context[len(context) - order :])
                if counts:
                    total = counts.total()
                    kept = 1 / (1 + len(counts) / total * 4)
                    for char in weights:
                        weights[char] *= 1 - kept
                    for char, n in counts.items():
                        weights[char] += kept * n / total
            whole = sum(weights.values())
            known = sorted((-math.log(weight / whole), char) for char, weight in weights.items())
            if len(self._known) > MAX_KNOWN:
                self._known.clear()
            self._known[context] = known
        return known

    def continuations(self, text: str, n_chars: int, n: int) -> list[tuple[float, str]]:
        """Return ``n`` likely continuations of ``n_chars`` characters, by a beam search."""
        beam = [(0.0, "")]
        for _ in range(n_chars):
            longer = [
                (cost + step, more + char)
                for cost, more in beam
                for step, char in self.following(text + more)[: n if len(beam) < BRANCHES else BRANCHES]
            ]
            beam = heapq.nsmallest(n, longer)
        return beam


def key(text: str, seed: int = 0) -> int:
    """Return the key of a window, or with seed 1 of a document."""
    return xxhash.xxh3_64_intdigest(text.encode(), seed=seed)


def asked(filter_: Filter, keys: Sequence[int]) -> bytes:
    """Ask a filter about keys."""
    packed = array("Q", keys)
    if sys.byteorder == "big":
        packed.byteswap()
    return filter_.contains(packed)


class Attack:
    """Rebuilds the text behind a window that is known."""

    def __init__(self, filter_: Filter, model: Model, spec: WindowSpec) -> None:
        self._filter, self._model, self._spec = filter_, model, spec
        self.calls = self.look_ups = 0

    def rebuild(self, known: str) -> str:
        """Return what the attacker believes to follow ``known``, the text of a stored window."""
        width, stride = self._spec.width, self._spec.sampling.gap
        beam = [(0.0, known)]
        while len(beam[0][1]) < len(known) + TARGET_CHARS:
            n_each = max(MIN_GUESSES, MAX_GUESSES // len(beam))
            guesses = [
                (cost + step, text + more)
                for cost, text in beam
                for step, more in self._model.continuations(text, stride, n_each)
            ]
            held = asked(self._filter, [key(text[-width:]) for _, text in guesses])
            self.calls += 1
            self.look_ups += len(guesses)
            survivors = [guess for guess, hit in zip(guesses, held, strict=True) if hit]
            if not survivors:
                break
            beam = heapq.nsmallest(BEAM, survivors)
        return beam[0][1][len(known) :]


def right_chars(guess: str, truth: str) -> int:
    """Return how many characters of a guess are right before the first wrong one."""
    n = 0
    while n < min(len(guess), len(truth)) and guess[n] == truth[n]:
        n += 1
    return n


def built(texts: Sequence[str], where: Path, **options: object) -> portrait.Portrait:
    """Build the portrait of some texts."""
    rows = datasets.Dataset.from_dict({"text": list(texts)})
    return portrait.build(rows, where, overwrite=True, **options)  # type: ignore[arg-type]


def measure_rebuilding(n_runs: int, where: Path) -> None:
    """Rebuild text from a known window, at several strides."""
    print(f"## Rebuilding {TARGET_CHARS} characters of text from one window: {n_runs} runs in each row")
    texts = [" ".join(text.split()) for _, text in sorted(topics.items())]
    # Half of the reference is the corpus; the attacker knows the other half, and so the language.
    corpus, other = texts[::2], texts[1::2]
    other = [text[:4000] for text in other]
    model = Model(other)
    rows = []
    for stride in STRIDES:
        spec = WindowSpec(50, Stride(stride))
        opened = built(corpus, where / "rebuilding", windows=spec)
        dice = random.Random(1)
        whole = right = calls = look_ups = 0
        for _ in range(n_runs):
            text = dice.choice([one for one in corpus if len(one) > 1000])
            start = dice.randrange(0, (len(text) - 400) // stride) * stride
            attack = Attack(opened.filter("main"), model, spec)
            guess = attack.rebuild(text[start : start + 50])[:TARGET_CHARS]
            n = right_chars(guess, text[start + 50 : start + 50 + TARGET_CHARS])
            whole += n == TARGET_CHARS
            right += n
            calls += attack.calls
            look_ups += attack.look_ups
        rows.append(
            (
                str(stride),
                f"{whole} of {n_runs}",
                f"{right / n_runs:.0f}",
                f"{calls / n_runs:.0f}",
                f"{look_ups / n_runs:,.0f}",
            )
        )
    table(("stride", "rebuilt to the end", "right characters", "filter calls", "look-ups"), rows)


def measure_short_documents(n_rows: int, where: Path) -> None:
    """Guess telephone numbers that are the whole text of a row."""
    print(f"## Guessing rows: {n_rows:,} telephone numbers, among {100 * n_rows:,} that are asked")
    numbers = [f"0221 {number:07}" for number in range(100 * n_rows)]
    inside = set(random.Random(2).sample(numbers, n_rows))
    rows = []
    for name, short in (("as a rule", False), ("with short documents recorded", True)):
        opened = built(sorted(inside), where / "rows", short_documents=short)
        held = asked(opened.filter("main"), [key(number, 1) for number in numbers])
        true = sum(hit for number, hit in zip(numbers, held, strict=True) if number in inside)
        false = sum(held) - true
        rows.append((name, f"{true / n_rows:.1%}", f"{false / (len(numbers) - n_rows):.1%}"))
    table(("portrait", "right guesses confirmed", "wrong guesses confirmed"), rows)


def measure_form_letters(n_letters: int, where: Path) -> None:
    """Guess the one field of a form letter that is not known."""
    print(f"## Guessing a field: {n_letters} form letters, of which all but five digits is known")

    def letter(customer: int, amount: int) -> str:
        return (
            f"Dear customer number {customer:05}, we confirm that your application has been accepted. The "
            f"loan that you have taken out with our branch amounts to {amount:05} crowns, to be paid back in "
            "twelve instalments, the first of which is due on the last day of the coming month."
        )

    dice = random.Random(3)
    amounts = {dice.randrange(10**5): dice.randrange(10**5) for _ in range(n_letters)}
    rows = []
    for stride in (25, 50, 200):
        spec = WindowSpec(50, Stride(stride))
        opened = built([letter(*pair) for pair in amounts.items()], where / "letters", windows=spec)
        filter_ = opened.filter("main")
        named = left = 0
        for customer, amount in amounts.items():
            candidates = list(range(10**5))
            texts = {guess: letter(customer, guess) for guess in candidates}
            length = len(texts[amount])
            starts = sorted({*range(0, length - 49, stride), length - 50})
            for start in starts:
                held = asked(filter_, [key(texts[guess][start : start + 50]) for guess in candidates])
                candidates = [guess for guess, hit in zip(candidates, held, strict=True) if hit]
            held = asked(filter_, [key(texts[guess], 1) for guess in candidates])
            candidates = [guess for guess, hit in zip(candidates, held, strict=True) if hit]
            assert amount in candidates
            named += candidates == [amount]
            left += len(candidates)
        rows.append((str(stride), f"{named} of {len(amounts)}", f"{left / len(amounts):,.1f}"))
    table(("stride", "amounts named for certain", "amounts left, on average"), rows)


if __name__ == "__main__":
    small = "--small" in sys.argv[1:]
    warnings.simplefilter("ignore", portrait.DisclosureWarning)  # the subject of this script
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as scratch:
        measure_rebuilding(1 if small else 8, Path(scratch))
        measure_short_documents(100 if small else 1000, Path(scratch))
        measure_form_letters(1 if small else 20, Path(scratch))
