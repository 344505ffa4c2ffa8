"""What it costs to forge evidence: texts that a filter falsely confirms, made by asking it.

An E-value counts what chance does to a text that was fixed before anyone saw the filter. Whoever holds the
filter can do better than chance: extend a text by a window at a time, and keep what hits. Which windows a
text is asked with is no secret, so that only they cost a call. Prints the number of filter calls that this
takes, and the E-value of the forged text, which shares nothing with the corpus.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from pathlib import Path

import portrait

#: Windows in a row, and forged texts.
N_WINDOWS, N_TEXTS = 8, 100
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def is_held(opened: portrait.Portrait, window: str) -> bool:
    """Ask the filter about one window."""
    (source,) = opened.sources
    return opened.hits(window)[source] == b"\x01"


def letters(dice: random.Random, n: int) -> str:
    """Return random letters."""
    return "".join(dice.choices(_LETTERS, k=n))


def extended(opened: portrait.Portrait, text: str, dice: random.Random) -> str:
    """Make a text longer until it is asked about one window more, at its very end.

    A window that letters after its end decide to ask about is of no use: they cannot make it hit.
    """
    spec = opened.spec
    known = opened.asked(text) if text else []
    while True:
        tried = text + letters(dice, spec.sampling.gap if text else spec.guaranteed_length)
        end = opened.asked(tried)[len(known)] + spec.width
        if end >= spec.guaranteed_length and opened.asked(tried[:end]) == [*known, end - spec.width]:
            return tried[:end]


def forged(opened: portrait.Portrait, dice: random.Random) -> tuple[str, int]:
    """Return a text of whose windows all that are asked hit, and the number of calls that it took."""
    text, calls = "", 0
    for _ in range(N_WINDOWS):
        while True:
            tried = extended(opened, text, dice)
            calls += 1
            if is_held(opened, tried[-opened.spec.width :]):
                text = tried
                break
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
    assert all(answer.layers[0].windows == answer.layers[0].hits == N_WINDOWS for answer in answers)
    worst = max(answer.evalue or 0.0 for answer in answers)
    print(
        f"{N_WINDOWS} windows in a row at {fpr:.2%}: {statistics.mean(calls):.0f} filter calls (mean of "
        f"{N_TEXTS} texts; median {statistics.median(calls):.0f}, {min(calls)} to {max(calls)}), "
        f"E-value {worst:.1g}"
    )


if __name__ == "__main__":
    main()
