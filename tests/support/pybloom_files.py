"""A corpus of text in several scripts, and what pybloom-live's own package makes of it."""

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


WINDOWS = portrait.WindowSpec()


def saved(bloom: Any) -> bytes:
    file = io.BytesIO()
    bloom.tofile(file)
    return file.getvalue()


def stored_windows(text: str) -> set[str]:
    text = " ".join(text.split())
    last = len(text) - WINDOWS.width
    return {text[i : i + WINDOWS.width] for i in [*range(0, last, WINDOWS.stride), last]}


def documents() -> list[str]:
    dice = random.Random(6)
    sentences = TEXT.split()
    texts = [" ".join(dice.choices(sentences, k=60)) for _ in range(40)]
    # Repeated documents store nothing new, and a short one nothing at all.
    return [*texts, *texts[:5], "short"]


def build(corpus: Path, out: Path, fpr: float = 0.01) -> portrait.Portrait:
    return portrait.build(corpus, out, filter=portrait.FilterSpec("pybloom", fpr))


def write_corpus(path: Path) -> Path:
    """Write the documents as JSON lines."""
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents()))
    return path
