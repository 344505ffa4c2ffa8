"""Rows as Python dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import datasets
import datasets.distributed
import pytest
from support.loaded_datasets import (
    shard_of,
)

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
def test_a_row_of_a_generator_without_text_is_a_bad_row_among_good_ones(row: Any, message: str) -> None:
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
