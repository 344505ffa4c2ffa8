"""A corpus of text in several scripts, for comparisons with the pybloom-live package."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING, Any

import portrait

if TYPE_CHECKING:
    from pathlib import Path


#: White space and words in several scripts, so that windows have characters of one to four bytes.
TEXT = "The ferry to Σύρος left at noon; 京都 sent rain, Köln sent fog, and 🚢 nobody minded at all. "


WINDOWS = portrait.WindowSpec(sampling=portrait.Stride(25))


def saved(bloom: Any) -> bytes:
    """Return the file that the pybloom-live package saves for a filter."""
    file = io.BytesIO()
    bloom.tofile(file)
    return file.getvalue()


def stored_windows(text: str) -> set[str]:
    """Return the windows that a document of this text stores."""
    text = " ".join(text.split())
    last = len(text) - WINDOWS.width
    return {text[i : i + WINDOWS.width] for i in [*range(0, last, WINDOWS.sampling.gap), last]}


def documents() -> list[str]:
    """Return random documents, some of them repeated and one too short for a window."""
    dice = random.Random(6)
    sentences = TEXT.split()
    texts = [" ".join(dice.choices(sentences, k=60)) for _ in range(40)]
    return [*texts, *texts[:5], "short"]


def build(corpus: Path, out: Path, fpr: float = 0.01) -> portrait.Portrait:
    """Build a portrait with a pybloom filter."""
    return portrait.build(corpus, out, windows=WINDOWS, filter=portrait.FilterSpec("pybloom", fpr))


def write_corpus(path: Path) -> Path:
    """Write the documents as JSON lines, and return the path."""
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents()))
    return path
