"""A small evaluation set, and a portrait whose corpus contains some of its rows."""

from __future__ import annotations

import json
import random
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import portrait

if TYPE_CHECKING:
    from pathlib import Path


def prose(seed: int, n_words: int = 60) -> str:
    """Return a text of random words, the same for the same seed and different for every other."""
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghiklmnoprstu", k=rng.randint(3, 9))) for _ in range(n_words))


#: Questions and answers. The corpus contains the answers of the first five rows and the questions of the
#: first three; the last row is too short for a verdict.
ROWS: list[dict[str, Any]] = [
    {"id": f"q/{i}", "question": prose(i), "answer": prose(100 + i), "n": i} for i in range(9)
] + [{"id": "q/9", "question": "2 + 2?", "answer": "4", "n": 9}]

#: Numbers of the rows that the corpus contains in whole or in part.
FOUND = [0, 1, 2, 3, 4]
COLUMNS = ["question", "answer"]

#: The same rows as a table, with two columns that are not text, and with metadata.
TABLE = pa.Table.from_pylist(
    [row | {"day": date(2020, 1, row["n"] + 1), "more": {"x": [row["n"], None]}} for row in ROWS]
).replace_schema_metadata({"note": "kept"})


def corpus(directory: Path) -> dict[str, Path]:
    """Write two sources, and return them by name: web has three whole rows in pages, books two answers."""
    for source in ("web", "books"):
        (directory / source).mkdir()
    for i in range(3):
        row = ROWS[i]
        page = f"{prose(500 + i)}\n{row['question']}\n{row['answer']} {prose(600 + i)}"
        (directory / "web" / f"{i}.txt").write_text(page)
    for i in (3, 4):
        page = f"{prose(700 + i)} {ROWS[i]['answer']} {prose(800 + i)}"
        (directory / "books" / f"{i}.txt").write_text(page)
    return {source: directory / source for source in ("web", "books")}


def built(directory: Path) -> Path:
    """Build the portrait of :func:`corpus`, and return its path."""
    return portrait.build(corpus(directory), directory / "known.portrait").path


def line(row: dict[str, Any]) -> bytes:
    """Return a row as a JSON line whose spaces and escapes no JSON library would reproduce."""
    return (" " + json.dumps(row, ensure_ascii=bool(row.get("n", 0) % 2)) + "  ").encode()


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write the rows as JSON lines, and return the path."""
    path.write_bytes(b"".join(line(row) + b"\n" for row in rows))
    return path
