"""Datasets and streams of the ``datasets`` library, and functions that read their shards."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import datasets
import datasets.distributed

from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portrait.corpus.shards import Shard


N_ROWS = 600


TEXTS = [f"{i}: {'é🦀 text ' * (i % 50)}" for i in range(N_ROWS)]


def whole() -> datasets.Dataset:
    """Return a dataset of all texts and their numbers."""
    return datasets.Dataset.from_dict({"text": TEXTS, "n": list(range(N_ROWS))})


def shard_of(data: Any, **options: Any) -> Shard:
    """Return the only shard of a dataset or stream."""
    (source,) = resolve(data, **options)
    (shard,) = source.shards
    return shard


def texts(shard: Shard) -> list[str]:
    """Return the texts of a shard."""
    return [text for chunk in shard.chunks() for text in chunk.batch().texts.to_pylist()]


def elsewhere(shard: Shard, n_bytes: int = 1) -> list[list[str]]:
    """Return the texts of each part of a shard, read from pickled copies as another process would.

    ``n_bytes`` is the size that each part is to have.
    """
    return [texts(pickle.loads(pickle.dumps(part))) for part in shard.split(n_bytes)]


def flat(parts: list[list[str]]) -> list[str]:
    """Return the texts of all parts in one list."""
    return [text for part in parts for text in part]


def rows_of(sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Yield ``size`` rows for each size, with nulls in their second column."""
    for size in sizes:
        yield from ({"text": f"{size}, {i}", "odd": None if i % 2 else "x"} for i in range(size))


def generator(sizes: list[int]) -> datasets.IterableDataset:
    """Return a stream of unknown columns, in shards of these numbers of rows."""
    return datasets.IterableDataset.from_generator(rows_of, gen_kwargs={"sizes": sizes})


SIZES = [1, 0, 1700, 3, 64, 65, 128]


def streamed(n_shards: int = 7) -> datasets.IterableDataset:
    """Return the dataset as a stream in ``n_shards`` shards."""
    return whole().to_iterable_dataset(num_shards=n_shards)


def load(builder: str, *paths: Path, **options: Any) -> datasets.IterableDataset:
    """Return the stream of files that ``datasets`` reads with one of its builders."""
    names = [str(path) for path in paths]
    cache = str(paths[0].parent / "cache")
    return datasets.load_dataset(
        builder, data_files=names, split="train", streaming=True, cache_dir=cache, **options
    )
