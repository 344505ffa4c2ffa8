"""Verbatim passages of exactly the detectable length, planted in random words: none may be missed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common import table
from corpora import noise, normalise

from portrait import Stride, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from corpora import Corpus

    from portrait import Portrait
    from portrait.answers.answer import Answer
    from portrait.spec import NormalizerName, Sampling, Unit

    #: What becomes of a passage before it is planted.
    Change = Callable[[str], str]

NORMALIZERS: tuple[NormalizerName, ...] = ("none", "spaces", "loose", "data-portraits")
UNITS: tuple[Unit, ...] = ("char", "byte", "word")
#: The least number of passages with the default sampling, over all normalisers and units.
LEAST_PASSAGES = 100_000


def spec_of(unit: Unit, normalizer: NormalizerName, *, by_stride: bool) -> WindowSpec:
    """Return the windows that are measured: of 50 characters or bytes, or of 13 words."""
    width, stride = (13, 5) if unit == "word" else (50, 25)
    sampling: Sampling | None = Stride(stride) if by_stride else None
    return WindowSpec(width, sampling, unit, normalizer)  # type: ignore[arg-type]  # the default sampling


@dataclass(frozen=True)
class Document:
    """A normalised document, cut into units."""

    units: Sequence[str] | str | bytes

    @classmethod
    def of(cls, text: str, spec: WindowSpec) -> Document:
        """Normalise a text and cut it into units."""
        normalised = normalise(text, spec)
        if spec.unit == "word":
            return cls(normalised.split())
        return cls(normalised if spec.unit == "char" else normalised.encode())

    def passage(self, position: float, n_units: int) -> str | None:
        """Return a passage of so many units, at a share of the document; ``None`` if that is too short.

        A passage of bytes begins and ends with whole characters, and so may be up to three bytes longer.
        """
        units = self.units
        start = int(position * (len(units) - n_units + 1))
        if len(units) < n_units:
            return None
        if isinstance(units, str):
            return units[start : start + n_units]
        if not isinstance(units, bytes):
            return " ".join(units[start : start + n_units])
        while units[start] & 0xC0 == 0x80:
            start -= 1
        end = start + n_units
        while end < len(units) and units[end] & 0xC0 == 0x80:
            end += 1
        return units[start:end].decode()


def ask(opened: Portrait, documents: Sequence[Document], dice: random.Random, change: Change) -> Answer:
    """Plant one passage of exactly the detectable length that its text has, and ask."""
    spec = opened.spec
    while True:
        before, after = noise(dice, dice.randint(1, 80)), noise(dice, dice.randint(1, 80))
        document, position = dice.choice(documents), dice.random()
        length = spec.guaranteed_length
        while True:
            passage = document.passage(position, length)
            # `data-portraits` can leave adjacent line feeds, which it joins if it is applied again.
            if passage is None or normalise(f"x{passage}x", spec) != f"x{passage}x":
                break
            answer = opened.query(f"{before} {change(passage)} {after}")
            assert answer.detectable_length is not None
            if answer.detectable_length == length:
                return answer
            # Another length makes another text, which may detect another one.
            if answer.detectable_length < length:
                break
            length = answer.detectable_length


@dataclass
class Recall:
    """The number of copies asked about, found, and inconclusive because they repeat themselves."""

    asked: int = 0
    found: int = 0
    repetitive: int = 0

    def add(self, answer: Answer) -> None:
        """Count one answer."""
        self.asked += 1
        self.found += answer.verdict == "found"
        # The answer for a passage that repeats itself may be inconclusive; see docs/answers.md.
        self.repetitive += answer.verdict == "inconclusive" and "repeats itself" in answer.reason

    @property
    def is_whole(self) -> bool:
        """Whether every copy was found that does not repeat itself."""
        return self.found + self.repetitive == self.asked

    @property
    def cells(self) -> tuple[str, str]:
        """The share found of the copies that do not repeat themselves, and the number of those that do."""
        return f"{self.found / (self.asked - self.repetitive):.4%}", str(self.repetitive)


def requoted(dice: random.Random) -> Change:
    """Return a function that changes capitals, line breaks, quotation marks and other punctuation."""

    def change(text: str) -> str:
        words = text.split(" ")
        return "".join(
            dice.choice((word, word.upper(), f"“{word}”", word.capitalize()))
            + dice.choice((" ", "\n", "\r\n  ", " – ", ", "))
            for word in words
        )

    return change


def measure(corpora: dict[str, Corpus], n: int) -> bool:
    """Measure recall of verbatim passages with every normaliser and unit; return whether it is 100 %."""
    rows: list[tuple[str, ...]] = []
    kept, n_by_content = True, 0
    for language, corpus in corpora.items():
        for normalizer in NORMALIZERS:
            for unit in UNITS:
                changes = ["as it was"] + ["other case, lines and quotes"] * (normalizer == "loose")
                results = {change: (Recall(), Recall()) for change in changes}
                for by_stride in (False, True):
                    spec = spec_of(unit, normalizer, by_stride=by_stride)
                    opened = corpus.build(spec, "bloom", 0.01)
                    documents = [Document.of(text, spec) for text in corpus.documents]
                    for name in changes:
                        dice = random.Random(f"{language} {normalizer} {unit} {name}")
                        change: Change = str if name == "as it was" else requoted(dice)
                        for _ in range(n):
                            results[name][by_stride].add(ask(opened, documents, dice, change))
                for name, (by_content, strided) in results.items():
                    kept &= by_content.is_whole and strided.is_whole
                    n_by_content += by_content.asked
                    place = f"{language}, `{normalizer}`, {spec.unit_name}"
                    rows.append((place, name, *by_content.cells, *strided.cells))
    print(f"## Verbatim passages of the detectable length: {n:,} in each cell, {n_by_content:,} in a column")
    header = ("corpus, normaliser, unit", "copy", "span: found", "repeats itself")
    table((*header, "stride: found", "repeats itself"), rows)
    return kept
