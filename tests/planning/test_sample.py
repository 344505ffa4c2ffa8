"""``take``: what a sample reads, counts and times."""

from __future__ import annotations

import gzip
import itertools
import math
from typing import TYPE_CHECKING, Any

import pytest
from support.chunked_shard import ChunkedShard

from portrait.building.reader import ReadOptions
from portrait.corpus.resolve import resolve
from portrait.corpus.shards import Source
from portrait.errors import BadRowError, SpecError, UnreadableFileError
from portrait.planning.sample import Sample, take
from portrait.spec import Stride, WindowSpec

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ReadOptions(WindowSpec())
SKIPPING = ReadOptions(WindowSpec(), on_error="skip")


def sample_of(*shards: ChunkedShard, max_text_bytes: int, reading: ReadOptions = OPTIONS) -> Sample:
    """Return a sample of a source of these shards, for which there is all the time in the world."""
    sources = [Source("main", shards=list(shards))]
    return take(sources, reading, max_text_bytes, math.inf, of_windows=False)


def documents_of_places(sample: Sample) -> list[int]:
    """Return the number of documents that were read at each place."""
    return [
        read.counts["main"].documents
        for stratum in sample.strata
        for shard in stratum.shards
        for read in shard.reads
    ]


def test_a_small_corpus_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    sample = take(resolve(tmp_path / "a.jsonl"), OPTIONS, 1000, 1.0, of_windows=False)
    assert sample.whole
    assert (sample.text_bytes, sample.counts["main"].documents, len(sample.keys["main"])) == (6, 2, 2)
    assert sample.filter_seconds == 0
    assert (sample.n_bad_rows, sample.first_bad_row, sample.n_shards) == (0, "", (1, 1))


def test_filling_a_filter_is_timed_where_windows_are_stored(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a text of some length " * 20)
    sample = take(resolve(tmp_path / "a.txt"), OPTIONS, 1000, 1.0, of_windows=True)
    assert sample.filter_seconds > 0


def test_every_source_is_read_even_in_no_time(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text(f"text {name}")
    sources = {name: tmp_path / f"{name}.txt" for name in ("a", "b", "c")}
    sample = take(resolve(sources), OPTIONS, 1, 0.0, of_windows=False)
    assert set(sample.counts) == {"a", "b", "c"}


def test_of_many_sources_the_first_hundred_are_read_in_any_case() -> None:
    sources = [Source(f"{i:03}", shards=[ChunkedShard(9)]) for i in range(120)]
    sample = take(sources, OPTIONS, 1, 0.0, of_windows=False)
    assert list(sample.counts) == [f"{i:03}" for i in range(100)]


def test_each_source_is_read_before_any_is_read_twice() -> None:
    formats: list[Any] = ["jsonl", "csv", "tsv"]
    many = [ChunkedShard(9, kind=kind, label=f"{i}.{kind}{i}") for kind in formats for i in range(40)]
    sources = [Source("many", shards=[*many]), Source("few", shards=[ChunkedShard(9)])]
    sample = take(sources, OPTIONS, 1, 0.0, of_windows=False)
    assert list(sample.counts) == ["many", "few"]
    assert sample.n_shards == (100, 121)


@pytest.mark.parametrize(
    ("shard", "documents"),
    [
        # 3,200 bytes of text are expected, which is not too much: places are read to their ends.
        (ChunkedShard(64, document_bytes=50), [2] * 16),
        # A little more is expected: all of 32 places are read in part.
        (ChunkedShard(64, document_bytes=51), [1] * 32),
        # A byte of Parquet is expected to be three of text: 4,800 bytes.
        (ChunkedShard(64, document_bytes=25, kind="parquet"), [1] * 32),
    ],
)
def test_a_sample_of_all_places_is_read_if_there_is_more_text_than_wanted(
    shard: ChunkedShard, documents: list[int]
) -> None:
    sample = sample_of(shard, max_text_bytes=3200)
    assert sample.text_bytes == 3200
    assert documents_of_places(sample) == documents


def test_a_document_is_read_even_if_there_are_more_places_than_bytes_wanted() -> None:
    assert documents_of_places(sample_of(ChunkedShard(320, "x", 1), max_text_bytes=1)) == [1]
    compressed = [ChunkedShard(9, "x", 1, f"{i}.jsonl.gz") for i in range(3)]
    assert documents_of_places(sample_of(*compressed, max_text_bytes=1)) == [1]


def test_a_shard_of_unknown_size_must_fit_its_part_of_the_sample() -> None:
    unknown = ChunkedShard(8, is_sized=False)
    sample = sample_of(unknown, max_text_bytes=1000)
    assert (sample.whole, sample.text_bytes) == (True, 800)
    assert [read.n_bytes for read in sample.strata[0].shards[0].reads] == [0]
    known = ChunkedShard(1, label="a.csv", kind="csv")
    with pytest.raises(SpecError, match=r"a\.jsonl: its size is unknown before it is read, and larger than"):
        sample_of(unknown, known, max_text_bytes=1000)
    assert sample_of(unknown, known, max_text_bytes=1602).whole


def test_the_bytes_of_a_place_are_those_read_or_all_of_a_whole_one() -> None:
    part = sample_of(ChunkedShard(64, document_bytes=51), max_text_bytes=3200)
    assert {read.n_bytes for read in part.strata[0].shards[0].reads} == {51}
    # All documents of a compressed file are read, whatever was counted for each.
    whole = sample_of(ChunkedShard(3, label="a.jsonl.gz"), max_text_bytes=10_000)
    assert [read.n_bytes for read in whole.strata[0].shards[0].reads] == [300]
    assert whole.whole


def test_a_sample_ends_at_four_million_keys() -> None:
    # Each document has 131,072 windows, and each of 32 places four documents.
    text = ("xy" * (1 << 17))[: (1 << 17) + 49]
    reading = ReadOptions(WindowSpec(50, Stride(1)), documents="none")
    shard = ChunkedShard(128, text, len(text))
    sample = sample_of(shard, max_text_bytes=1 << 30, reading=reading)
    assert sum(map(len, sample.keys["main"])) == 1 << 22
    assert documents_of_places(sample) == [4] * 8


def test_four_megabytes_of_a_document_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * (9 << 20))
    sample = take(resolve(tmp_path / "a.txt"), OPTIONS, 1 << 30, math.inf, of_windows=False)
    assert (1 << 22) - 4 <= sample.text_bytes <= 1 << 22


def test_a_sample_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each look at the clock takes a second: one before a place, one after it, one for whether to go on.
    clock = itertools.count(100.0)
    monkeypatch.setattr("portrait.planning.sample.time.perf_counter", lambda: next(clock))
    sources = [Source("main", shards=[ChunkedShard(64)])]
    sample = take(sources, OPTIONS, 1 << 30, 6.0, of_windows=False)
    assert len(documents_of_places(sample)) == 2
    assert sample.strata[0].seconds == 2.0


def test_the_time_to_fill_a_filter_is_not_a_time_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(100.0)
    monkeypatch.setattr("portrait.planning.sample.time.perf_counter", lambda: next(clock))
    sources = [Source("main", shards=[ChunkedShard(3, label="a.jsonl.gz")])]
    sample = take(sources, OPTIONS, 1 << 30, 1.0, of_windows=True)
    assert sample.filter_seconds == 3.0
    # Of seven seconds from the first look at the clock to the last, three are for filters.
    assert sample.strata[0].seconds == 4.0


@pytest.mark.parametrize("name", ["some.jsonl", "some.jsonl.gz"])
def test_bad_rows_are_counted_if_others_can_be_read(name: str, tmp_path: Path) -> None:
    # Each row of the plain file is a place.
    rows = b'{"text": 1}\n{"text": "good"}\n{"text": 2}\n'
    (tmp_path / name).write_bytes(gzip.compress(rows) if name.endswith(".gz") else rows)
    for reading in (OPTIONS, SKIPPING):
        sample = take(resolve(tmp_path / name), reading, 1000, 1.0, of_windows=False)
        assert (sample.n_bad_rows, sample.counts["main"].documents) == (2, 1)
        assert sample.first_bad_row.startswith(f"{tmp_path / name}, line 1: ")


def test_rows_all_of_which_are_bad_are_an_error_unless_they_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": 1}\n{"text": 2}\n')
    (tmp_path / "good.csv").write_text("text\ngood\n")
    with pytest.raises(BadRowError, match=r"bad\.jsonl, line 1: "):
        take(resolve(tmp_path), OPTIONS, 1000, 1.0, of_windows=False)
    sample = take(resolve(tmp_path), SKIPPING, 1000, 1.0, of_windows=False)
    assert (sample.n_bad_rows, sample.counts["main"].documents) == (2, 1)


def test_the_first_of_several_bad_rows_is_named(tmp_path: Path) -> None:
    rows = gzip.compress(b'{"text": "good"}\n{"text": 1}\n{"text": 2}\n')
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl.gz").write_bytes(rows)
    sample = take(resolve(tmp_path), OPTIONS, 1000, 1.0, of_windows=False)
    assert sample.n_bad_rows == 4
    assert sample.first_bad_row.startswith(f"{tmp_path / 'a.jsonl.gz'}, line 2: ")


def test_a_file_without_rows_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    sample = take(resolve(tmp_path / "a.jsonl"), OPTIONS, 1000, 1.0, of_windows=False)
    assert (sample.whole, sample.text_bytes, sample.n_bad_rows) == (True, 0, 0)


def test_a_file_that_cannot_be_read_is_an_error_unless_it_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "one"}\n' * 9)[:-9])
    with pytest.raises(UnreadableFileError, match=r"a\.jsonl\.gz"):
        take(resolve(path), OPTIONS, 1000, 1.0, of_windows=False)
    assert take(resolve(path), SKIPPING, 1000, 1.0, of_windows=False).n_bad_rows == 0
