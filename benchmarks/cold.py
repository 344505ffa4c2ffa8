"""A cold ``portrait query`` on a bundle of about 50 MB: start-up, opening, one answer.

The bound is ``python -c 'import click'``: no command built on click starts faster.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from common import best_seconds, report, stdlib_texts

import portrait

TEXT = "A passage that nobody has written before, long enough to be told from chance by any measure. " * 3
RUNS = 21


def run(command: list[str], cwd: str) -> int:
    return subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch, "corpus.txt")
        corpus.write_bytes(b"\n".join(stdlib_texts(14_000_000)))
        # A tiny rate makes a bundle of that size from text that every machine has.
        built = portrait.build(
            corpus,
            Path(scratch, "corpus.portrait"),
            windows=portrait.WindowSpec(50, portrait.Stride(13)),
            filter=portrait.FilterSpec(fpr=1e-10),
        )
        n_bytes = sum(shard.bytes for layer in built.manifest.layers for shard in layer.shards)
        query = [str(Path(sysconfig.get_path("scripts"), "portrait")), "query", "corpus.portrait", TEXT]
        assert run(query, scratch) == 1, "the text is not in the corpus"
        imports = [sys.executable, "-c", "import click"]
        bound = best_seconds(lambda: run(imports, scratch), runs=RUNS)
        seconds = best_seconds(lambda: run(query, scratch), runs=RUNS)
        report(
            f"cold query of {n_bytes / 1e6:.0f} MB",
            f"{seconds * 1e3:.0f} ms, {seconds / bound:.2f} x",
            "<= 2.5 x",
            f"python -c 'import click' {bound * 1e3:.0f} ms",
        )
