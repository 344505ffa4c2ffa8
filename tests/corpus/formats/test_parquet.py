"""Parquet files: bad rows, missing columns, and damaged files."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.forms import shard_of
from support.refusals import GOOD, TEXT, invalid_strings, message

import portrait
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("texts", "place", "reason"),
    [
        (pa.array([TEXT, None, TEXT]), ", row 2: ", "null"),
        (pa.array([TEXT, TEXT, None]).dictionary_encode(), ", row 3: ", "null"),
        (pa.array([TEXT, TEXT, None], pa.large_string()), ", row 3: ", "null"),
        (invalid_strings(), ", row 2: ", "not UTF-8 at byte 2"),
        (pa.array([b"x", b"y", b"z"]), ": ", "column 'text' is binary, not text"),
        (pa.array([1, 2, 3]), ": ", "column 'text' is int64, not text"),
        (pa.array([None, None, None]), ": ", "column 'text' is null, not text"),
        (pa.array([[1], [2], [3]]), ": ", "column 'text' is list<"),
        (pa.array([1, 2, 1]).dictionary_encode(), ": ", "column 'text' is int64, not text"),
    ],
    ids=["null", "dictionary null", "large null", "UTF-8", "binary", "number", "nulls", "list", "dictionary"],
)
@pytest.mark.parametrize("row_group_size", [None, 1], ids=["one row group", "many row groups"])
def test_a_bad_row_of_a_parquet_file_is_named(
    texts: Any, place: str, reason: str, row_group_size: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": texts}), path, row_group_size=row_group_size)
    error = message(path, tmp_path, portrait.BadRowError if "row" in place else portrait.CorpusError)
    assert error.startswith(f"{path}{place}")
    assert reason in error


def test_the_error_about_a_missing_column_lists_those_that_exist(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["x"], "id": [1]}), path)
    error = message(path, tmp_path)
    assert error == f"{path}: no column 'text', only body, id: choose another"


def parquet_bytes(directory: Path) -> bytes:
    """Return a Parquet file of texts that do not compress, written in ``directory`` for a moment."""
    path = directory / "whole.parquet"
    texts = [os.urandom(50).hex() for _ in range(2000)]
    pq.write_table(pa.table({"text": texts}), path, compression="gzip", row_group_size=500)
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "header only", "no header", "damaged page"])
def test_a_file_that_is_not_parquet_is_named(kind: str, tmp_path: Path) -> None:
    whole = parquet_bytes(tmp_path)
    path = tmp_path / "a.parquet"
    data = {
        "text": GOOD * 10,
        "empty": b"",
        "truncated": whole[:-1000],
        "header only": whole[:4],
        "no header": whole[4:],
        "damaged page": whole[:20_000] + bytes(20_000) + whole[40_000:],
    }[kind]
    path.write_bytes(data)
    error = message(path, tmp_path, portrait.UnreadableFileError)
    assert error.startswith(f"{path}: not a readable Parquet file: ")
    assert not error.endswith("Parquet file: unknown error")


def test_a_table_that_cannot_be_read_is_one_part_and_an_error_when_read(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not a table PAR1")
    shard = shard_of(tmp_path / "a.parquet")
    assert shard.split(1) == [shard]
    with pytest.raises(UnreadableFileError, match="not a readable Parquet file"):
        list(shard.chunks())


def test_what_was_read_is_shared_out_by_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x" * 100_000] * 100}), path, row_group_size=100, use_dictionary=False)
    shard = shard_of(path)
    total = shard.n_bytes or 0
    chunks = list(shard.chunks())
    assert [chunk.n_rows for chunk in chunks] == [41, 41, 18]
    ends = [total * row // 100 for row in (0, 41, 82, 100)]
    assert [chunk.read_bytes for chunk in chunks] == [b - a for a, b in itertools.pairwise(ends)]


def test_the_parts_of_a_file_are_row_groups_of_about_the_wanted_size(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = [os.urandom(50_000).hex() for _ in range(60)]
    pq.write_table(
        pa.table({"text": texts}), path, row_group_size=10, compression="none", use_dictionary=False
    )
    parts = shard_of(path).split(2_000_000)
    assert [sum(chunk.n_rows for chunk in part.chunks()) for part in parts] == [20, 20, 20]
    assert [len(part.files) for part in parts] == [1, 0, 0]
    assert [place for part in parts for chunk in part.chunks() for place in chunk.places()] == [
        f"{path}:{row}" for row in range(1, 61)
    ]
