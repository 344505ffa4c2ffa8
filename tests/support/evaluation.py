"""A small evaluation set and a portrait that knows some of it."""

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
    """Words in an order that no other seed gives."""
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghiklmnoprstu", k=rng.randint(3, 9))) for _ in range(n_words))


#: Questions and answers; the answers of the first five rows are in the corpus, of the first three
#: the questions, too, and the last row is too short to tell.
ROWS: list[dict[str, Any]] = [
    {"id": f"q/{i}", "question": prose(i), "answer": prose(100 + i), "n": i} for i in range(9)
] + [{"id": "q/9", "question": "2 + 2?", "answer": "4", "n": 9}]

FOUND = [0, 1, 2, 3, 4]
COLUMNS = ["question", "answer"]

#: The same rows as a table, with columns that are not text, and metadata.
TABLE = pa.Table.from_pylist(
    [row | {"day": date(2020, 1, row["n"] + 1), "more": {"x": [row["n"], None]}} for row in ROWS]
).replace_schema_metadata({"note": "kept"})


def corpus(directory: Path) -> dict[str, Path]:
    """Two sources: web has three whole rows within pages, books has two answers."""
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
    """The portrait of that corpus."""
    return portrait.build(corpus(directory), directory / "known.portrait").path


def line(row: dict[str, Any]) -> bytes:
    """A row as a line that no JSON library would write the same."""
    return (" " + json.dumps(row, ensure_ascii=bool(row.get("n", 0) % 2)) + "  ").encode()


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(line(row) + b"\n" for row in rows))
    return path
