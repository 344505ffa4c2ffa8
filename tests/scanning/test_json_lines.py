"""Rows of a scan as JSON lines, and values for which JSON has no type."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portrait.corpus.rows import Row
from portrait.scanning.json_lines import JsonLines, to_json


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("ﬁ\ud800", '"\\ufb01\\ud800"'),
        (2**70, str(2**70)),
        (b"\xff", '"/w=="'),
        (date(2020, 1, 2), '"2020-01-02"'),
        (datetime(2020, 1, 2, 3), '"2020-01-02T03:00:00"'),
        (Decimal("0.10"), '"0.10"'),
        (math.nan, "null"),
        ([math.inf, (1.5, {"a": -math.inf})], '[null, [1.5, {"a": null}]]'),
        ({"a": math.nan, "b": b""}, '{"a": null, "b": ""}'),
    ],
)
def test_every_value_is_encoded(value: Any, encoded: str) -> None:
    assert to_json(value) == encoded


def test_a_row_is_a_line() -> None:
    rows = [Row("a:1", 0, "x", {"id": "é"}), Row("a:2", 1, "y", {})]
    data = JsonLines().encode(rows, [], [{"verdict": "found"}, {"verdict": "inconclusive"}])
    assert data.isascii()
    assert data.endswith(b"\n")
    assert [json.loads(line) for line in data.splitlines()] == [
        {"row": 0, "place": "a:1", "values": {"id": "é"}, "verdict": "found"},
        {"row": 1, "place": "a:2", "verdict": "inconclusive"},
    ]


def test_the_pieces_already_are_the_output_file() -> None:
    assert JsonLines().finish(Path("parts"), Path("whole"), facts={}) == Path("parts")
