"""Rows to scan, and the expected results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator


STORY = (
    "The glazier of Upper Wick replaced eleven panes after the hail and charged for ten, because the "
    "eleventh, he said, had been his own mistake in the spring, when he was still in love."
)


ARABIC = (
    "كان حارس المنارة يكتب كل مساء عدد القوارب على الحائط بالطباش"
    "ير، وفي صباح اليوم التالي يمسحه ثم يبدأ من جديد."
)


RECORDS: list[dict[str, Any]] = [
    {"id": "a", "text": f"As the parish paper had it: {STORY} Nobody disagreed.", "n": 1},
    {"id": "b", "text": "", "n": 2},
    {"id": "c", "text": "short", "n": 3},
    {
        "id": "d",
        "text": "No line of this was ever printed in a parish paper, nor told by any glazier. " * 4,
        "n": 4,
    },
    {"id": "e", "text": f"{ARABIC}\0{STORY}", "n": 5},
    {"id": "f", "text": "\0" * 300, "n": 6},
    {"id": "g", "text": STORY, "n": 7},
]


PORTRAIT_FIELDS = ("portrait", "verdict", "detectable_length", "counting")
FIELDS = ("verdict", "evalue", "detectable_length", "coverage", "longest_match", "exact_document")


def lines(records: list[dict[str, Any]]) -> bytes:
    """Return the records as JSON lines."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def rows_of(text: str | bytes) -> list[dict[str, Any]]:
    """Return the rows of JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def expected(portraits: list[portrait.Portrait]) -> Iterator[dict[str, Any]]:
    """Yield the row that a scan of :data:`RECORDS` with these portraits must give for each record."""
    for number, record in enumerate(RECORDS):
        answer = portrait.query(portraits, record["text"], evalue=1e-5)
        several = len(portraits) > 1
        yield {
            "row": number,
            "place": f"data.jsonl:{number + 1}",
            "values": {"id": record["id"], "n": record["n"]},
            **{name: answer.to_dict()[name] for name in FIELDS},
            "hit_rate": max(layer.hit_rate for layer in answer.layers),
            "sources": [
                f"{layer.portrait}:{layer.source}" if several else layer.source
                for layer in answer.layers
                if layer.matches
            ],
            **(
                {
                    "portraits": [
                        {name: one.to_dict()[name] for name in PORTRAIT_FIELDS} for one in answer.portraits
                    ]
                }
                if several
                else {}
            ),
            "matches": [
                {"portrait": layer.portrait, "source": layer.source, **match.to_dict()}
                for layer, match in answer.matches
            ],
        }
