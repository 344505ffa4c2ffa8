"""Chunks of a good size."""

from __future__ import annotations

import datasets
import datasets.distributed
from support.loaded_datasets import (
    generator,
    shard_of,
)


def test_pieces_are_of_some_megabytes_however_long_the_rows() -> None:
    long = datasets.Dataset.from_dict({"text": ["x" * 3_000_000] * 6})
    short = datasets.Dataset.from_dict({"text": ["x" * 10] * 100_000})
    for data in (long, long.to_iterable_dataset()):
        sizes = [chunk.n_rows for chunk in shard_of(data).chunks()]
        assert sum(sizes) == 6
        assert max(sizes) <= 2
    for data in (short, short.to_iterable_dataset(), generator([100_000])):
        assert len(list(shard_of(data).chunks())) < 10
