"""Chunks of JSON lines: their rows, places and slices."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from support.refusals import GOOD, message

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.formats.lines import LinesChunk, OversizedLine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("first", [b'{"text": null}\n', b'{"text": "\xff"}\n'])
def test_a_bad_line_after_many_chunks_is_named(first: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    n_lines = 3 * (1 << 20) // len(GOOD)
    path.write_bytes(gzip.compress(GOOD * n_lines + b"\r\n \n" + first + GOOD * 9, 1))
    assert message(path, tmp_path, portrait.BadRowError).startswith(f"{path}, line {n_lines + 3}: ")


def chunk_of(data: bytes, line: int = 1, columns: Columns | None = None, **options: Any) -> LinesChunk:
    """Return the chunk of these lines, of which the first has number ``line``."""
    return LinesChunk("a.jsonl", data, line, columns or Columns(), len(data), **options)


def test_blank_lines_are_not_rows_but_count_as_lines() -> None:
    chunk = chunk_of(b'\n{"text": "a"}\n \r\n{"text": "b"}', 10)
    assert (chunk.n_rows, chunk.read_bytes) == (2, 31)
    assert chunk.lines() == [b'{"text": "a"}', b'{"text": "b"}']
    assert chunk.places() == ["a.jsonl:11", "a.jsonl:13"]
    assert [chunk.place(row) for row in range(3)] == ["a.jsonl, line 11", "a.jsonl, line 13", "a.jsonl"]
    assert chunk.batch().texts.to_pylist() == ["a", "b"]


def test_preceding_lines_are_counted_only_when_a_place_is_printed() -> None:
    class Preceding:
        n_calls = 0

        def count(self) -> int:
            self.n_calls += 1
            return 100

    preceding = Preceding()
    chunk = chunk_of(b'{"text": "a"}\n{"text": null}\n', preceding=preceding)
    assert chunk.slice(0, 1).batch().texts.to_pylist() == ["a"]
    assert preceding.n_calls == 0
    with pytest.raises(portrait.BadRowError, match="line 102: column 'text' holds null"):
        chunk.batch()
    assert chunk.places() == ["a.jsonl:101", "a.jsonl:102"]
    assert (chunk.first_line, chunk.slice(1, 2).first_line) == (101, 102)


def test_values_that_arrow_would_convert_are_kept_as_in_json() -> None:
    values = [1, "2020-01-01", None, [1], {"a": 2**70}, 2.5, True]
    data = "".join(json.dumps({"text": "x", "id": value}) + "\n" for value in values).encode()
    batch = chunk_of(data, columns=Columns(("text",), ("id",))).batch()
    assert batch.kept == (values,)


def test_a_line_that_is_too_long_is_a_row_that_names_itself() -> None:
    line = OversizedLine("a.jsonl", 7, Columns(max_document_bytes=10), 123)
    assert (line.n_rows, line.read_bytes, line.places()) == (1, 123, ["a.jsonl:7"])
    assert line.slice(0, 1) is line
    with pytest.raises(portrait.BadRowError, match=r"^a\.jsonl, line 7: a line of more than 10 bytes: "):
        line.batch()


def test_a_deep_line_beside_one_that_only_python_parses_is_parsed_by_arrow() -> None:
    deep = b'{"text": "a", "x": ' + b"[" * 450 + b"]" * 450 + b"}"
    chunk = chunk_of(deep + b'\n{"text": ["b", "c"]}\n')
    assert chunk.batch().texts.to_pylist() == ["a", "b\nc"]


def test_a_slice_begins_at_its_first_row_and_ends_with_its_last() -> None:
    chunk = chunk_of(b'\n{"text": "a"}\n\n{"text": "b"}\n\n\n{"text": "c"}\n', 5)
    for start, stop, places in (
        (0, 3, ["a.jsonl:6", "a.jsonl:8", "a.jsonl:11"]),
        (1, 2, ["a.jsonl:8"]),
        (1, 3, ["a.jsonl:8", "a.jsonl:11"]),
        (3, 3, []),
        (0, 0, []),
    ):
        part = chunk.slice(start, stop)
        assert (part.places(), part.n_rows, part.read_bytes) == (places, stop - start, 0)
