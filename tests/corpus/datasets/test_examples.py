"""Rows that are Python dictionaries: texts, bad rows, kept values, and the size of chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import datasets
import datasets.distributed
import pytest
from support.loaded_datasets import shard_of

from portrait.corpus.columns import Columns
from portrait.corpus.datasets.examples import example_chunks
from portrait.errors import BadRowError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": None}, "holds null, not text"),
        ({"text": 7}, "holds int, not text"),
        ({"text": ["a", None]}, "holds null, not text"),
        ({"text": "\ud800"}, "lone surrogate at character 0"),
        ({"other": "x"}, "no column 'text', only other"),
    ],
)
def test_a_row_without_text_in_a_generator_does_not_affect_good_rows(row: Any, message: str) -> None:
    good = [{"text": "first"}, {"text": ["two", "lines"]}]

    def generate() -> Iterator[Any]:
        yield from [*good, row, *good]

    (chunk,) = shard_of(datasets.IterableDataset.from_generator(generate)).chunks()
    with pytest.raises(BadRowError, match=message) as error:
        chunk.batch()
    assert str(error.value).startswith("dataset generator, row 3: ")
    assert chunk.slice(0, 2).batch().texts.to_pylist() == ["first", "two\nlines"]
    assert chunk.slice(3, 5).places() == ["dataset generator:4", "dataset generator:5"]
    with pytest.raises(BadRowError, match="row 3"):
        chunk.slice(2, 3).batch()


def test_values_of_mixed_types_are_kept_as_they_are() -> None:
    rows = [{"text": "a", "any": 1, "x": 1}, {"text": "b", "any": "two", "x": 2}]
    (chunk,) = example_chunks(rows, "stream", Columns(("text",), ("any", "x")))
    batch = chunk.batch()
    assert batch.kept[0] == [1, "two"]
    assert batch.kept[1].to_pylist() == [1, 2]
    assert chunk.places() == ["stream:1", "stream:2"]


def test_chunks_are_limited_in_bytes_and_in_rows() -> None:
    long = [{"text": "x" * 3_000_000}] * 3
    assert [chunk.n_rows for chunk in example_chunks(long, "stream", Columns())] == [2, 1]
    short = [{"text": "x"}] * 40_000
    assert [chunk.n_rows for chunk in example_chunks(short, "stream", Columns())] == [16384, 16384, 7232]
