"""What it costs to forge evidence: texts that a filter falsely confirms, made by asking it.

An E-value counts what chance does to a text that was fixed before anyone saw the filter. Whoever holds the
filter can do better than chance: extend a text a few letters at a time, and keep what hits. Prints the number
of filter calls that this takes, and the E-value of the forged text, which shares nothing with the corpus.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from pathlib import Path

import portrait

#: Windows in a row, and forged texts.
N_WINDOWS, N_TEXTS = 8, 100
#: Letters that extend a text: so few that they mostly add one window or none.
STEP = 10
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def forged(opened: portrait.Portrait, dice: random.Random) -> tuple[str, int]:
    """Return a text whose asked windows all hit, and the number of calls that it took."""
    (source,) = opened.sources
    text, windows, calls = "", 0, 0
    while windows < N_WINDOWS:
        size = STEP if text else opened.spec.guaranteed_length
        tried = text + "".join(dice.choices(_LETTERS, k=size))
        hits = opened.hits(tried)[source]
        # Windows that are known to hit are not asked again: which ones a text asks, it says itself.
        calls += len(hits) > windows
        if all(hits):
            text, windows = tried, len(hits)
    return text, calls


def main() -> None:
    """Print what forging costs."""
    dice = random.Random(20231208)
    words = " ".join("".join(dice.choices(_LETTERS, k=dice.randint(2, 9))) for _ in range(400_000))
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "corpus.txt").write_text(words)
        opened = portrait.build(Path(scratch) / "corpus.txt", Path(scratch) / "corpus.portrait")
        fpr = opened.layers[0].fpr
        results = [forged(opened, dice) for _ in range(N_TEXTS)]
        answers = opened.query([text for text, _ in results])
    calls = [n for _, n in results]
    assert all(answer.verdict == "found" for answer in answers)
    worst = max(answer.evalue or 0.0 for answer in answers)
    print(
        f"{N_WINDOWS} windows in a row at {fpr:.2%}: {statistics.median(calls):.0f} filter calls (median of "
        f"{N_TEXTS} texts, {min(calls)} to {max(calls)}), E-value {worst:.1g}"
    )


if __name__ == "__main__":
    main()
