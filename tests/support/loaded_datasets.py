"""Datasets and streams of the ``datasets`` library, and functions that read them."""

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
    return datasets.Dataset.from_dict({"text": TEXTS, "n": list(range(N_ROWS))})


def shard_of(data: Any, **options: Any) -> Shard:
    (source,) = resolve(data, **options)
    (shard,) = source.shards
    return shard


def texts(shard: Shard) -> list[str]:
    return [text for chunk in shard.chunks() for text in chunk.batch().texts.to_pylist()]


def elsewhere(shard: Shard, n_bytes: int = 1) -> list[list[str]]:
    """Return what another process reads of each part."""
    return [texts(pickle.loads(pickle.dumps(part))) for part in shard.split(n_bytes)]


def flat(parts: list[list[str]]) -> list[str]:
    return [text for part in parts for text in part]


def rows_of(sizes: list[int]) -> Iterator[dict[str, Any]]:
    for size in sizes:
        yield from ({"text": f"{size}, {i}", "odd": None if i % 2 else "x"} for i in range(size))


def generator(sizes: list[int]) -> datasets.IterableDataset:
    """Return a stream that does not know its columns, in shards of these sizes."""
    return datasets.IterableDataset.from_generator(rows_of, gen_kwargs={"sizes": sizes})


SIZES = [1, 0, 1700, 3, 64, 65, 128]


def streamed(n_shards: int = 7) -> datasets.IterableDataset:
    return whole().to_iterable_dataset(num_shards=n_shards)


def load(builder: str, *paths: Path, **options: Any) -> datasets.IterableDataset:
    """Return the stream in which ``datasets`` reads some files."""
    names = [str(path) for path in paths]
    cache = str(paths[0].parent / "cache")
    return datasets.load_dataset(
        builder, data_files=names, split="train", streaming=True, cache_dir=cache, **options
    )
