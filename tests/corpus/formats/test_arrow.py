"""Arrow files and streams: damaged ones, and bad rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.refusals import GOOD, TEXT, arrow_bytes, invalid_strings, message

import portrait

if TYPE_CHECKING:
    from pathlib import Path


TEXTS = [os.urandom(50).hex() for _ in range(2000)]


@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "header only", "damaged", "old feather"])
def test_a_file_that_is_not_arrow_is_named(kind: str, streamed: bool, tmp_path: Path) -> None:
    whole = arrow_bytes(TEXTS, streamed=streamed)
    path = tmp_path / "a.arrow"
    path.write_bytes(
        {
            "text": GOOD * 10,
            "empty": b"",
            "truncated": whole[:-1000],
            "header only": whole[:6],
            "damaged": whole[:20_000] + b"\xfe" * 20_000 + whole[40_000:],
            "old feather": b"FEA1" + bytes(1000) + b"FEA1",
        }[kind]
    )
    error = message(path, tmp_path, portrait.UnreadableFileError)
    assert error.startswith(
        f"{path}: a Feather file" if "old" in kind else f"{path}: not a readable Arrow file: "
    )


@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("nested", [False, True], ids=["plain", "struct"])
def test_an_arrow_file_with_offsets_beyond_its_data_is_named(
    streamed: bool, nested: bool, tmp_path: Path
) -> None:
    offsets = pa.array([0, 3, 1 << 30, 6], pa.int32()).buffers()[1]
    texts = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"abcdef")])
    column = pa.StructArray.from_arrays([texts], ["text"]) if nested else texts
    path = tmp_path / "a.arrow"
    path.write_bytes(arrow_bytes(column, streamed=streamed))
    error = message(path, tmp_path, portrait.UnreadableFileError, column="text.text" if nested else "text")
    assert error.startswith(f"{path}: not a readable Arrow file: ")


@pytest.mark.parametrize(
    ("texts", "place", "reason"),
    [
        (pa.array([TEXT, None, TEXT]), ", row 2: ", "null"),
        (invalid_strings(), ", row 2: ", "not UTF-8 at byte 2"),
        (pa.array([1, 2, 3]), ": ", "column 'text' is int64, not text"),
    ],
    ids=["null", "UTF-8", "number"],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
def test_a_bad_row_of_an_arrow_file_is_named(
    texts: Any, place: str, reason: str, streamed: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(arrow_bytes(texts, streamed=streamed))
    error = message(path, tmp_path, portrait.BadRowError if "row" in place else portrait.CorpusError)
    assert error.startswith(f"{path}{place}")
    assert reason in error
