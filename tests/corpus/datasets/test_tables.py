"""Tables in chunks: their size, their columns, and changes of schema."""

from __future__ import annotations

import datasets
import datasets.distributed
import pyarrow as pa
from support.loaded_datasets import generator, shard_of

from portrait.corpus.columns import Columns
from portrait.corpus.datasets.tables import table_chunks, wanted


def test_chunks_have_a_few_megabytes_whatever_the_length_of_rows() -> None:
    long = datasets.Dataset.from_dict({"text": ["x" * 3_000_000] * 6})
    short = datasets.Dataset.from_dict({"text": ["x" * 10] * 100_000})
    for data in (long, long.to_iterable_dataset()):
        sizes = [chunk.n_rows for chunk in shard_of(data).chunks()]
        assert sum(sizes) == 6
        assert max(sizes) <= 2
    for data in (short, short.to_iterable_dataset(), generator([100_000])):
        assert len(list(shard_of(data).chunks())) < 10


def test_wanted_columns_are_those_named_or_containing_a_named_one() -> None:
    columns = Columns(("meta.text",), ("id",))
    assert wanted(columns, ["id", "meta", "metadata", "text", "meta.text"]) == ["id", "meta", "meta.text"]


def test_a_table_with_another_schema_starts_a_new_chunk() -> None:
    small, large = pa.table({"text": ["a", "b"]}), pa.table({"text": pa.array(["c"], pa.large_string())})
    tables = [small, small, large, small.slice(0, 0), small]
    chunks = list(table_chunks(tables, "stream", Columns(), first=10, row_bytes=7))
    assert [chunk.n_rows for chunk in chunks] == [4, 1, 2]
    assert [chunk.places()[0] for chunk in chunks] == ["stream:11", "stream:15", "stream:16"]
    assert [chunk.read_bytes for chunk in chunks] == [28, 7, 14]
    assert list(table_chunks([], "stream", Columns())) == []
