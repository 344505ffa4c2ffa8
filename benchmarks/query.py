"""One question from Python: ``Portrait.query`` of 500 characters.

The bound is the scan in the kernel alone, without the verdict drawn from it. How many windows a text is asked
with depends on the text itself.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from common import best_seconds, report, stdlib_texts

import portrait

CALLS = 2000

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch, "corpus.txt")
        texts = stdlib_texts(20_000_000)
        corpus.write_bytes(b"\n".join(texts))
        built = portrait.build(corpus, Path(scratch, "corpus.portrait"))
        known = max(texts, key=len).decode()[1000:1500]
        unknown = "".join(chr(97 + i * i * 7 % 26) for i in range(500))
        for name, text in (("a text of the corpus", known), ("another text", unknown)):
            assert len(text) == 500, "the benchmark's texts have 500 characters"
            verdict = built.query(text).verdict

            def ask(text: str = text) -> None:
                for _ in range(CALLS):
                    built.query(text)

            def scan(text: str = text) -> None:
                for _ in range(CALLS):
                    built.hits(text)

            micros = best_seconds(ask) / CALLS * 1e6
            kernel = best_seconds(scan) / CALLS * 1e6
            report(
                f"Portrait.query, {name} ({verdict})",
                f"{micros:.1f} us",
                "<= 60 us",
                f"hits alone {kernel:.1f} us, {micros / kernel:.1f} x that; "
                f"asked about {len(built.asked(text))} of {len(text) - built.spec.width + 1} windows",
            )
