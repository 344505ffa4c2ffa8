"""Counts of a sample, extrapolated: numbers computed by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from portrait.keys.maker import Counts, Keys, keys_within
from portrait.planning.counts import distinct_keys, planned_sources
from portrait.planning.ratio import Cluster, Estimate, Range, estimate
from portrait.planning.sample import Sample
from portrait.planning.strata import PlaceRead, SampledShard, Stratum

if TYPE_CHECKING:
    from collections.abc import Iterable


def counts_of(documents: int, text_bytes: int, windows: int, short: int = 0) -> Counts:
    """Return counts with these values."""
    return Counts(documents=documents, short_documents=short, windows=windows, text_bytes=text_bytes)


def stratum(source: str, kind: str, n_bytes: int, read_bytes: int, **counts: Counts) -> Stratum:
    """Return a stratum of one shard of three files, of which ``read_bytes`` of ``n_bytes`` were read."""
    reads = [PlaceRead(read_bytes, counts)] if counts else []
    whole = read_bytes == n_bytes
    shard = SampledShard(n_bytes, 3, [], 2, n_whole=2 * whole, reads=reads)
    return Stratum(source, kind, f".{kind}", 1.0, [shard])


def keys_of(numbers: Iterable[int]) -> Keys:
    """Return keys."""
    return keys_within(b"".join(number.to_bytes(8, "little") for number in numbers), 0, (1 << 64) - 1)


def test_counts_are_extrapolated_by_bytes() -> None:
    sample = Sample([stratum("a", "jsonl", 1000, 100, a=counts_of(2, 50, 7, short=1))])
    (source,) = planned_sources(sample, by_column=False, document_keys="all")
    assert (source.documents, source.text_bytes, source.windows) == (20, 500, 70)
    assert (source.keys, source.distinct_keys) == (90, 90)
    text = estimate([Cluster(1000, False, ((100, 50),))])
    assert source.text_bytes_range == text.range()
    assert source.text_bytes_range.low < 500 < source.text_bytes_range.high
    (source,) = planned_sources(sample, by_column=False, document_keys="long")
    assert (source.keys, source.distinct_keys) == (80, 80)
    (source,) = planned_sources(sample, by_column=False, document_keys="none")
    assert (source.keys, source.distinct_keys) == (70, 70)


def test_a_whole_sample_leaves_nothing_open() -> None:
    sample = Sample([stratum("a", "jsonl", 100, 100, a=counts_of(2, 50, 4))])
    sample.keys["a"] = [keys_of([1, 2, 2, 3, 3, 3])]
    (source,) = planned_sources(sample, by_column=False, document_keys="all")
    assert (source.text_bytes, source.text_bytes_range) == (50, Range(50, 50))
    assert (source.keys, source.distinct_keys, source.distinct_keys_range) == (6, 3, Range(3, 3))


def test_a_file_of_plain_text_is_one_document() -> None:
    sample = Sample([stratum("a", "txt", 1000, 100, a=counts_of(1, 50, 7))])
    assert planned_sources(sample, by_column=False, document_keys="all")[0].documents == 3


def test_strata_of_one_source_add_up() -> None:
    sample = Sample(
        [
            stratum("a", "jsonl", 1000, 100, a=counts_of(2, 50, 7)),
            stratum("a", "csv", 30, 30, a=counts_of(1, 30, 3)),
        ]
    )
    (source,) = planned_sources(sample, by_column=False, document_keys="none")
    assert (source.documents, source.text_bytes, source.windows, source.keys) == (21, 530, 73, 73)


def test_an_unread_stratum_is_estimated_from_the_others() -> None:
    read = stratum("a", "jsonl", 100, 100, a=counts_of(2, 50, 5))
    sample = Sample([read, stratum("b", "csv", 200, 0)])
    one, other = planned_sources(sample, by_column=False, document_keys="all")
    assert (one.source, one.text_bytes, one.documents, one.windows) == ("a", 50, 2, 5)
    assert (other.source, other.text_bytes, other.documents, other.windows) == ("b", 200, 8, 20)
    assert other.text_bytes_range == Estimate(200, 100.0**2, 1).range()
    (only,) = planned_sources(sample, by_column=True, document_keys="all")
    assert (only.source, only.text_bytes) == ("a", 250)


def test_an_unread_stratum_is_as_uncertain_as_half_of_itself_in_one_place() -> None:
    # Two strata are read at one place each, and the third stands for another.
    read = [stratum("a", kind, 100, 100, a=counts_of(2, 50, 5)) for kind in ("jsonl", "csv")]
    unread = Stratum("a", "tsv", ".tsv", 3.5, [SampledShard(201, 3, [], 2)])
    (source,) = planned_sources(Sample([*read, unread]), by_column=False, document_keys="all")
    expected = 201 * 3.5
    assert source.text_bytes == round(100 + expected)
    assert source.text_bytes_range == Estimate(100 + expected, (expected / 2) ** 2, 3).range()
    assert source.documents == round(4 + 4 * expected / 100)


@pytest.mark.parametrize(("text_bytes", "expected"), [(0, 0), (1, 200), (2, 200)])
def test_little_text_stands_for_an_unread_stratum(text_bytes: int, expected: int) -> None:
    read = stratum("a", "jsonl", 100, 100, a=counts_of(1, text_bytes, 0))
    sample = Sample([read, stratum("b", "csv", 200, 0)])
    _, other = planned_sources(sample, by_column=False, document_keys="all")
    assert other.text_bytes == expected


def test_an_empty_stratum_has_no_text() -> None:
    read = stratum("a", "jsonl", 100, 100, a=counts_of(1, 50, 0))
    empty = Stratum("b", "csv", ".csv", 1.0, [SampledShard(0, 1, [], 1)])
    _, other = planned_sources(Sample([read, empty]), by_column=False, document_keys="all")
    assert (other.text_bytes, other.text_bytes_range) == (0, Range(0, 0))


def test_a_byte_of_text_is_enough_for_a_stratum_to_stand_for_itself() -> None:
    read = stratum("a", "jsonl", 100, 100, a=counts_of(10, 500, 0))
    for text_bytes, expected in ((1, 20), (0, 200)):
        other = stratum("b", "csv", 200, 10, b=counts_of(1, text_bytes, 0))
        _, source = planned_sources(Sample([read, other]), by_column=False, document_keys="all")
        assert source.text_bytes == expected


def test_a_shard_of_unknown_size_that_was_read_whole_counts_what_it_has() -> None:
    shard = SampledShard(None, 3, [], 1, n_whole=1, reads=[PlaceRead(0, {"a": counts_of(2, 50, 5)})])
    sample = Sample([Stratum("a", "auto", "", 1.0, [shard])])
    (source,) = planned_sources(sample, by_column=False, document_keys="all")
    assert (source.documents, source.text_bytes, source.text_bytes_range) == (2, 50, Range(50, 50))


def test_the_number_of_text_files_is_known_however_little_is_read() -> None:
    # Two files of three are read, with a document each; all three have documents.
    for n_bytes, documents in ((1000, 3), (100, 2)):
        sample = Sample(
            [
                stratum("a", "jsonl", 100, 100, a=counts_of(1, 50, 7)),
                stratum("a", "txt", n_bytes, 100, a=counts_of(2, 50, 7)),
            ]
        )
        (source,) = planned_sources(sample, by_column=False, document_keys="all")
        assert source.documents == 1 + documents


@pytest.mark.parametrize(
    ("n_bytes", "read_bytes", "read_share"), [(100, 100, 1.0), (1000, 100, 0.1), (1000, 800, 0.8)]
)
def test_keys_may_repeat_in_the_share_of_the_corpus_that_was_not_read(
    n_bytes: int, read_bytes: int, read_share: float
) -> None:
    sample = Sample([stratum("a", "jsonl", n_bytes, read_bytes, a=counts_of(0, 50, 60))])
    sample.keys["a"] = [keys_of(range(i, i + 10)) for i in range(0, 60, 10)]
    (source,) = planned_sources(sample, by_column=False, document_keys="none")
    keys = estimate([Cluster(n_bytes, n_bytes == read_bytes, ((read_bytes, 60),))])
    assert (source.distinct_keys, source.distinct_keys_range) == distinct_keys(
        keys, sample.keys["a"], read_share
    )


@pytest.mark.parametrize(("n_bytes", "read_share"), [(None, 0.0), (1, 1.0), (2, 0.5), (10, 0.1)])
def test_what_was_read_is_a_share_of_the_bytes_that_are_known(n_bytes: int | None, read_share: float) -> None:
    reads = [PlaceRead(1 if n_bytes else 0, {"a": counts_of(0, 50, 60)})]
    shards = [SampledShard(n_bytes, 1, [], 1 if n_bytes is None else 2, n_whole=1, reads=reads)]
    unread = Stratum("b", "csv", ".csv", 1.0, [SampledShard(None, 1, [], 1)])
    sample = Sample([Stratum("a", "jsonl", ".jsonl", 1.0, shards), unread])
    sample.keys["a"] = [keys_of(range(i, i + 10)) for i in range(0, 60, 10)]
    source, _ = planned_sources(sample, by_column=False, document_keys="none")
    keys = estimate([Cluster(n_bytes or 0, n_bytes is None, ((1 if n_bytes else 0, 60),))])
    assert source.distinct_keys_range == distinct_keys(keys, sample.keys["a"], read_share)[1]


def test_an_empty_file_that_was_not_read_adds_nothing() -> None:
    read = SampledShard(100, 1, [], 1, n_whole=1, reads=[PlaceRead(100, {"a": counts_of(2, 50, 5)})])
    sample = Sample([Stratum("a", "jsonl", ".jsonl", 1.0, [read, SampledShard(0, 1, [], 1)])])
    (source,) = planned_sources(sample, by_column=False, document_keys="all")
    assert (source.text_bytes, source.text_bytes_range) == (50, Range(50, 50))


def test_rows_of_a_source_that_only_some_shards_hold() -> None:
    reads = [PlaceRead(10, {"x": counts_of(1, 8, 1)}), PlaceRead(10, {"y": counts_of(1, 4, 2)})]
    shards = [SampledShard(100, 1, [], 2, reads=[one]) for one in reads]
    sample = Sample([Stratum("main", "jsonl", ".jsonl", 1.0, shards)])
    x, y = planned_sources(sample, by_column=True, document_keys="none")
    assert (x.source, x.text_bytes, x.windows) == ("x", 80, 10)
    assert (y.source, y.text_bytes, y.windows) == ("y", 40, 20)


def test_distinct_keys_of_a_sample_of_unique_ones() -> None:
    places = [keys_of(range(i, i + 10)) for i in range(0, 60, 10)]
    number, between = distinct_keys(Estimate(600, 0.0, 6), places, 0.1)
    # None of six places repeats another: up to 3/6 of them could, and half is the least.
    assert (number, between) == (600, Range(300, 600))
    number, between = distinct_keys(Estimate(600, 0.0, 6), places, 0.8)
    assert (number, between) == (600, Range(math.floor(600 / (1 + 0.5 / 0.8)), 600))
    # Nothing is known of how much was not read: half is the least again.
    assert distinct_keys(Estimate(600, 0.0, 6), places, 0.0) == (600, Range(300, 600))


def test_distinct_keys_that_repeat_within_a_place_repeat_everywhere() -> None:
    places = [keys_of([i, i, i + 1, i + 1]) for i in range(0, 60, 10)]
    assert distinct_keys(Estimate(240, 0.0, 6), places, 0.1) == (120, Range(60, 120))
    assert distinct_keys(Estimate(240, 0.0, 6), places, 1.0) == (120, Range(120, 120))
    # Keys that a place lacks, because each equals the one before it, are repeats like any others.
    assert distinct_keys(Estimate(480, 0.0, 6), places, 1.0, 24) == (120, Range(120, 120))


def test_distinct_keys_that_repeat_from_place_to_place_lower_the_interval() -> None:
    places = [keys_of(range(10)), keys_of(range(5, 15)), *(keys_of(range(i, i + 10)) for i in (20, 30))]
    # 35 of 40 keys differ; 3 of 4 places could repeat others in any case.
    number, between = distinct_keys(Estimate(400, 0.0, 4), places, 0.95)
    assert number == 350
    assert between == Range(math.floor(350 / (1 + (1 - 35 / 40 + 3 / 4) / 0.95)), 350)


def test_distinct_keys_of_an_uncertain_number() -> None:
    number, between = distinct_keys(Estimate(100, 10.0**2, 10), [keys_of(range(10))] * 1, 1.0)
    assert (number, between) == (100, Estimate(100, 10.0**2, 10).range())
    assert distinct_keys(Estimate(7, 0.0, 1), [], 0.5) == (7, Range(7, 7))
    assert distinct_keys(Estimate(7, 0.0, 1), [Keys()], 0.5) == (7, Range(7, 7))


def test_distinct_keys_include_the_least_and_the_greatest() -> None:
    ends = keys_of([0, 1, (1 << 64) - 2, (1 << 64) - 1])
    assert distinct_keys(Estimate(4, 0.0, 1), [ends], 1.0) == (4, Range(4, 4))
    assert distinct_keys(Estimate(8, 0.0, 2), [ends, ends], 0.5) == (4, Range(2, 4))


def test_the_interval_of_distinct_keys_that_repeat_is_that_of_all_keys_in_proportion() -> None:
    keys = Estimate(1000, 50.0**2, 10)
    low, high = keys.range()
    places = [keys_of([1, 1, 2, 3])]
    assert distinct_keys(keys, places, 1.0) == (750, Range(round(low * 0.75), round(high * 0.75)))
    assert distinct_keys(keys, places, 0.5) == (
        750,
        Range(math.floor(low * 0.75 * 0.5), math.ceil(high * 0.75)),
    )


@pytest.mark.parametrize("read_share", [0.01, 0.5, 0.99])
def test_the_interval_holds_the_number_itself(read_share: float) -> None:
    number, between = distinct_keys(Estimate(1000, 50.0**2, 8), [keys_of(range(9))], read_share)
    assert between.low <= number <= between.high
