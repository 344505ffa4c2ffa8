"""Shards of one file, and units grouped into runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from support.remote_files import FILES

from portrait.corpus.columns import Columns
from portrait.corpus.files.file_shard import FileShard, SequentialShard, UnitRun, runs
from portrait.corpus.files.listing import list_files
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_file_is_an_error_when_its_shard_is_made(tmp_path: Path) -> None:
    for kind in (FileShard, SequentialShard):
        with pytest.raises(UnreadableFileError, match=r"missing: No such file"):
            kind(tmp_path / "missing", Columns())


def test_a_shard_has_the_label_size_stamp_and_digest_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    shard = FileShard(path, Columns())
    assert (shard.label, shard.n_bytes, shard.read_once) == (str(path), 5, False)
    assert [file.path for file in shard.files] == [stamp.path for stamp in shard.stamps()] == [str(path)]
    assert shard.digests() == {str(path): xxhash.xxh3_128_hexdigest(b"12345")}
    assert list(map(id, shard.split(1))) == [id(shard)]
    assert shard.excerpt(1) is shard
    # A sequential shard is hashed while it is read, and has no digest before.
    assert SequentialShard(path, Columns()).digests() == {}


def test_a_remote_file_is_not_fetched_again_for_its_digest(web: str) -> None:
    ((file,), _) = list_files(f"{web}/a.parquet")
    shard = FileShard(file, Columns())
    assert (shard.digests(), shard.n_bytes) == ({}, len(FILES["a.parquet"]))


@pytest.mark.parametrize(
    ("sizes", "n_bytes", "total", "expected"),
    [
        ([], 10, 0, []),
        ([5], 10, 7, [UnitRun(0, 1, 7)]),
        ([5, 5, 5], 10, 15, [UnitRun(0, 2, 10), UnitRun(2, 3, 5)]),
        ([5, 5, 5, 5], 10, 40, [UnitRun(0, 2, 20), UnitRun(2, 4, 20)]),
        ([100, 1], 10, 101, [UnitRun(0, 1, 100), UnitRun(1, 2, 1)]),
        ([0, 0], 1, 9, [UnitRun(0, 2, 9)]),
    ],
)
def test_units_are_grouped_into_runs(
    sizes: list[int], n_bytes: int, total: int, expected: list[UnitRun]
) -> None:
    assert runs(sizes, n_bytes, total) == expected


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 100), st.integers(0, 1000))
def test_runs_cover_every_unit_once_and_all_bytes(sizes: list[int], n_bytes: int, total: int) -> None:
    grouped = runs(sizes, n_bytes, total)
    assert [i for run in grouped for i in range(run.begin, run.end)] == list(range(len(sizes)))
    assert sum(run.n_bytes for run in grouped) == total
    assert all(sum(sizes[run.begin : run.end]) >= n_bytes for run in grouped[:-1])
