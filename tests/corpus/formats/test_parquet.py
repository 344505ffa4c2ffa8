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
from portrait.corpus.columns import Columns
from portrait.corpus.formats.parquet import ParquetShard
from portrait.corpus.formats.projection import TableChunk
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


def write_rows(path: Path, texts: list[str], rows_of_group: int | None = None) -> ParquetShard:
    """Write texts as they are, without a dictionary or compression, and return the shard."""
    table = pa.table({"text": pa.array(texts, pa.string())})
    pq.write_table(table, path, row_group_size=rows_of_group, use_dictionary=False, compression="none")
    shard = shard_of(path)
    assert isinstance(shard, ParquetShard)
    return shard


def test_a_file_of_unknown_size_is_divided_by_its_row_groups_and_counts_nothing(tmp_path: Path) -> None:
    # As a remote file may be.
    shard = write_rows(tmp_path / "a.parquet", ["x" * 100_000] * 8, 2)
    shard.n_bytes = None
    assert {chunk.read_bytes for chunk in shard.chunks()} == {0}
    parts = shard.split(400_000)
    assert [part.n_bytes for part in parts] == [0, 0]
    assert {chunk.read_bytes for part in parts for chunk in part.chunks()} == {0}


def test_a_part_is_divided_like_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    _, second = write_rows(path, ["x" * 100_000] * 80, 10).split(4_000_000)
    parts = second.split(2_000_000)
    assert [place for part in parts for chunk in part.chunks() for place in chunk.places()] == [
        f"{path}:{row}" for row in range(41, 81)
    ]
    assert [sum(chunk.n_rows for chunk in part.chunks()) for part in parts] == [20, 20]
    assert [len(part.files) for part in parts] == [0, 0]
    assert len(second.split(1)) == 4


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("n_columns", [0, 2])
def test_a_table_without_rows_has_the_columns_that_are_read(
    n_columns: int, whole: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": pa.array([], pa.string()), "id": pa.array([], pa.int64())}
    # Without a row group, and with one that is empty.
    for n_groups in (0, 1):
        with pq.ParquetWriter(path, pa.table(columns).schema) as writer:
            if n_groups:
                writer.write_table(pa.table(columns))
        shard = shard_of(path).with_columns(Columns(("text",), ("id",)[:n_columns], whole=whole))
        assert shard.split(1) == [shard]
        (chunk,) = shard.chunks()
        assert isinstance(chunk, TableChunk)
        assert (chunk.n_rows, chunk.read_bytes) == (0, shard.n_bytes)
        assert chunk.rows.schema.names == (["text", "id"] if whole or n_columns else ["text"])
        assert chunk.codec == "SNAPPY"


@pytest.mark.parametrize("whole", [False, True])
def test_only_the_wanted_columns_are_read_unless_all_are(whole: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"id": [1], "text": ["a"], "more": [2.5]}),
        path,
        compression={"id": "gzip", "text": "zstd", "more": "none"},
    )
    (chunk,) = shard_of(path).with_columns(Columns(("text",), ("id",), whole=whole)).chunks()
    assert isinstance(chunk, TableChunk)
    assert sorted(chunk.rows.schema.names) == (["id", "more", "text"] if whole else ["id", "text"])
    # That of the first column.
    assert chunk.codec == "GZIP"
    assert chunk.n_rows == 1


def test_chunks_have_65_536_rows_at_most_and_one_at_least(tmp_path: Path) -> None:
    shard = write_rows(tmp_path / "short.parquet", [""] * 140_000)
    assert [chunk.n_rows for chunk in shard.chunks()] == [65_536, 65_536, 8_928]
    pq.write_table(pa.table({"text": [""] * 140_000}), tmp_path / "same.parquet")
    assert [chunk.n_rows for chunk in shard_of(tmp_path / "same.parquet").chunks()] == [65_536, 65_536, 8_928]
    shard = write_rows(tmp_path / "long.parquet", ["x" * 5_000_000] * 3)
    assert [chunk.n_rows for chunk in shard.chunks()] == [1, 1, 1]


def test_large_row_groups_are_read_together_and_small_ones_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for n_rows, expected in ((70_000, [65_536, 65_536, 8_928]), (3, [3, 3])):
        chunks = list(write_rows(path, ["x"] * 2 * n_rows, n_rows).chunks())
        assert [chunk.n_rows for chunk in chunks] == expected
        places = [place for chunk in chunks for place in chunk.places()]
        assert places == [f"{path}:{i}" for i in range(1, 2 * n_rows + 1)]


def test_rows_that_share_a_long_value_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["x" * 1_000_000] * 20}), path, row_group_size=10)
    shard = shard_of(path).with_columns(Columns(("text",), max_document_bytes=1_000_000))
    chunks = list(shard.chunks())
    assert [chunk.n_rows for chunk in chunks] == [4, 4, 2] * 2
    assert [place for chunk in chunks for place in chunk.places()] == [f"{path}:{i}" for i in range(1, 21)]
    assert sum(chunk.read_bytes for chunk in chunks) == shard.n_bytes


@pytest.mark.parametrize(
    ("said", "shown"), [("no such block\nof the disk", "no such block"), ("", "unknown error")]
)
def test_an_error_of_the_system_is_shown_in_one_line(
    said: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(said)

    shard = write_rows(tmp_path / "a.parquet", ["a"])
    monkeypatch.setattr(pq, "ParquetFile", refuse)
    with pytest.raises(UnreadableFileError) as caught:
        list(shard.chunks())
    assert str(caught.value) == f"{tmp_path / 'a.parquet'}: not a readable Parquet file: {shown}"
