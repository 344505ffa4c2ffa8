"""Streams in parts: divided only where the parts together have exactly the rows of the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import datasets
import datasets.distributed
import pytest
from support.loaded_datasets import SIZES, elsewhere, flat, generator, rows_of, shard_of, streamed, texts

from portrait.corpus.datasets.stream_parts import epoch, n_parts

if TYPE_CHECKING:
    from collections.abc import Callable


def batch_sizes(batch: dict[str, list[Any]]) -> dict[str, list[str]]:
    """Return the number of rows of the batch as the text of each row."""
    return {"text": [str(len(batch["n"]))] * len(batch["n"])}


def number_as_text(stream: datasets.IterableDataset) -> datasets.IterableDataset:
    """Return the stream with its column of numbers in place of its texts."""
    numbers = stream.remove_columns("text").rename_column("n", "text")
    return numbers.cast_column("text", datasets.Value("string"))


def interleaved(strategy: str) -> datasets.IterableDataset:
    return datasets.interleave_datasets([streamed(), streamed(3)], stopping_strategy=strategy)


def node(stream: datasets.IterableDataset) -> datasets.IterableDataset:
    return datasets.distributed.split_dataset_by_node(stream, rank=1, world_size=3)


#: Streams, and the numbers of their parts: one where parts would have other rows than the stream.
STREAMS: dict[str, tuple[Callable[[], datasets.IterableDataset], int]] = {
    "as it is": (streamed, 7),
    "shuffled": (lambda: streamed().shuffle(seed=3, buffer_size=10), 7),
    "mapped": (lambda: streamed().map(lambda row: {"text": row["text"] + "!"}), 7),
    "mapped, numbered": (lambda: streamed().map(lambda _, i: {"text": str(i)}, with_indices=True), 1),
    "mapped in batches": (lambda: streamed().map(batch_sizes, batched=True), 1),
    "filtered": (lambda: streamed().filter(lambda row: row["n"] % 3 == 0), 7),
    "filtered generator": (lambda: generator(SIZES).filter(lambda row: row["odd"] is None), 7),
    "columns chosen": (lambda: streamed().select_columns(["text"]), 7),
    "columns renamed": (lambda: number_as_text(streamed()), 7),
    "taken": (lambda: streamed().take(100), 1),
    "skipped": (lambda: streamed().skip(100), 1),
    "repeated": (lambda: streamed().repeat(2), 1),
    "concatenated": (lambda: datasets.concatenate_datasets([streamed(), streamed(2)]), 9),
    "concatenated with a part": (lambda: datasets.concatenate_datasets([streamed(), streamed().take(9)]), 1),
    "interleaved, to the first end": (lambda: interleaved("first_exhausted"), 1),
    "interleaved, to the last end": (lambda: interleaved("all_exhausted"), 1),
    "interleaved, every row once": (lambda: interleaved("all_exhausted_without_replacement"), 3),
    "a node's part": (lambda: node(streamed(6)), 1),
    "in another format": (lambda: streamed().with_format("numpy"), 7),
}


@pytest.mark.parametrize("name", STREAMS)
def test_the_parts_of_a_stream_have_its_rows(name: str) -> None:
    make, n_parts = STREAMS[name]
    shard = shard_of(make())
    expected = sorted(str(row["text"]) for row in make())
    parts = elsewhere(shard)
    assert len(parts) == n_parts
    assert sorted(flat(parts)) == sorted(texts(shard)) == expected
    assert not shard.read_once


def test_every_shard_of_a_generator_is_read_to_its_end() -> None:
    parts = elsewhere(shard_of(generator(SIZES)))
    assert [len(part) for part in parts] == SIZES
    assert flat(parts) == texts(shard_of(generator(SIZES))) == [row["text"] for row in rows_of(SIZES)]


def test_a_stream_with_an_epoch_is_not_divided() -> None:
    stream = streamed()
    assert (n_parts(stream), epoch(stream)) == (7, 0)
    stream.set_epoch(2)
    assert (n_parts(stream), epoch(stream)) == (1, 2)
    assert n_parts(object()) == 1
