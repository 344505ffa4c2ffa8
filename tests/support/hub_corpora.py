"""Datasets for the stand-in hub, and processes that read them."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn


HF = "hf://datasets"


CARD = b"""---
configs:
- config_name: en
  data_files:
  - {split: train, path: en/train-*.parquet}
  - {split: test, path: en/test.parquet}
- config_name: de
  data_files:
  - {split: train, path: de/*.parquet}
---
Two languages.
"""


def rows(tag: str, n: int) -> list[dict[str, Any]]:
    """Return ``n`` rows whose texts contain ``tag``."""
    return [
        {"text": f"Row {i} of {tag}: " + "é🦀 " * (i % 90), "n": i, "meta": {"text": f"{tag}, {i}. " * 9}}
        for i in range(n)
    ]


def parquet(content: list[dict[str, Any]]) -> bytes:
    """Return the rows as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(content), file)
    return file.getvalue()


def lines(content: list[dict[str, Any]]) -> bytes:
    """Return the rows as gzip-compressed JSON lines."""
    return gzip.compress("".join(json.dumps(row) + "\n" for row in content).encode())


#: A dataset with two configurations.
TWO = {
    "README.md": CARD,
    "en/train-0.parquet": parquet(rows("a", 400)),
    "en/train-1.parquet": parquet(rows("b", 3)),
    "en/train-2.parquet": parquet(rows("c", 150)),
    "en/test.parquet": parquet(rows("d", 50)),
    "de/all.parquet": parquet(rows("e", 60)),
}


#: A dataset without a card, in JSON lines.
LINES = {"data/train.jsonl.gz": lines(rows("f", 300)), "data/train-b.jsonl.gz": lines(rows("g", 30))}


def environment(endpoint: str, home: Path) -> dict[str, str]:
    """Return the environment of a process that can reach nothing except the endpoint."""
    nowhere = "http://127.0.0.1:9"
    return {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home / "home"),
        "HF_TOKEN": "",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "ALL_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1",
    }


#: The head of a script that runs in its own process, since ``datasets`` reads its environment only once.
SCRIPT = """
import json, pickle, sys, time
import portrait
from portrait.corpus.resolve import resolve

def texts(shard):
    return [text for chunk in shard.chunks() for text in chunk.batch().texts.to_pylist()]
"""


#: The end of a script: exit as the command line does after reading from a hub, for the same reason.
END = """
import os
sys.stdout.flush()
os._exit(0)
"""


def run(hub: StandIn, directory: Path, code: str, *arguments: str, **variables: str) -> Any:
    """Run a script that prints JSON, and return its output.

    Args:
        hub: The hub that the script can reach.
        directory: The working directory.
        code: The script, between :data:`SCRIPT` and :data:`END`.
        arguments: The script's arguments.
        variables: Additional environment variables.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT + code + END, *arguments],
        cwd=directory,
        env={"PATH": "", "PYTHONSAFEPATH": "1", **environment(hub.url, directory), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


#: A script that prints the error of building from each URL.
ERRORS = """
errors = {}
time.sleep = lambda seconds: None  # the client waits between attempts
for url in sys.argv[1:]:
    try:
        portrait.build(url, "out")
    except portrait.PortraitError as error:
        errors[url] = [type(error).__name__, str(error)]
print(json.dumps(errors))
"""
