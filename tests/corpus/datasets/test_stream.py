"""Streams of the ``datasets`` library: rows, columns and errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import datasets
import datasets.distributed
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.loaded_datasets import (
    SIZES,
    TEXTS,
    elsewhere,
    flat,
    generator,
    load,
    rows_of,
    shard_of,
    streamed,
    texts,
    whole,
)

import portrait
from portrait.corpus import rows
from portrait.errors import CorpusError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_stream_has_no_stamps_files_or_size() -> None:
    shard = shard_of(generator([1, 2]))
    assert (shard.stamps(), shard.digests(), shard.files, shard.n_bytes) == ([], {}, [], None)


def test_a_stream_is_read_again_from_its_beginning() -> None:
    data = generator(SIZES)
    next(iter(data))
    shard = shard_of(data)
    assert texts(shard) == texts(shard) == [row["text"] for row in rows_of(SIZES)]


@pytest.mark.parametrize("column", ["text", "meta.text"])
def test_the_datasets_library_and_our_readers_read_the_same_texts(column: str, tmp_path: Path) -> None:
    content = [{"text": text, "meta": {"text": text[:90], "n": i}} for i, text in enumerate(TEXTS)]
    names = ["a.jsonl", "b.jsonl"]
    for name, part in zip(names, (content[:300], content[300:]), strict=True):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in part))
    pq.write_table(pa.Table.from_pylist(content), tmp_path / "c.parquet", row_group_size=50)
    lines = [tmp_path / name for name in names]
    ours = portrait.build(lines, tmp_path / "ours", column=column)
    for stream, n_parts in (load("json", *lines), 2), (load("parquet", tmp_path / "c.parquet"), 1):
        theirs = portrait.build(stream, tmp_path / "theirs", column=column, overwrite=True)
        assert theirs.manifest.id == ours.manifest.id
        parts = elsewhere(shard_of(stream, column=column))
        assert len(parts) == n_parts
        assert flat(parts) == texts(shard_of(stream, column=column))


def test_the_datasets_library_and_our_reader_read_the_same_plain_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(TEXTS))
    stream = load("text", tmp_path / "a.txt", sample_by="document")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert portrait.build(stream, theirs).manifest.id == portrait.build(tmp_path / "a.txt", ours).manifest.id


def test_a_file_that_the_datasets_library_cannot_read_is_an_error_of_ours(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "a.parquet", row_group_size=50)
    stream = datasets.load_dataset(
        "parquet",
        data_files=str(tmp_path / "a.parquet"),
        split="train",
        streaming=True,
        cache_dir=str(tmp_path),
    )
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[:200] + bytes(4000) + data[4200:])
    with pytest.raises(UnreadableFileError, match="dataset parquet: ") as error:
        texts(shard_of(stream))
    assert str(error.value).isprintable()


def test_errors_of_a_mapped_function_are_not_converted() -> None:
    def fail(row: dict[str, Any]) -> dict[str, Any]:
        raise LookupError(row["n"])

    with pytest.raises(LookupError):
        texts(shard_of(streamed().map(fail)))


def test_the_error_about_a_missing_column_lists_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"body": "x", "n": 1}\n')
    for data, existing in [
        (whole().remove_columns("text"), "n"),
        (streamed().remove_columns("text"), "n"),
        (load("json", tmp_path / "a.jsonl"), "body, n"),
        (generator([1]).rename_column("text", "body").remove_columns("odd"), "body"),
    ]:
        with pytest.raises(CorpusError, match=f"no column 'text', only {existing}: choose another"):
            texts(shard_of(data))


def test_columns_of_streams_are_kept() -> None:
    def generate() -> Iterator[Any]:
        yield from ({"text": "x", "meta": {"id": i}, "any": i if i else "zero"} for i in range(3))

    for data in (streamed().take(3), datasets.IterableDataset.from_generator(generate)):
        keep = ["n"] if data.features else ["meta.id", "any"]
        values = [row.values for batch in rows.read(data, keep=keep) for row in batch.rows]
        assert [next(iter(value.values())) for value in values] == [0, 1, 2]
