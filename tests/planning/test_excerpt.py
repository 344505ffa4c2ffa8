"""The first rows of a shard."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support.chunked_shard import ChunkedShard

from portrait.corpus.columns import Columns
from portrait.corpus.resolve import resolve
from portrait.planning.excerpt import Excerpt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = b'{"text": "one of many rows"}\n' * 200_000


def read(excerpt: Excerpt) -> int:
    """Read an excerpt to its end, and return the number of its rows."""
    n_rows = 0
    for chunk in excerpt.chunks():
        n_rows += chunk.n_rows
        excerpt.count(chunk.read_bytes, chunk.n_rows, 16 * chunk.n_rows)
    return n_rows


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_reading_stops_at_the_limit(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(gzip.compress(ROWS) if name.endswith(".gz") else ROWS)
    (source,) = resolve(tmp_path / name)
    (shard,) = source.shards
    part = Excerpt(shard, 1000)
    assert (part.files, part.label) == ([], shard.label)
    assert 0 < read(part) <= 200_000
    assert 0 < part.read_bytes <= (shard.n_bytes or 0)
    whole = Excerpt(shard, len(ROWS))
    assert read(whole) == 200_000
    assert whole.whole


def test_a_plain_file_is_read_in_part(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    (source,) = resolve(tmp_path / "a.jsonl")
    part = Excerpt(source.shards[0], 1000)
    assert read(part) < 200_000
    assert not part.whole


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_the_text_of_a_compressed_excerpt_is_that_of_the_bytes_read(suffix: str, tmp_path: Path) -> None:
    dice = random.Random(1)
    lines = (json.dumps({"text": f"{dice.getrandbits(2000):x}"}) + "\n" for _ in range(12_000))
    rows = "".join(lines).encode()
    path = tmp_path / f"a.jsonl{suffix}"
    compress: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lambda data: lzma.compress(data, preset=0),
        ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    }
    path.write_bytes(compressed := compress[suffix](rows))
    (source,) = resolve(path)
    excerpt = Excerpt(source.shards[0], 1_000_000)
    n_rows = 0
    for chunk in excerpt.chunks():
        n_rows += chunk.n_rows
        excerpt.count(chunk.read_bytes, chunk.n_rows, 500 * chunk.n_rows)
    assert not excerpt.whole
    # bzip2 holds back blocks of 900 kB. Chunks of a Zstandard file span what is read at once: half of
    # the last one is taken to be of earlier bytes.
    tolerance = {".bz2": 0.2, ".zst": 0.3}.get(suffix, 0.05)
    assert n_rows / excerpt.read_bytes == pytest.approx(12_000 / len(compressed), rel=tolerance)


def chunks_read(excerpt: Excerpt, text_bytes: int) -> int:
    """Read an excerpt whose chunks have ``text_bytes`` of text each, and return how many were read."""
    n_chunks = 0
    for chunk in excerpt.chunks():
        n_chunks += 1
        excerpt.count(chunk.read_bytes, chunk.n_rows, text_bytes)
    return n_chunks


@pytest.mark.parametrize(("limit", "n_chunks"), [(1, 1), (50, 1), (51, 2), (100, 2), (101, 3)])
@pytest.mark.parametrize("label", ["a.jsonl", "a.jsonl.gz"])
def test_chunks_are_read_until_their_text_reaches_the_limit(label: str, limit: int, n_chunks: int) -> None:
    excerpt = Excerpt(ChunkedShard(9, document_bytes=7, label=label), limit)
    assert excerpt.read_bytes == 0
    assert chunks_read(excerpt, 50) == n_chunks
    assert excerpt.read_bytes == 7 * n_chunks
    assert not excerpt.whole


def test_a_report_without_text_does_not_bring_the_limit_nearer() -> None:
    excerpt = Excerpt(ChunkedShard(9), 100)
    chunks = excerpt.chunks()
    excerpt.count(next(chunks).read_bytes, 1, 99)
    for _ in range(4):
        excerpt.count(next(chunks).read_bytes)
    excerpt.count(next(chunks).read_bytes, 1, 1)
    assert list(chunks) == []
    assert excerpt.read_bytes == 600


@pytest.mark.parametrize("label", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_shard_that_ends_before_the_limit_is_whole(label: str) -> None:
    for is_sized in (True, False):
        excerpt = Excerpt(ChunkedShard(3, label=label, is_sized=is_sized), 1000)
        assert (chunks_read(excerpt, 100), excerpt.read_bytes, excerpt.whole) == (3, 300, True)


def test_a_plain_file_is_whole_when_all_its_bytes_are_read_even_at_the_limit() -> None:
    at_the_end = Excerpt(ChunkedShard(3), 300)
    assert (chunks_read(at_the_end, 100), at_the_end.whole) == (3, True)
    unsized = Excerpt(ChunkedShard(3, is_sized=False), 300)
    assert (chunks_read(unsized, 100), unsized.whole) == (3, False)


def test_a_compressed_file_is_not_whole_while_its_decoder_may_hold_text_back() -> None:
    # All of the file's bytes came with the first chunk, but more text follows.
    excerpt = Excerpt(ChunkedShard(3, label="a.jsonl.gz", extra_bytes=-200), 100)
    assert (chunks_read(excerpt, 100), excerpt.read_bytes) == (1, 100)
    assert not excerpt.whole


def test_a_document_that_is_a_file_is_whole_only_if_all_its_bytes_are_read() -> None:
    # Of a document that is longer than the sample, only the beginning is in its chunk.
    for n_unread in (0, 1):
        shard = ChunkedShard(1, label="a.txt.gz", kind="txt", extra_bytes=n_unread)
        excerpt = Excerpt(shard, 1000)
        assert (chunks_read(excerpt, 100), excerpt.whole) == (1, n_unread == 0)


def test_plain_text_is_read_up_to_the_limit_even_if_it_is_compressed() -> None:
    excerpt = Excerpt(ChunkedShard(9, label="a.txt.gz and 8 more.gz", kind="txt"), 200)
    assert (chunks_read(excerpt, 100), excerpt.read_bytes) == (2, 200)
    # No decoder of one stream reads ahead from one document to the next.
    unread = Excerpt(ChunkedShard(9, document_bytes=0, label="a.txt.gz and 8 more.gz", kind="txt"), 200)
    assert chunks_read(unread, 100) == 2


@pytest.mark.parametrize(("label", "n_chunks"), [("a.jsonl", 1), ("a.jsonl.xz", 3)])
def test_a_decoder_s_output_is_read_64_megabytes_beyond_the_limit_at_most(label: str, n_chunks: int) -> None:
    # The chunks come of input that was read before, so that it is not known how much text it gives.
    excerpt = Excerpt(ChunkedShard(9, document_bytes=0, label=label), 10)
    assert chunks_read(excerpt, 1 << 25) == n_chunks


def test_half_of_the_chunk_that_spans_two_inputs_is_taken_to_be_of_the_first() -> None:
    excerpt = Excerpt(ChunkedShard(9, document_bytes=1000, label="a.jsonl.zst"), 300)
    chunks = excerpt.chunks()
    excerpt.count(next(chunks).read_bytes, 1, 300)
    excerpt.count(next(chunks).read_bytes, 1, 100)
    assert list(chunks) == []
    # 1,000 bytes gave 350 bytes of text; there are 400.
    assert excerpt.read_bytes == round(1000 * 400 / 350)


def test_the_rest_of_a_line_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "one"}\n' + b"x" * (3 << 20) + b"\n" + ROWS)
    (source,) = resolve(tmp_path / "a.jsonl", column=Columns(max_document_bytes=100))
    excerpt = Excerpt(source.shards[0], 1 << 30)
    assert read(excerpt) == 2
    assert not excerpt.whole
