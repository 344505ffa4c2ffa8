"""Arrow files and streams: damaged ones, and bad rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.forms import shard_of
from support.refusals import GOOD, TEXT, arrow_bytes, invalid_strings, message

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.corpus.shards import Shard


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


def write_batches(path: Path, n_batches: int, rows_of_batch: int, *, streamed: bool = False) -> Shard:
    """Write record batches of rows of 100 kB, and return the shard."""
    batch = pa.record_batch({"text": ["x" * 100_000] * rows_of_batch})
    with (pa.ipc.new_stream if streamed else pa.ipc.new_file)(str(path), batch.schema) as sink:
        for _ in range(n_batches):
            sink.write_batch(batch)
    return shard_of(path)


def test_what_was_read_is_counted_with_the_last_rows_of_each_record_batch(tmp_path: Path) -> None:
    # A batch of 10 MB is decoded in pieces of about 4 MB.
    shard = write_batches(tmp_path / "a.arrow", 4, 100)
    chunks = list(shard.chunks())
    total = shard.n_bytes or 0
    assert [chunk.n_rows for chunk in chunks] == [41, 41, 18] * 4
    assert [chunk.read_bytes for chunk in chunks[:-1]] == [0, 0, total // 4] * 3 + [0, 0]
    assert chunks[-1].read_bytes == total - 3 * (total // 4)
    even = write_batches(tmp_path / "even.arrow", 2, 82)
    assert [chunk.read_bytes for chunk in even.chunks()][:3] == [0, (even.n_bytes or 0) // 2, 0]


def test_what_was_read_of_a_stream_is_where_it_stands(tmp_path: Path) -> None:
    shard = write_batches(tmp_path / "a.arrow", 3, 10, streamed=True)
    read_bytes = [chunk.read_bytes for chunk in shard.chunks()]
    assert len(read_bytes) == 3
    assert all(1_000_000 < n < 1_010_000 for n in read_bytes)
    assert sum(read_bytes) == shard.n_bytes


def test_the_parts_of_a_file_are_record_batches_of_about_the_wanted_size(tmp_path: Path) -> None:
    shard = write_batches(tmp_path / "a.arrow", 6, 10)
    parts = shard.split(2_000_000)
    assert [sum(chunk.n_rows for chunk in part.chunks()) for part in parts] == [20, 20, 20]
    assert [len(part.files) for part in parts] == [1, 0, 0]
    assert [place for part in parts for chunk in part.chunks() for place in chunk.places()] == [
        f"{tmp_path / 'a.arrow'}:{row}" for row in range(1, 61)
    ]
