"""Strata: groups of similar shards, and the places at which they are sampled."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.chunked_shard import ChunkedShard

from portrait.corpus.resolve import resolve
from portrait.corpus.shards import Source
from portrait.errors import SpecError
from portrait.keys.maker import Counts
from portrait.planning.strata import PlaceRead, SampledShard, Stratum, likeness, strata

if TYPE_CHECKING:
    from pathlib import Path


def test_shards_of_one_source_and_format_are_a_stratum(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl", "c.csv", "d.txt", "e.txt"):
        (tmp_path / name).write_text("text\n")
    groups = list(strata(resolve({"one": tmp_path, "two": tmp_path / "a.jsonl"})))
    assert [(one.source, one.kind, one.suffix, one.n_files) for one in groups] == [
        ("one", "jsonl", ".jsonl", 2),
        ("one", "csv", ".csv", 1),
        ("one", "txt", "", 2),
        ("two", "jsonl", ".jsonl", 1),
    ]
    assert likeness(groups[3].shards[0].places[0]) == ("jsonl", ".jsonl")


def test_places_cover_a_divided_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n' * 10_000)
    (stratum,) = strata(resolve(tmp_path / "a.jsonl"))
    (shard,) = stratum.shards
    assert stratum.n_places == shard.n_places == len(shard.places) > 16
    assert sum(place.n_bytes or 0 for place in shard.places) == stratum.n_bytes == shard.n_bytes


def test_a_source_that_can_be_read_only_once_is_refused() -> None:
    with pytest.raises(SpecError, match="can be read only once"):
        list(strata(resolve("-")))


def read(n_bytes: int, text_bytes: int) -> PlaceRead:
    """Return the record of a place with a document of so many bytes."""
    return PlaceRead(n_bytes, {"main": Counts(documents=1, text_bytes=text_bytes)})


def test_a_stratum_adds_up_its_shards() -> None:
    half = SampledShard(100, 1, [], 2, n_whole=1, reads=[read(20, 10), read(30, 40)])
    full = SampledShard(300, 2, [], 1, n_whole=1, reads=[read(300, 200)])
    stratum = Stratum("main", "jsonl", ".jsonl", 2.0, [half, full])
    assert (stratum.n_bytes, stratum.n_files, stratum.n_places) == (400, 3, 3)
    assert (stratum.read_bytes, stratum.text_bytes, stratum.counts["main"].documents) == (350, 250, 3)
    assert (half.read_bytes, half.read_share, half.whole, full.whole) == (50, 0.5, False, True)
    assert (stratum.share, stratum.whole) == (250 / 800, False)
    half.n_whole = 2
    assert stratum.whole
    unknown = SampledShard(None, 0, [], 1)
    assert Stratum("main", "auto", "", 1.0, [full, unknown]).n_bytes is None
    assert (unknown.read_share, Stratum("main", "auto", "", 1.0, [unknown]).share) == (0, 0)
    assert (unknown.n_whole, unknown.whole, stratum.seconds) == (0, False, 0.0)


def test_of_shards_of_unknown_size_the_one_with_the_least_read_has_the_least_share() -> None:
    unknown = SampledShard(None, 1, [], 2, reads=[read(20, 10)])
    assert unknown.read_share == 20
    assert Stratum("main", "auto", "", 2.0, [unknown]).share == 10
    # A stratum of less than a byte counts as one of a byte.
    assert Stratum("main", "auto", "", 0.5, [SampledShard(1, 1, [], 1, reads=[read(1, 3)])]).share == 3


def test_a_shard_is_larger_than_a_number_of_bytes_only_if_its_size_is_known() -> None:
    shard = SampledShard(100, 1, [], 1)
    assert (shard.is_larger(99.5), shard.is_larger(100)) == (True, False)
    assert not SampledShard(None, 1, [], 1).is_larger(0)


def sizes(*shards: ChunkedShard) -> list[int | None]:
    """Return the sizes of the shards of their stratum, in the order in which they are sampled."""
    (stratum,) = strata([Source("main", shards=list(shards))])
    return [shard.n_bytes for shard in stratum.shards]


def test_shards_of_more_than_a_sixteenth_of_a_stratum_are_first() -> None:
    def shards(*n_bytes: int) -> list[ChunkedShard]:
        return [ChunkedShard(n, document_bytes=1) for n in n_bytes]

    # Of 1,600 bytes, a shard of 100 is not more than a sixteenth, one of 101 is.
    order = sizes(*shards(*[93] * 14, 97, 100, 101))
    assert order[:2] == [101, 93]
    assert Counter(order) == {93: 14, 97: 1, 100: 1, 101: 1}
    assert sizes(*shards(0, 0)) == [0, 0]
    assert sizes(*shards(0, 1)) == [1, 0]


def test_without_the_size_of_a_shard_no_other_is_known_to_be_large() -> None:
    known, unknown = ChunkedShard(100), ChunkedShard(100, is_sized=False)
    assert sizes(unknown, known) == [None, 10_000]
    (stratum,) = strata([Source("main", shards=[unknown, known])])
    assert [shard.n_places for shard in stratum.shards] == [1, 1]


def test_every_second_shard_or_so_is_next() -> None:
    # The multiples of the golden ratio, modulo 1: 0, 0.62, 0.24, 0.85, 0.47.
    assert sizes(*(ChunkedShard(100 + i, document_bytes=1) for i in range(5))) == [100, 102, 104, 101, 103]


@pytest.mark.parametrize(("n_bytes", "n_places"), [(10, 10), (32, 32), (3200, 32), (32 * 31 * 10, 32)])
def test_a_stratum_has_32_places_unless_it_has_fewer_bytes(n_bytes: int, n_places: int) -> None:
    (stratum,) = strata([Source("main", shards=[ChunkedShard(n_bytes, document_bytes=1)])])
    assert stratum.n_places == n_places
    assert sum(place.n_bytes or 0 for place in stratum.shards[0].places) == n_bytes


def test_shards_that_are_no_larger_than_a_place_are_not_opened() -> None:
    shards = [ChunkedShard(200, document_bytes=1), *(ChunkedShard(4, document_bytes=1) for _ in range(30))]
    (stratum,) = strata([Source("main", shards=[*shards])])
    # A place has 320 / 32 bytes.
    assert [shard.n_places for shard in stratum.shards] == [20] + [1] * 30


def test_the_shard_of_which_least_was_read_is_next(tmp_path: Path) -> None:
    for i, n_lines in enumerate((4000, 10, 10)):
        (tmp_path / f"{i}.jsonl").write_text('{"text": "a"}\n' * n_lines)
    (stratum,) = strata(resolve(tmp_path))
    large = stratum.shards[0]
    assert large.n_bytes == 4000 * 14
    assert [shard.n_bytes for shard in stratum.shards[1:]] == [140, 140]
    order = []
    while (shard := stratum.next_shard()) is not None:
        place = shard.places.pop()
        shard.reads.append(PlaceRead(place.n_bytes or 0, {}))
        order.append(shard.n_bytes)
    assert order[:4] == [4000 * 14, 140, 140, 4000 * 14]
    assert len(order) == stratum.n_places


def test_places_are_spread_over_a_shard_wherever_the_sample_ends(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("".join(f'{{"text": "{i:06}"}}\n' for i in range(20_000)))
    (stratum,) = strata(resolve(tmp_path / "a.jsonl"))
    places = stratum.shards[0].places[::-1][:4]
    firsts = [next(iter(place.chunks())).batch().texts[0].as_py() for place in places]
    rows = sorted(int(first) for first in firsts)
    assert rows[0] < 1000
    assert rows[-1] > 14_000
    assert min(after - before for before, after in itertools.pairwise(rows)) > 1000
