"""Benchmark scripts, run as people run them."""

from __future__ import annotations

import os
import subprocess
import sys

from support.places import ROOT


def run_script(*command: str) -> str:
    """Run a script of the benchmarks; return what it prints, which must be no error."""
    # Scripts import their neighbours, wherever the tests' own settings look for modules.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT / "benchmarks",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
