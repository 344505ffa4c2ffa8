"""False answers: texts that share no stored window with the corpus, and are found all the same."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

from common import cutter, table
from corpora import normalise

from portrait import Stride, WindowSpec, _native
from portrait.evidence import stretch_evalue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from corpora import Corpus

    from portrait import Portrait
    from portrait.spec import FilterKind

THRESHOLDS = (0.1, 0.01, 0.001)
SPECS = (WindowSpec(), WindowSpec(50, Stride(25)))
#: The number of characters of a piece of real text.
PIECE_CHARS = 500


class Known:
    """The keys of all windows that the documents of a corpus store."""

    def __init__(self, spec: WindowSpec, documents: Iterable[str]) -> None:
        every = WindowSpec(spec.width, Stride(1), spec.unit, spec.normalizer)
        self._asking = cutter(spec if spec.span else every)
        keys = _native.Keys(documents="none")
        for document in documents:
            keys.add_text(cutter(spec), document)
        self._keys = set(memoryview(keys).cast("B").cast("Q"))

    def asked(self, text: str) -> memoryview:
        """Return the keys of the windows that a text of :data:`PIECE_CHARS` is asked with."""
        keys = _native.Keys(documents="none")
        keys.add_text(self._asking, text)
        return memoryview(keys).cast("B").cast("Q")

    def share(self, text: str) -> bool:
        """Return whether a text would hit a filter without false answers."""
        return not self._keys.isdisjoint(self.asked(text))


def random_words(documents: Sequence[str], n: int) -> list[str]:
    """Return texts of 80 random words of the corpus that share no stored window with it."""
    known = [Known(spec, documents) for spec in SPECS]
    words = " ".join(documents).split()
    dice = random.Random("random words")
    texts: list[str] = []
    while len(texts) < n:
        text = " ".join(dice.choices(words, k=80))
        if not any(keys.share(text) for keys in known):
            texts.append(text)
    return texts


def real_texts(corpus: Sequence[str], others: Iterable[str], n: int) -> Iterator[str]:
    """Yield up to ``n`` pieces of other documents that share no stored window with a corpus.

    Nor do they share one with each other, so that each has false answers of its own.
    """
    known = [Known(spec, corpus) for spec in SPECS]
    asked_before: set[int] = set()
    for document in others:
        text = normalise(document, SPECS[0])
        for start in range(0, len(text) - PIECE_CHARS + 1, PIECE_CHARS):
            piece = text[start : start + PIECE_CHARS]
            own = known[0].asked(piece)
            if any(keys.share(piece) for keys in known) or not asked_before.isdisjoint(own):
                continue
            asked_before.update(own)
            yield piece
            n -= 1
            if n == 0:
                return


class EValues(NamedTuple):
    """The E-values of the best chain and of the best stretch of each text."""

    chains: list[float]
    stretches: list[float]


def evalues(opened: Portrait, texts: Iterable[str]) -> EValues:
    """Ask about texts; infinity stands for no evidence at all."""
    got = EValues([], [])
    for text in texts:
        (evidence,) = opened.evidence(text)
        value, best = opened.query(text).evalue, evidence.scan.stretch
        got.chains.append(math.inf if value is None else value)
        got.stretches.append(math.inf if best is None else stretch_evalue(evidence.windows, 1, best.score))
    return got


def is_plausible(count: int, expected: float) -> bool:
    """Return whether one in a thousand counts with this expectation, or more, are as large.

    Texts are independent, so their count has about the tail of a Poisson distribution.
    """
    below = sum(math.exp(n * math.log(expected) - expected - math.lgamma(n + 1)) for n in range(count))
    return 1 - below >= 0.001


def measure(
    what: str, corpus: Corpus, texts: Sequence[str], filters: Sequence[tuple[FilterKind, float]]
) -> bool:
    """Count false answers about texts; return whether the threshold bears them out."""
    print(f"## False answers: {len(texts):,} {what}")
    rows: list[tuple[str, ...]] = []
    kept = True
    for kind, fpr in filters:
        for spec in SPECS:
            opened = corpus.build(spec, kind, fpr)
            got = evalues(opened, texts)
            name = f"{kind}, ε = {fpr:.4f}, {spec.sampling.gap_name} {spec.sampling.gap}"
            for answer, values in (("found", got.chains), ("approximate", got.stretches)):
                cells = []
                for threshold in THRESHOLDS:
                    n_false = sum(value <= threshold for value in values)
                    kept &= is_plausible(n_false, threshold * len(texts))
                    share = n_false / len(texts)
                    cells.append(f"{share:.5f} ({share / threshold:.2f} ×)")
                rows.append((name, answer, *cells))
    table(("filter", "answer", *(f"observed at {threshold}" for threshold in THRESHOLDS)), rows)
    return kept
