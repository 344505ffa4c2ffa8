"""Datasets and streams pickled for other processes."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pytest
from support.loaded_datasets import TEXTS, shard_of, streamed, texts, whole

from portrait.corpus.datasets.pickling import freeze, thaw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


DATASETS: dict[str, Callable[[], datasets.Dataset]] = {
    "as it is": whole,
    "shuffled": lambda: whole().shuffle(seed=1),
    "put together": lambda: datasets.concatenate_datasets([whole(), whole().select(range(7))]),
}


@pytest.mark.parametrize("name", DATASETS)
def test_a_part_is_pickled_with_only_its_own_rows(name: str) -> None:
    shard = shard_of(DATASETS[name]())
    for part in shard.split(5_000):
        assert part.n_bytes is not None
        assert part.n_bytes <= 5_000
        assert len(pickle.dumps(part)) < 15_000
    assert shard.n_bytes is not None
    assert shard.n_bytes > 100_000


def test_a_stream_that_cannot_be_pickled_stays_in_its_process() -> None:
    with closing(sqlite3.connect(":memory:")) as database:

        def lower(row: dict[str, Any]) -> dict[str, Any]:
            ((text,),) = database.execute("SELECT lower(?)", [row["text"]])
            return {"text": text}

        shard = shard_of(streamed().map(lower))
        assert shard.read_once
        assert texts(shard) == [text.lower() for text in TEXTS]


def test_functions_of_a_script_are_pickled_with_the_stream(tmp_path: Path) -> None:
    script = """
import json
import datasets, portrait
from portrait.engines.execution import Execution

def helper(size):
    return [{"text": json.dumps({"some text": i}) * 9} for i in range(size)]

def rows(sizes):
    for size in sizes:
        yield from helper(size)

stream = datasets.IterableDataset.from_generator(rows, gen_kwargs={"sizes": [3, 0, 40]})
stream = stream.filter(lambda row: json.dumps("some") not in row["text"])
by_one = portrait.build(stream, "one").manifest
by_two = portrait.build(stream, "two", execution=Execution(workers=2, work_dir="work")).manifest
print(by_one.id == by_two.id, by_two.layers[0].documents)
"""
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("True 43\n", 0), done.stderr


def test_a_slice_of_a_table_is_pickled_without_the_rest() -> None:
    table = pa.table({"text": ["x" * 1000] * 10_000})
    part = table.slice(5, 3)
    frozen = freeze({"table": part, "more": [1]})
    assert len(frozen) < 10_000
    thawed = thaw(frozen)
    assert thawed["table"].equals(part)
    assert thawed["more"] == [1]
    assert len(freeze(table, tables=False)) < 1000


def test_a_function_without_a_name_is_pickled_by_its_code() -> None:
    n = 3
    assert thaw(freeze(lambda x: x + n))(4) == 7
