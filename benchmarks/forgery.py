"""What it costs to forge evidence: texts that a filter falsely confirms, made by asking it.

An E-value counts what chance does to a text that was fixed before anyone saw the filter. Whoever holds the
filter can do better than chance: extend a text window by window, and keep what hits. Prints the number of
filter calls that this takes, and the E-value of the forged text, which shares nothing with the corpus.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from pathlib import Path

import portrait
from portrait import _native

#: Windows in a row, and forged texts.
N_WINDOWS, N_TEXTS = 8, 100
#: Endings to try before the last window is given up: the next one may lie in the text already, and miss.
PATIENCE = 2000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def forged(opened: portrait.Portrait, dice: random.Random) -> tuple[str, int]:
    """Return a text whose asked windows all hit, and the number of calls that it took."""
    (source,), spec = opened.sources, opened.spec
    cut = _native.Windows(spec.normalizer, spec.unit, spec.width, spec.sampling.name, spec.sampling.gap)
    # Texts that each ask one window more than the one before. Which windows these are needs no filter.
    texts, known, calls = [""], dict[str, bool](), 0
    while len(texts) <= N_WINDOWS:
        for _ in range(PATIENCE):
            tried = texts[-1] + "".join(dice.choices(_LETTERS, k=spec.guaranteed_length))
            first = cut.asked(tried)[len(texts) - 1]
            window = tried[first : first + spec.width]
            if window not in known:
                known[window] = opened.hits(window)[source] == b"\x01"
                calls += 1
            if known[window]:
                ends = range(max(len(texts[-1]) + 1, spec.guaranteed_length), len(tried) + 1)
                end = next(end for end in ends if len(cut.asked(tried[:end])) == len(texts))
                texts.append(tried[:end])
                break
        else:
            texts.pop()
            texts = texts or [""]
    return texts[-1], calls


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
