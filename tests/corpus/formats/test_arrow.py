"""Arrow files and streams: damaged ones, and bad rows."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.forms import shard_of
from support.refusals import GOOD, TEXT, arrow_bytes, invalid_strings, message

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.files.file_shard import FileShard

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


def write_batches(path: Path, n_batches: int, rows_of_batch: int) -> Shard:
    """Write a file of record batches of rows of 100 kB, and return the shard."""
    batch = pa.record_batch({"text": ["x" * 100_000] * rows_of_batch}, pa.schema({"text": pa.string()}))
    with pa.ipc.new_file(str(path), batch.schema) as sink:
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
    path = tmp_path / "a.arrow"
    batch = pa.record_batch({"text": ["x" * 100_000] * 10})
    ends = [0]
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, batch.schema) as sink:
        for _ in range(3):
            sink.write_batch(batch)
            ends.append(file.tell())
    shard = shard_of(path)
    read_bytes = [chunk.read_bytes for chunk in shard.chunks()]
    # The end of the stream is read with the last batch.
    ends[-1] = shard.n_bytes or 0
    assert read_bytes == [end - begin for begin, end in itertools.pairwise(ends)]


def test_the_parts_of_a_file_are_record_batches_of_about_the_wanted_size(tmp_path: Path) -> None:
    shard = write_batches(tmp_path / "a.arrow", 6, 10)
    parts = shard.split(2_000_000)
    assert [sum(chunk.n_rows for chunk in part.chunks()) for part in parts] == [20, 20, 20]
    assert [len(part.files) for part in parts] == [1, 0, 0]
    assert [place for part in parts for chunk in part.chunks() for place in chunk.places()] == [
        f"{tmp_path / 'a.arrow'}:{row}" for row in range(1, 61)
    ]


def test_a_file_of_unknown_size_is_divided_by_its_record_batches_and_counts_nothing(tmp_path: Path) -> None:
    # As a remote file may be.
    shard = write_batches(tmp_path / "a.arrow", 4, 2)
    assert isinstance(shard, FileShard)
    shard.n_bytes = None
    assert [chunk.read_bytes for chunk in shard.chunks()] == [0] * 4
    parts = shard.split(2)
    assert [part.n_bytes for part in parts] == [0, 0]
    assert [[chunk.read_bytes for chunk in part.chunks()] for part in parts] == [[0, 0]] * 2
    assert len(shard.split(1)) == 4


def test_a_part_is_divided_like_a_whole_file(tmp_path: Path) -> None:
    _, second = write_batches(tmp_path / "a.arrow", 8, 10).split(4_000_000)
    total = second.n_bytes or 0
    assert [chunk.read_bytes for chunk in second.chunks()][:3] == [total // 4] * 3
    parts = second.split(2_000_000)
    assert [place for part in parts for chunk in part.chunks() for place in chunk.places()] == [
        f"{tmp_path / 'a.arrow'}:{row}" for row in range(41, 81)
    ]
    assert [sum(chunk.n_rows for chunk in part.chunks()) for part in parts] == [20, 20]
    assert [len(part.files) for part in parts] == [0, 0]
    assert len(second.split(1)) == 4


def test_a_file_that_cannot_be_read_or_has_no_record_batch_is_one_part(tmp_path: Path) -> None:
    shard = write_batches(tmp_path / "a.arrow", 0, 0)
    assert shard.split(1) == [shard]
    assert [chunk.n_rows for chunk in shard.chunks()] == [0]
    assert [chunk.read_bytes for chunk in shard.chunks()] == [shard.n_bytes]
    (tmp_path / "a.arrow").write_bytes(b"ARROW1 and no more")
    assert shard.split(1) == [shard]


@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
def test_record_batches_without_rows_are_passed_over(streamed: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    schema = pa.schema({"text": pa.string()})
    with (pa.ipc.new_stream if streamed else pa.ipc.new_file)(str(path), schema) as sink:
        for texts in ([], ["a", "b"], [], ["c"], []):
            sink.write_batch(pa.record_batch({"text": texts}, schema))
    shard = shard_of(path)
    chunks = list(shard.chunks())
    assert [chunk.n_rows for chunk in chunks] == [2, 1]
    assert [place for chunk in chunks for place in chunk.places()] == [f"{path}:{row}" for row in (1, 2, 3)]
    assert sum(chunk.read_bytes for chunk in chunks) == shard.n_bytes


def test_chunks_have_65_536_rows_at_most_and_one_at_least(tmp_path: Path) -> None:
    batch = pa.record_batch({"text": [""] * 140_000})
    with pa.ipc.new_file(str(tmp_path / "short.arrow"), batch.schema) as sink:
        sink.write_batch(batch)
    shard = shard_of(tmp_path / "short.arrow")
    assert [chunk.n_rows for chunk in shard.chunks()] == [65_536, 65_536, 8_928]
    batch = pa.record_batch({"text": ["x" * 5_000_000] * 3})
    with pa.ipc.new_file(str(tmp_path / "long.arrow"), batch.schema) as sink:
        sink.write_batch(batch)
    assert [chunk.n_rows for chunk in shard_of(tmp_path / "long.arrow").chunks()] == [1, 1, 1]


def test_rows_that_share_a_long_value_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    column = pa.array(["x" * 1_000_000] * 10).dictionary_encode()
    batch = pa.record_batch({"text": column})
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), batch.schema) as sink:
        sink.write_batch(batch)
    shard = shard_of(tmp_path / "a.arrow").with_columns(Columns(("text",), max_document_bytes=1_000_000))
    assert [chunk.n_rows for chunk in shard.chunks()] == [4, 4, 2]


@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
def test_large_strings_and_dictionaries_that_contradict_themselves_are_named(
    streamed: bool, tmp_path: Path
) -> None:
    offsets = pa.array([0, 3, 1 << 40, 6], pa.int64()).buffers()[1]
    texts = pa.Array.from_buffers(pa.large_string(), 3, [None, offsets, pa.py_buffer(b"abcdef")])
    indices = pa.array([0, 7, 1], pa.int8())
    words = pa.DictionaryArray.from_arrays(indices, ["a", "b"], safe=False)
    path = tmp_path / "a.arrow"
    for column in (texts, words):
        path.write_bytes(arrow_bytes(column, streamed=streamed))
        error = message(path, tmp_path, portrait.UnreadableFileError)
        assert error.startswith(f"{path}: not a readable Arrow file: ")


@pytest.mark.parametrize(
    ("said", "shown"), [("no such block\nof the disk", "no such block"), ("", "unknown error")]
)
def test_an_error_of_the_system_is_shown_in_one_line(
    said: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OSError(said)

    shard = write_batches(tmp_path / "a.arrow", 1, 1)
    monkeypatch.setattr("portrait.corpus.formats.arrow.open_native", refuse)
    with pytest.raises(portrait.UnreadableFileError) as caught:
        list(shard.chunks())
    assert str(caught.value) == f"{tmp_path / 'a.arrow'}: not a readable Arrow file: {shown}"


def test_a_dictionary_of_views_is_read(tmp_path: Path) -> None:
    # As polars writes categories.
    words = pa.array(["a" * 20, "b" * 30], pa.string_view())
    column = pa.DictionaryArray.from_arrays(pa.array([1, None, 0, 1], pa.uint32()), words)
    batch = pa.record_batch({"text": column})
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), batch.schema) as sink:
        sink.write_batch(batch)
    (chunk,) = shard_of(tmp_path / "a.arrow").chunks()
    assert chunk.batch().texts.to_pylist() == ["b" * 30, None, "a" * 20, "b" * 30]
    assert chunk.slice(2, 4).batch().texts.to_pylist() == ["a" * 20, "b" * 30]
