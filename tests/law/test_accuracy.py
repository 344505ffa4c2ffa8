"""The small accuracy benchmark: every promise of the docs holds, and the docs have the tables it prints."""

from __future__ import annotations

import subprocess
import sys

from support.places import ROOT

DOCS = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")


def test_every_promise_is_kept() -> None:
    command = [sys.executable, "accuracy.py", "--small"]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Every promise was kept.\n")
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    # The docs have the same tables, but with the numbers of the full benchmark.
    first_cells = [line.split("|")[1] for line in rows]
    assert first_cells == [line.split("|")[1] for line in DOCS.splitlines() if line.startswith("|")]
    assert len(rows) > 80
