"""Corpora of several files and formats, small enough for tests and large enough for several tasks."""

from __future__ import annotations

import base64
import gzip
import json
import random
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [
    "harbour",
    "lantern",
    "miller",
    "weir",
    "orchard",
    "ferry",
    "slate",
    "heron",
    "candle",
    "barley",
    "anvil",
    "thistle",
    "quarry",
    "loom",
    "Straße",
    "naïve",
    "図書館",
    "почта",
]


def prose(seed: object, n_words: int) -> str:
    """Return a random text of ``n_words`` words, the same for the same seed."""
    return " ".join(random.Random(f"prose {seed}").choices(WORDS, k=n_words))


def noise(seed: object, n_bytes: int) -> str:
    """Return ``n_bytes`` of random base64 text, in which no window repeats, the same for the same seed."""
    return base64.b64encode(random.Random(f"noise {seed}").randbytes(n_bytes * 3 // 4)).decode()


def rows(n: int, seed: object = 0) -> list[dict[str, object]]:
    """Return ``n`` rows with an id, a text and the name of a set; the last texts begin like the first."""
    return [
        {
            "id": i,
            "text": prose(f"{seed} {i % (n - n // 4)}", 5 + i % 60),
            "meta": {"set": ("web", "papers", "code")[i % 3]},
        }
        for i in range(n)
    ]


def write(directory: Path, n_files: int = 8, n_rows: int = 40) -> list[str]:
    """Write ``n_files`` files of ``n_rows`` rows each, as JSON lines, gzip and Parquet; return all texts."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = []
    for number in range(n_files):
        content = rows(n_rows, number)
        texts += [str(row["text"]) for row in content]
        lines = "".join(json.dumps(row) + "\n" for row in content).encode()
        match number % 3:
            case 0:
                (directory / f"{number:02}.jsonl").write_bytes(lines)
            case 1:
                (directory / f"{number:02}.jsonl.gz").write_bytes(gzip.compress(lines))
            case _:
                pq.write_table(pa.Table.from_pylist(content), directory / f"{number:02}.parquet")
    return texts


def write_two_sources(directory: Path) -> dict[str, str | list[str]]:
    """Write two sources of three files each; return their relative paths and patterns by source."""
    for name in ("hills", "coast"):
        (directory / name).mkdir()
        for i in range(3):
            tales = (f"{name} {i}: " + " ".join(str(k * row) for k in range(40)) for row in range(200))
            lines = "".join(json.dumps({"text": tale}) + "\n" for tale in tales)
            (directory / name / f"{i}.jsonl").write_text(lines)
    return {"hills": "hills", "coast": ["coast/0.jsonl", "coast/[12].jsonl"]}
