"""How often answers are right: the recall of copies, the rate of false answers, and the effect of edits.

Prints Markdown tables and exits with 1 if a promise is broken: if a verbatim passage of the detectable
length is not found, or if there are more false answers than the threshold allows. ``--small`` asks a
hundredth of the questions. The English text is Python's own language reference; the Chinese is random.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, NamedTuple

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from support.redisbloom_writer import write_windows

import portrait
from portrait import FilterSpec, Minimizer, Stride, WindowSpec, _native
from portrait.evidence import significant_chain, stretch_evalue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from portrait import Portrait
    from portrait.spec import FilterKind, NormalizerName, Unit

THRESHOLD = 0.01
THRESHOLDS = (0.1, 0.01, 0.001)
NORMALIZERS: tuple[NormalizerName, ...] = ("none", "spaces", "loose", "data-portraits")
UNITS: tuple[Unit, ...] = ("char", "byte", "word")
LENGTHS = (25, 50, 75, 100, 150, 200, 300, 400)
#: Lengths at which passages with many edits may still be found.
LONG = (1000, 2000, 4000)
EDIT_RATES = (0.0, 0.01, 0.02, 0.05)
CUTS = (
    WindowSpec(),
    WindowSpec(25, Minimizer(17)),
    WindowSpec(50, Stride(50)),
    WindowSpec(50, Stride(25)),
    WindowSpec(25, Stride(12)),
)


def english() -> list[str]:
    """Return documents in English, with their line breaks."""
    return [text for _, text in sorted(topics.items())]


def chinese(dice: random.Random) -> list[str]:
    """Return documents of random Chinese characters, in groups of two to six separated by spaces."""
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]
    return [
        "\u3000".join("".join(dice.choices(characters, k=dice.randint(2, 6))) for _ in range(500))
        for _ in range(100)
    ]


def noise(dice: random.Random, n_words: int) -> str:
    """Return random words that are in no corpus."""
    letters = "abcdefghijklmnoprstuvwyz"
    return " ".join("".join(dice.choices(letters, k=dice.randint(3, 9))) for _ in range(n_words))


@dataclass
class Corpus:
    """Documents, and a scratch directory for the portraits built from them."""

    documents: list[str]
    folder: Path
    _n: int = field(default=0)

    def build(self, windows: WindowSpec, kind: FilterKind | str, fpr: float) -> Portrait:
        """Build a portrait of the documents; "redisbloom" is the format of the original library."""
        self._n += 1
        if kind == "redisbloom":
            path = self.folder / f"{self._n}.{windows.width}-{windows.sampling.gap}.bf"
            cut = [piece for text in self.documents for piece in stored(text, windows)]
            write_windows(path, cut, fpr, windows.width)
            return portrait.open(path)
        path = self.folder / f"{self._n}.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in self.documents))
        out = path.with_suffix(".portrait")
        return portrait.build(path, out, windows=windows, filter=FilterSpec(kind, fpr))  # type: ignore[arg-type]


def kernel(spec: WindowSpec) -> _native.Windows:
    """Return the kernel's form of a window spec."""
    return _native.Windows(spec.normalizer, spec.unit, spec.width, spec.sampling.name, spec.sampling.gap)


def normalise(text: str, spec: WindowSpec) -> str:
    """Return the normalised text that windows are cut from."""
    return kernel(spec).normalize(text)[0]


def stored(text: str, spec: WindowSpec) -> Iterator[str]:
    """Yield the windows, of characters, that are stored for a document at a stride."""
    text = normalise(text, spec)
    last = len(text) - spec.width
    if last >= 0:
        yield from (text[i : i + spec.width] for i in range(0, last, spec.sampling.gap))
        yield text[last : last + spec.width]


class Cut(NamedTuple):
    """The units of a normalised document, and the function that joins units into text."""

    units: Sequence[str | int]
    join: Callable[[Sequence[str | int]], str]


def cut(text: str, unit: Unit) -> Cut:
    """Split a normalised document into units."""
    if unit == "word":
        return Cut(text.split(), lambda words: " ".join(map(str, words)))
    if unit == "char":
        return Cut(text, lambda chars: "".join(map(str, chars)))
    # Questions are text, so a character cut at either end of a passage of bytes is dropped.
    return Cut(text.encode(), lambda data: bytes(map(int, data)).decode(errors="ignore"))


def longest_needed(opened: Portrait, n_around: int) -> int:
    """Return the number of units from which a passage is always found within ``n_around`` others.

    It allows for all windows of the text to be asked.
    """
    spec, fpr = opened.spec, opened.evidence("")[0].fpr
    needed = spec.guaranteed_length
    while True:
        # Two spaces separate the passage from the text around it.
        n_windows = n_around + needed + 2 - spec.width + 1
        chain = significant_chain(max(1, n_windows), 1, fpr, THRESHOLD)
        assert chain is not None
        longer = spec.length_holding(chain)
        if longer <= needed:
            return needed
        needed = longer


@dataclass
class Recall:
    """The number of copies asked about, found, and inconclusive because they repeat themselves."""

    asked: int = 0
    found: int = 0
    repetitive: int = 0


def verbatim(
    opened: Portrait, documents: Sequence[str], n: int, dice: random.Random, change: Callable[[str], str]
) -> Recall:
    """Plant ``n`` passages of the detectable length, changed by ``change``, in random words."""
    spec = opened.spec
    pieces = [cut(normalise(text, spec), spec.unit) for text in documents]
    result = Recall()
    while result.asked < n:
        before, after = noise(dice, dice.randint(1, 80)), noise(dice, dice.randint(1, 80))
        around = len(before) + len(after) if spec.unit != "word" else len((before + " " + after).split())
        # Allow for characters dropped at either end of a passage of bytes, and for trimmed spaces.
        more = 0 if spec.unit == "word" else 8
        length = longest_needed(opened, around + more) + more
        piece = dice.choice(pieces)
        if len(piece.units) < length:
            continue
        start = dice.randint(0, len(piece.units) - length)
        passage = piece.join(piece.units[start : start + length])
        answer = opened.query(f"{before} {change(passage)} {after}")
        result.asked += 1
        result.found += answer.verdict == "found"
        # The answer for a passage that repeats itself may be inconclusive; see docs/answers.md.
        result.repetitive += answer.verdict == "inconclusive" and "repeats itself" in answer.reason
    return result


def requoted(dice: random.Random) -> Callable[[str], str]:
    """Return a function that changes capitals, line breaks, quotation marks and other punctuation."""

    def change(text: str) -> str:
        words = text.split(" ")
        return "".join(
            dice.choice((word, word.upper(), f"“{word}”", word.capitalize()))
            + dice.choice((" ", "\n", "\r\n  ", " – ", ", "))
            for word in words
        )

    return change


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


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print("\n| " + " | ".join(header) + " |")
    print("|" + "|".join("---" if i == 0 else "---:" for i in range(len(header))) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def measure_guarantee(corpora: dict[str, Corpus], n: int) -> bool:
    """Measure recall of verbatim passages with every normaliser and unit; return whether it is 100 %."""
    print(f"## Verbatim passages of the detectable length: {n} in each row")
    rows, kept = [], True
    for language, corpus in corpora.items():
        for normalizer in NORMALIZERS:
            for unit in UNITS:
                width = 13 if unit == "word" else 50
                opened = corpus.build(WindowSpec(width, unit=unit, normalizer=normalizer), "bloom", 0.01)
                cuts = f"{width}/{opened.spec.sampling.gap} {opened.spec.unit_name}"
                dice = random.Random(f"{language} {normalizer} {unit}")
                changes: dict[str, Callable[[str], str]] = {"as it was": lambda text: text}
                if normalizer == "loose":
                    changes["other case, lines and quotes"] = requoted(dice)
                for name, change in changes.items():
                    got = verbatim(opened, corpus.documents, n, dice, change)
                    whole = got.found + got.repetitive == got.asked
                    kept &= whole
                    rows.append(
                        (
                            f"{language}, `{normalizer}`, {cuts}",
                            name,
                            f"{got.found / (got.asked - got.repetitive):.4%}",
                            str(got.repetitive),
                        )
                    )
    table(("corpus, normaliser, windows", "copy", "found", "inconclusive: repeats itself"), rows)
    return kept


def measure_chance(corpus: Corpus, n: int) -> bool:
    """Count false answers about texts that share no stored window; return whether they are few enough."""
    print(f"## False answers: {n} texts of 80 words that share no stored window with the corpus")
    spec = WindowSpec()
    keys = _native.Keys(documents="none")
    for document in corpus.documents:
        keys.add_text(kernel(spec), document)
    known = set(memoryview(keys).cast("B").cast("Q"))
    every = _native.Windows(spec.normalizer, spec.unit, spec.width, "stride", 1)
    words = " ".join(corpus.documents).split()
    rows, kept = [], True
    for kind, fpr in (("bloom", 0.01), ("bloom", 0.001), ("ribbon", 0.01), ("bloom", 0.1)):
        opened = corpus.build(spec, kind, fpr)
        dice = random.Random(f"{kind} {fpr}")
        chains: list[float] = []
        stretches: list[float] = []
        while len(chains) < n:
            text = " ".join(dice.choices(words, k=80))
            own = _native.Keys(documents="none")
            own.add_text(every, text)
            if not known.isdisjoint(memoryview(own).cast("B").cast("Q")):
                continue
            (evidence,) = opened.evidence(text)
            answer = opened.query(text)
            chains.append(math.inf if answer.evalue is None else answer.evalue)
            best = evidence.scan.stretch
            stretches.append(math.inf if best is None else stretch_evalue(evidence.windows, 1, best.score))
        for name, values in (("found", chains), ("approximate", stretches)):
            shares = [sum(value <= threshold for value in values) / n for threshold in THRESHOLDS]
            # Allow three standard deviations of a binomial count.
            kept &= all(
                share <= threshold + 3 * math.sqrt(threshold / n)
                for share, threshold in zip(shares, THRESHOLDS, strict=True)
            )
            rows.append(
                (f"{kind}, ε = {opened.evidence('')[0].fpr:.4f}", name, *(f"{s:.5f}" for s in shares))
            )
    table(("filter", "answer", *(f"observed at {threshold}" for threshold in THRESHOLDS)), rows)
    return kept


def recall(
    opened: Portrait, texts: Sequence[str], length: int, rate: float, n: int, dice: random.Random
) -> str:
    """Return the shares of ``n`` edited passages: found; found or noticed as a copy with edits."""
    found = noticed = 0
    long_enough = [text for text in texts if len(text) >= length]
    for _ in range(n):
        text = dice.choice(long_enough)
        start = dice.randint(0, len(text) - length)
        copy = edited(text[start : start + length], rate, dice)
        answer = opened.query(f"{noise(dice, 110)} {copy} {noise(dice, 110)}")
        found += answer.verdict == "found"
        noticed += answer.verdict == "found" or answer.layers[0].approximate is not None
    shown, all_shown = f"{found / n:.0%}", f"{noticed / n:.0%}"
    return shown if shown == all_shown else f"{shown} ({all_shown})"


def measure_recall(
    corpus: Corpus,
    n: int,
    *,
    cuts: Sequence[WindowSpec] = CUTS,
    lengths: Sequence[int] = LENGTHS,
    rates: Sequence[float] = EDIT_RATES,
) -> None:
    """Measure recall by length and edit rate, for the given windows."""
    print(f"## Recall by length and edits: {n} passages in each cell, in 1,500 characters of other text")
    print("\nShare found; in brackets, found or noticed as a copy with edits.")
    for cut_ in cuts:
        name, gap = cut_.sampling.name, cut_.sampling.gap
        rows = []
        for kind, fpr in (("bloom", 0.01), ("ribbon", 0.01), ("redisbloom", 0.001)):
            if kind == "redisbloom" and name != "stride":
                continue
            normalizer: NormalizerName = "data-portraits" if kind == "redisbloom" else "spaces"
            spec = replace(cut_, normalizer=normalizer)
            opened = corpus.build(spec, kind, fpr)
            texts = [normalise(text, spec) for text in corpus.documents]
            for rate in rates:
                dice = random.Random(f"{kind} {rate}")
                cells = [recall(opened, texts, length, rate, n, dice) for length in lengths]
                rows.append((f"{kind}, {rate:.0%} edited", *cells))
        how = f"every {gap}" if name == "stride" else f"sampled with a span of {gap}"
        print(f"\nWindows of {cut_.width} characters, {how}:")
        table(("filter, edits", *(f"{length}" for length in lengths)), rows)


if __name__ == "__main__":
    share = 100 if "--small" in sys.argv[1:] else 1
    with tempfile.TemporaryDirectory() as scratch:
        both = {}
        for name, documents in (("English", english()), ("Chinese", chinese(random.Random(1)))):
            folder = Path(scratch, name)
            folder.mkdir()
            both[name] = Corpus(documents, folder)
        kept = measure_guarantee(both, 10_000 // share)
        kept &= measure_chance(both["English"], 100_000 // share)
        measure_recall(both["English"], 1000 // share)
        measure_recall(
            both["English"], 300 // min(share, 30), cuts=CUTS[:1], lengths=LONG, rates=(0.02, 0.05, 0.1)
        )
    print("Every promise was kept." if kept else "A promise was broken.")
    sys.exit(not kept)
