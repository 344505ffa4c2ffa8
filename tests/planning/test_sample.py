"""``take``: what a sample reads, counts and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portrait.building.reader import ReadOptions
from portrait.corpus.resolve import resolve
from portrait.errors import BadRowError
from portrait.planning.sample import take
from portrait.spec import WindowSpec

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ReadOptions(WindowSpec())


def test_a_small_corpus_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    sample = take(resolve(tmp_path / "a.jsonl"), OPTIONS, 1000, 1.0, of_windows=False)
    assert sample.whole
    assert (sample.text_bytes, sample.counts["main"].documents, len(sample.keys["main"])) == (6, 2, 2)
    assert sample.filter_seconds == 0


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


def test_bad_rows_are_an_error_or_are_counted(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"text": 1}\n')
    with pytest.raises(BadRowError):
        take(resolve(tmp_path / "bad.jsonl"), OPTIONS, 1000, 1.0, of_windows=False)
    (tmp_path / "some.jsonl").write_text('{"text": 1}\n{"text": "good"}\n')
    skipping = ReadOptions(WindowSpec(), on_error="skip")
    sample = take(resolve(tmp_path / "some.jsonl"), skipping, 1000, 1.0, of_windows=False)
    assert (sample.n_bad_rows, sample.counts["main"].documents) == (1, 1)
    assert "line 1" in sample.first_bad_row
