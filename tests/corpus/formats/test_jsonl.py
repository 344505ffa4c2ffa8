"""Files of JSON lines, whole and in ranges."""

from __future__ import annotations

import gzip
import json
import os
import random
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.documents import PROSE, built, zstd
from support.documents import lines as lines_of
from support.forms import lines, rows, shard_of
from support.refusals import GOOD, message

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.files.streams import ByteStream
from portrait.corpus.formats.jsonl import line_chunks
from portrait.corpus.formats.lines import LinesChunk, OversizedLine
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_bad_line_after_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b'{"text": null}\n')
    assert message(path, tmp_path, portrait.BadRowError).startswith(f"{path}, line 2: ")


def noise(n_bytes: int) -> bytes:
    """Return lines that do not compress, so that damage falls within them."""
    rows = (json.dumps({"text": os.urandom(100).hex()}) for _ in range(n_bytes // 200))
    return "\n".join(rows).encode()


def test_a_truncated_file_is_named_with_the_line_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    whole, rest = b'{"text": "x"}\n' * 500_000, noise(100_000)
    # Two members of gzip: all of the first can be read, and nothing of the second.
    path.write_bytes(gzip.compress(whole) + gzip.compress(rest)[:11])
    error = message(path, tmp_path, portrait.UnreadableFileError)
    line = int(error.rpartition("from line ")[2].split()[0])
    lines_per_chunk = (1 << 20) // 14 + 1
    assert 500_001 - lines_per_chunk <= line <= 500_001


def long_documents() -> list[str]:
    """Return short texts and texts of several megabytes in turn."""
    return ["first", "é🦀 long line; " * 250_000, "between", "x" * 3_000_000, PROSE]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_lines_longer_than_any_buffer_are_read_whole(suffix: str, tmp_path: Path) -> None:
    texts = long_documents()
    data = lines_of(texts, ascii_only=False)
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes({"": data, ".gz": gzip.compress(data, 1), ".zst": zstd(data)}[suffix])
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    assert built(path, tmp_path / "1") == built(tmp_path / "a.parquet", tmp_path / "2")


def test_lines_across_many_buffers_are_read_once_each(tmp_path: Path) -> None:
    texts = [f"{i}: {'lorem ipsum ' * (i % 50)}" for i in range(12_000)]
    (tmp_path / "a.jsonl").write_bytes(lines_of(texts, end="\r\n\r\n"))
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", row_group_size=1000)
    layer, data = built(tmp_path / "a.jsonl", tmp_path / "1")
    assert layer.documents == len(texts)
    assert (layer, data) == built(tmp_path / "a.parquet", tmp_path / "2")


@settings(max_examples=150, deadline=None)
@given(
    json_rows=st.lists(
        st.sampled_from([b"", b"{}", b'{"text":"a"}', b'{"text":"' + b"b" * 50 + b'"}']), max_size=12
    ),
    ended=st.booleans(),
    n_bytes=st.integers(1, 60),
)
def test_lines_have_the_right_numbers_wherever_a_part_begins(
    json_rows: list[bytes], ended: bool, n_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = b"\n".join(json_rows) + b"\n" * ended
    path = tmp_path_factory.getbasetemp() / "ranges.jsonl"
    path.write_bytes(data)
    expected = [f"{path}:{i + 1}" for i, row in enumerate(data.split(b"\n")) if row]
    places = [
        place for part in shard_of(path).split(n_bytes) for chunk in part.chunks() for place in chunk.places()
    ]
    assert places == expected


@pytest.mark.parametrize("bad", range(1, 12, 2))
def test_a_bad_line_of_a_part_is_named_by_its_number_in_the_file(bad: int, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = [json.dumps({"text": "x" * 30})] * 12
    good[bad] = '{"text": null}'
    path.write_text("\n".join(good))
    messages = []
    for part in shard_of(path).split(60):
        for chunk in part.chunks():
            try:
                chunk.batch()
            except BadRowError as error:
                messages.append(str(error))
    assert messages == [f"{path}, line {bad + 1}: column 'text' holds null, not text"]


def test_long_lines_over_many_parts_are_read_once(tmp_path: Path) -> None:
    dice = random.Random(7)
    long = ["x" * dice.choice([1, 100, 200_000, 1_500_000]) for _ in range(12)]
    (tmp_path / "a.jsonl").write_bytes(lines(long))
    shard = shard_of(tmp_path / "a.jsonl")
    parts = shard.split(90_000)
    assert len(parts) > 12
    assert rows(parts) == rows([shard])
    assert [text for text, _ in rows(parts)] == long


def test_a_compressed_file_is_not_divided(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 100)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(GOOD * 100))
    assert len(shard_of(path).split(1000)) == -(-100 * len(GOOD) // 1000)
    assert len(shard_of(tmp_path / "a.jsonl.gz").split(10)) == 1


def chunks_of(*pieces: bytes, max_bytes: int = 1 << 20) -> list[LinesChunk | OversizedLine]:
    """Read lines that come in these pieces."""
    rest = list(pieces)

    def read(_: int) -> bytes:
        return rest.pop(0) if rest else b""

    def position() -> int:
        return sum(map(len, pieces)) - sum(map(len, rest))

    return list(line_chunks(ByteStream("a.jsonl", read, position), Columns(max_document_bytes=max_bytes)))


LINE = b'{"text": "a"}\n'
MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    ("pieces", "places"),
    [
        # As much as the limit may be pending, and a byte more may not.
        ([b"x" * MEBIBYTE, b"\n" + LINE], ["1", "2"]),
        ([b"x" * (MEBIBYTE + 1), b"\n" + LINE], ["oversized 1", "2"]),
        ([LINE + LINE + b"x" * MEBIBYTE, b"x", b"x\n" + LINE], ["1", "2", "oversized 3", "4"]),
        # One after the other, each in several pieces.
        (
            [b"x" * MEBIBYTE, b"x", b"x", b"\n" + b"x" * (MEBIBYTE + 1), b"x\n" + LINE, LINE],
            ["oversized 1", "oversized 2", "3", "4"],
        ),
        ([b"x" * (MEBIBYTE + 1), b"\n" + b"x" * MEBIBYTE, b"\n"], ["oversized 1", "2"]),
        ([LINE, b"x" * (MEBIBYTE + 1)], ["1", "oversized 2"]),
        ([b"x" * (MEBIBYTE + 1), b"\n"], ["oversized 1"]),
    ],
)
def test_a_line_that_is_too_long_is_a_chunk_of_its_own(pieces: list[bytes], places: list[str]) -> None:
    chunks = chunks_of(*pieces)
    assert [
        f"{'oversized ' * isinstance(chunk, OversizedLine)}{place.removeprefix('a.jsonl:')}"
        for chunk in chunks
        for place in chunk.places()
    ] == places
    n_bytes = sum(map(len, pieces))
    # What follows an oversized line in its last piece counts with the next chunk.
    assert sum(chunk.read_bytes for chunk in chunks) <= n_bytes
    if not isinstance(chunks[-1], OversizedLine):
        assert sum(chunk.read_bytes for chunk in chunks) == n_bytes


def test_the_larger_limit_counts_for_long_lines() -> None:
    pieces = [b'{"text": "' + b"x" * MEBIBYTE, b"x" * MEBIBYTE, b'"}\n']
    (chunk,) = chunks_of(*pieces, max_bytes=3 << 20)
    assert chunk.batch().texts.to_pylist() == ["x" * (2 << 20)]
    (chunk,) = chunks_of(*pieces, max_bytes=2 << 20)
    with pytest.raises(BadRowError, match=r"^a\.jsonl, line 1: a line of more than 2,097,152 bytes: "):
        chunk.batch()


def test_only_the_first_line_may_have_a_byte_order_mark() -> None:
    first, second = chunks_of(b"\xef\xbb\xbf" + LINE, b"\xef\xbb\xbf" + LINE)
    assert first.batch().texts.to_pylist() == ["a"]
    with pytest.raises(BadRowError, match=r"^a\.jsonl, line 2: not JSON"):
        second.batch()
