"""Strata: groups of similar shards, and the places at which they are sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portrait.corpus.resolve import resolve
from portrait.errors import SpecError
from portrait.keys.maker import Counts
from portrait.planning.strata import Stratum, likeness, strata

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
    assert likeness(groups[3].places[0]) == ("jsonl", ".jsonl")


def test_places_cover_a_divided_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n' * 10_000)
    (stratum,) = strata(resolve(tmp_path / "a.jsonl"))
    assert stratum.n_places == len(stratum.places) > 16
    assert sum(place.n_bytes or 0 for place in stratum.places) == stratum.n_bytes


def test_a_source_that_can_be_read_only_once_is_refused() -> None:
    with pytest.raises(SpecError, match="can be read only once"):
        list(strata(resolve("-")))


def test_the_factor_is_the_ratio_of_the_whole_to_what_was_read() -> None:
    counts = Counts()
    counts.text_bytes = 10
    stratum = Stratum("main", "jsonl", ".jsonl", 2.0, 100, 1, [], n_places=2)
    assert (stratum.factor, stratum.share) == (None, 0)
    stratum.read_bytes, stratum.counts = 20, {"main": counts}
    assert (stratum.factor, stratum.share, stratum.whole) == (5.0, 0.05, False)
    stratum.n_whole = 2
    assert (stratum.factor, stratum.whole) == (1.0, True)
