"""Two readers, one answer: the library and the slow reader that was written from docs/FORMAT.md alone.

Builds a portrait, with the defaults, of half of the standard library's sources, asks it about all of them and
about each of them with its lines in another order, and prints how many of the asked windows have the same
answer in both readers, and how many texts ask the same number of them. Exits with 1 if any differs.
"""

from __future__ import annotations

import json
import random
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from support import second_reader

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Windows to ask at least; ``--small`` asks a hundredth.
N_WINDOWS = 1_000_000
#: Characters of source files to use at most.
MAX_CHARS = 16_000_000


def sources() -> list[str]:
    """Return source files of the standard library that are UTF-8."""
    texts: list[str] = []
    n_chars = 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        with suppress(UnicodeDecodeError):
            texts.append(path.read_bytes().decode())
            n_chars += len(texts[-1])
        if n_chars >= MAX_CHARS:
            break
    return texts


def questions(texts: list[str]) -> Iterator[str]:
    """Yield the texts, and then all of them with their lines in another order, again and again."""
    dice = random.Random(11)
    yield from texts
    while True:
        for text in texts:
            lines = text.splitlines(keepends=True)
            dice.shuffle(lines)
            yield "".join(lines)


def main() -> None:
    """Compare the readers and print the result."""
    wanted = N_WINDOWS // (100 if "--small" in sys.argv[1:] else 1)
    texts = sources()
    start = time.perf_counter()
    asked = hits = agreeing = differing_texts = n_texts = 0
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch, "corpus.jsonl")
        corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts[::2]))
        opened = portrait.build(corpus, Path(scratch, "corpus.portrait"))
        reader = second_reader.Reader(opened.path)
        for text in questions(texts):
            if asked >= wanted:
                break
            (ours,), (theirs,) = opened.hits(text).values(), reader.hits(text).values()
            same = sum(one == other for one, other in zip(ours, theirs, strict=False))
            n_texts += 1
            asked += max(len(ours), len(theirs))
            hits += sum(theirs)
            agreeing += same
            differing_texts += same != max(len(ours), len(theirs))
    print(
        f"{agreeing:,} of {asked:,} windows, {hits:,} of them hits, have the same answer in both readers; "
        f"{n_texts - differing_texts:,} of {n_texts:,} texts have all ({time.perf_counter() - start:.0f} s)"
    )
    sys.exit(agreeing != asked)


if __name__ == "__main__":
    main()
