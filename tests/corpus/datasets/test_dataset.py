"""Datasets of the ``datasets`` library: parts with every row once, stamps, splits, and bad rows."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import datasets
import datasets.distributed
import pytest
from support.loaded_datasets import N_ROWS, TEXTS, elsewhere, flat, shard_of, streamed, texts, whole
from support.refusals import message

import portrait
from portrait.corpus.shards import Stamp
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


DATASETS: dict[str, Callable[[], datasets.Dataset]] = {
    "as it is": whole,
    "shuffled": lambda: whole().shuffle(seed=1),
    "a part of it": lambda: whole().select(range(100, 433)),
    "put together": lambda: datasets.concatenate_datasets([whole(), whole().select(range(7))]),
    "in another format": lambda: whole().with_format("numpy"),
    "one row": lambda: whole().select([5]),
    "empty": lambda: whole().select([]),
}


@pytest.mark.parametrize("n_bytes", [1, 5_000, 1 << 30])
@pytest.mark.parametrize("name", DATASETS)
def test_the_parts_of_a_dataset_are_its_rows_in_order(name: str, n_bytes: int) -> None:
    data = DATASETS[name]()
    parts = elsewhere(shard_of(data), n_bytes)
    assert flat(parts) == texts(shard_of(data)) == list(data["text"])
    assert len(parts) == {1: max(1, len(data)), 1 << 30: 1}.get(n_bytes, len(parts))


def test_a_dataset_on_disk_is_not_pickled_with_its_rows(tmp_path: Path) -> None:
    whole().save_to_disk(tmp_path / "saved", num_shards=3)
    data = datasets.load_from_disk(str(tmp_path / "saved"))
    parts = shard_of(data).split(20_000)
    assert flat([texts(pickle.loads(pickle.dumps(part))) for part in parts]) == TEXTS
    assert len(pickle.dumps(parts[0])) < 5_000


def test_rows_keep_their_numbers_in_parts() -> None:
    data = datasets.Dataset.from_dict({"text": [*TEXTS[:300], None, *TEXTS[300:]]})
    places = [
        place for part in shard_of(data).split(9_000) for chunk in part.chunks() for place in chunk.places()
    ]
    assert places == [f"dataset:{i + 1}" for i in range(N_ROWS + 1)]
    with pytest.raises(CorpusError, match="dataset, row 301: null"):
        portrait.build(data, "out")


def test_the_bytes_of_all_parts_add_up() -> None:
    shard = shard_of(whole())
    parts = shard.split(7_000)
    read = sum(chunk.read_bytes for part in parts for chunk in part.chunks())
    assert read == shard.n_bytes == sum(part.n_bytes or 0 for part in parts)


def test_stamps_tell_datasets_apart() -> None:
    shard = shard_of(whole())
    assert shard.stamps() == shard_of(whole()).stamps()
    for stamp in shard.stamps():
        assert Stamp.from_json(json.loads(json.dumps(stamp.to_json()))) == stamp
    assert all(part.stamps() == shard.stamps() for part in shard.split(5_000))
    assert shard.stamps() != shard_of(whole().select(range(N_ROWS - 1))).stamps()
    assert shard.stamps() != shard_of(datasets.Dataset.from_dict({"text": TEXTS[::-1]})).stamps()
    assert (shard.digests(), shard.files, shard.read_once) == ({}, [], False)


@pytest.mark.parametrize("kind", [datasets.DatasetDict, datasets.IterableDatasetDict])
def test_one_of_several_splits_must_be_chosen(kind: Any, tmp_path: Path) -> None:
    part = whole() if kind is datasets.DatasetDict else streamed()
    several = kind(train=part, test=part)
    for sources in (several, [several], {"web": several}):
        with pytest.raises(
            CorpusError, match=r"several splits, test, train: .*data\['test'\], or dict\(data\)"
        ):
            portrait.build(sources, tmp_path / "out")
    with pytest.raises(CorpusError, match="no splits"):
        portrait.build(kind(), tmp_path / "out")
    assert texts(shard_of(kind(train=part))) == TEXTS
    assert portrait.build(dict(several), tmp_path / "out").sources == ("test", "train")


@pytest.mark.parametrize(
    ("rows", "place", "reason"),
    [
        ([{"text": "x"}, {"text": None}], ", row 2: ", "null"),
        ([{"text": 1}], ": ", "column 'text' is int64, not text"),
        ([{"body": "x"}], ": ", "no column 'text', only body"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_bad_row_of_a_dataset_is_named(
    rows: list[dict[str, Any]], place: str, reason: str, streamed: bool, tmp_path: Path
) -> None:
    dataset = datasets.Dataset.from_list(rows)
    error = portrait.BadRowError if "row" in place else portrait.CorpusError
    text = message(dataset.to_iterable_dataset() if streamed else dataset, tmp_path, error)
    assert text.startswith(f"dataset{place}")
    assert reason in text
