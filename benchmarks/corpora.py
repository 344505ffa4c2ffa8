"""The corpora of the accuracy benchmarks, and the portraits built from them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from common import cutter
from support.redisbloom_writer import write_windows

import portrait
from portrait import FilterSpec, WindowSpec

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from portrait import Portrait
    from portrait.spec import FilterKind


def english() -> list[str]:
    """Return documents in English, with their line breaks: Python's own language reference."""
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


def normalise(text: str, spec: WindowSpec) -> str:
    """Return the normalised text that windows are cut from."""
    return cutter(spec).normalize(text)[0]


def stored(text: str, spec: WindowSpec) -> Iterator[str]:
    """Yield the windows, of characters, that are stored for a document."""
    normalised = normalise(text, spec)
    for start in cutter(spec).stored(text):
        yield normalised[start : start + spec.width]


@dataclass
class Corpus:
    """Documents, and a scratch directory for the portraits built from them."""

    documents: list[str]
    folder: Path
    _n: int = field(default=0)

    def build(self, windows: WindowSpec, kind: FilterKind, fpr: float) -> Portrait:
        """Build a portrait of the documents."""
        self._n += 1
        path = self.folder / f"{self._n}.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in self.documents))
        out = path.with_suffix(".portrait")
        return portrait.build(path, out, windows=windows, filter=FilterSpec(kind, fpr))

    def write_redisbloom(self, windows: WindowSpec, fpr: float) -> Portrait:
        """Write the documents in the format of the original library, and open the file."""
        self._n += 1
        path = self.folder / f"{self._n}.{windows.width}-{windows.stride}.bf"
        cut = [piece for text in self.documents for piece in stored(text, windows)]
        write_windows(path, cut, fpr, windows.width)
        return portrait.open(path)
