"""What is loaded with ``datasets``: parts that have every row once, in whatever process they are read."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import datasets
import datasets.distributed
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import portrait
from portrait.corpus import rows
from portrait.corpus.resolve import resolve
from portrait.errors import BadRowError, CorpusError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    """What another process reads of each part."""
    return [texts(pickle.loads(pickle.dumps(part))) for part in shard.split(n_bytes)]


def flat(parts: list[list[str]]) -> list[str]:
    return [text for part in parts for text in part]


DATASETS: dict[str, Callable[[], datasets.Dataset]] = {
    "as it is": whole,
    "shuffled": lambda: whole().shuffle(seed=1),
    "a part of it": lambda: whole().select(range(100, 433)),
    "put together": lambda: datasets.concatenate_datasets([whole(), whole().select(range(7))]),
    "of another format": lambda: whole().with_format("numpy"),
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


@pytest.mark.parametrize("name", ["as it is", "shuffled", "put together"])
def test_a_part_takes_only_its_own_rows_along(name: str) -> None:
    shard = shard_of(DATASETS[name]())
    for part in shard.split(5_000):
        assert part.n_bytes is not None
        assert part.n_bytes <= 5_000
        assert len(pickle.dumps(part)) < 15_000
    assert shard.n_bytes is not None
    assert shard.n_bytes > 100_000


def test_a_dataset_on_disk_is_read_from_there(tmp_path: Path) -> None:
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
        portrait.build(data, "never")


def test_progress_adds_up() -> None:
    shard = shard_of(whole())
    parts = shard.split(7_000)
    read = sum(chunk.read_bytes for part in parts for chunk in part.chunks())
    assert read == shard.n_bytes == sum(part.n_bytes or 0 for part in parts)


def test_pieces_are_of_some_megabytes_however_long_the_rows() -> None:
    long = datasets.Dataset.from_dict({"text": ["x" * 3_000_000] * 6})
    short = datasets.Dataset.from_dict({"text": ["x" * 10] * 100_000})
    for data in (long, long.to_iterable_dataset()):
        sizes = [chunk.n_rows for chunk in shard_of(data).chunks()]
        assert sum(sizes) == 6
        assert max(sizes) <= 2
    for data in (short, short.to_iterable_dataset(), generator([100_000])):
        assert len(list(shard_of(data).chunks())) < 10


def test_a_dataset_tells_whether_it_is_another() -> None:
    shard = shard_of(whole())
    assert shard.stamps() == shard_of(whole()).stamps()
    assert json.loads(json.dumps(shard.stamps())) == shard.stamps()
    assert all(part.stamps() == shard.stamps() for part in shard.split(5_000))
    assert shard.stamps() != shard_of(whole().select(range(N_ROWS - 1))).stamps()
    assert shard.stamps() != shard_of(datasets.Dataset.from_dict({"text": TEXTS[::-1]})).stamps()
    assert (shard.digests(), shard.files, shard.read_once) == ({}, [], False)


def test_of_a_stream_nothing_is_known_beforehand() -> None:
    shard = shard_of(generator([1, 2]))
    assert (shard.stamps(), shard.digests(), shard.files, shard.n_bytes) == ([], {}, [], None)


def rows_of(sizes: list[int]) -> Iterator[dict[str, Any]]:
    for size in sizes:
        yield from ({"text": f"{size}, {i}", "odd": None if i % 2 else "x"} for i in range(size))


def generator(sizes: list[int]) -> datasets.IterableDataset:
    """A stream that does not know its columns, in shards of these sizes."""
    return datasets.IterableDataset.from_generator(rows_of, gen_kwargs={"sizes": sizes})


SIZES = [1, 0, 1700, 3, 64, 65, 128]


def test_every_shard_of_a_generator_is_read_to_its_end() -> None:
    parts = elsewhere(shard_of(generator(SIZES)))
    assert [len(part) for part in parts] == SIZES
    assert flat(parts) == texts(shard_of(generator(SIZES))) == [row["text"] for row in rows_of(SIZES)]


def streamed(n_shards: int = 7) -> datasets.IterableDataset:
    return whole().to_iterable_dataset(num_shards=n_shards)


def counted(batch: dict[str, list[Any]]) -> dict[str, list[str]]:
    return {"text": [str(len(batch["n"]))] * len(batch["n"])}


def renamed(stream: datasets.IterableDataset) -> datasets.IterableDataset:
    numbers = stream.remove_columns("text").rename_column("n", "text")
    return numbers.cast_column("text", datasets.Value("string"))


def interleaved(strategy: str) -> datasets.IterableDataset:
    return datasets.interleave_datasets([streamed(), streamed(3)], stopping_strategy=strategy)


def node(stream: datasets.IterableDataset) -> datasets.IterableDataset:
    return datasets.distributed.split_dataset_by_node(stream, rank=1, world_size=3)


#: Streams by what was done to them, with the number of parts: one where parts would give other rows.
STREAMS: dict[str, tuple[Callable[[], datasets.IterableDataset], int]] = {
    "as it is": (streamed, 7),
    "shuffled": (lambda: streamed().shuffle(seed=3, buffer_size=10), 7),
    "mapped": (lambda: streamed().map(lambda row: {"text": row["text"] + "!"}), 7),
    "mapped, numbered": (lambda: streamed().map(lambda _, i: {"text": str(i)}, with_indices=True), 1),
    "mapped in batches": (lambda: streamed().map(counted, batched=True), 1),
    "filtered": (lambda: streamed().filter(lambda row: row["n"] % 3 == 0), 7),
    "filtered generator": (lambda: generator(SIZES).filter(lambda row: row["odd"] is None), 7),
    "columns chosen": (lambda: streamed().select_columns(["text"]), 7),
    "columns renamed": (lambda: renamed(streamed()), 7),
    "taken": (lambda: streamed().take(100), 1),
    "skipped": (lambda: streamed().skip(100), 1),
    "repeated": (lambda: streamed().repeat(2), 1),
    "concatenated": (lambda: datasets.concatenate_datasets([streamed(), streamed(2)]), 9),
    "concatenated with a part": (lambda: datasets.concatenate_datasets([streamed(), streamed().take(9)]), 1),
    "interleaved, to the first end": (lambda: interleaved("first_exhausted"), 1),
    "interleaved, to the last end": (lambda: interleaved("all_exhausted"), 1),
    "interleaved, every row once": (lambda: interleaved("all_exhausted_without_replacement"), 3),
    "a node's part": (lambda: node(streamed(6)), 1),
    "of another format": (lambda: streamed().with_format("numpy"), 7),
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


def test_a_stream_is_read_again_from_its_beginning() -> None:
    data = generator(SIZES)
    next(iter(data))
    shard = shard_of(data)
    assert texts(shard) == texts(shard) == [row["text"] for row in rows_of(SIZES)]


def test_a_stream_that_holds_on_to_something_open_stays_in_its_process() -> None:
    with closing(sqlite3.connect(":memory:")) as base:

        def lower(row: dict[str, Any]) -> dict[str, Any]:
            ((text,),) = base.execute("SELECT lower(?)", [row["text"]])
            return {"text": text}

        shard = shard_of(streamed().map(lower))
        assert shard.read_once
        assert texts(shard) == [text.lower() for text in TEXTS]


def test_functions_of_a_program_go_with_the_stream_to_its_processes(tmp_path: Path) -> None:
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
alone = portrait.build(stream, "alone").manifest
several = portrait.build(stream, "several", execution=Execution(workers=2, work_dir="work")).manifest
print(alone.id == several.id, several.layers[0].documents)
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


def load(builder: str, *paths: Path, **options: Any) -> datasets.IterableDataset:
    """Files as ``datasets`` streams them."""
    names = [str(path) for path in paths]
    cache = str(paths[0].parent / "cache")
    return datasets.load_dataset(
        builder, data_files=names, split="train", streaming=True, cache_dir=cache, **options
    )


@pytest.mark.parametrize("column", ["text", "meta.text"])
def test_files_that_datasets_reads_give_what_our_readers_do(column: str, tmp_path: Path) -> None:
    content = [{"text": text, "meta": {"text": text[:90], "n": i}} for i, text in enumerate(TEXTS)]
    names = ["a.jsonl", "b.jsonl"]
    for name, some in zip(names, (content[:300], content[300:]), strict=True):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in some))
    pq.write_table(pa.Table.from_pylist(content), tmp_path / "c.parquet", row_group_size=50)
    lines = [tmp_path / name for name in names]
    ours = portrait.build(lines, tmp_path / "ours", column=column)
    for stream, n_parts in (load("json", *lines), 2), (load("parquet", tmp_path / "c.parquet"), 1):
        theirs = portrait.build(stream, tmp_path / "theirs", column=column, overwrite=True)
        assert theirs.manifest.id == ours.manifest.id
        parts = elsewhere(shard_of(stream, column=column))
        assert len(parts) == n_parts
        assert flat(parts) == texts(shard_of(stream, column=column))


def test_a_text_that_datasets_reads_is_the_document_that_we_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(TEXTS))
    stream = load("text", tmp_path / "a.txt", sample_by="document")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert portrait.build(stream, theirs).manifest.id == portrait.build(tmp_path / "a.txt", ours).manifest.id


def test_a_file_that_datasets_cannot_read_is_named_by_our_error(tmp_path: Path) -> None:
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


def test_errors_of_a_function_stay_what_they_are() -> None:
    def fail(row: dict[str, Any]) -> dict[str, Any]:
        raise LookupError(row["n"])

    with pytest.raises(LookupError):
        texts(shard_of(streamed().map(fail)))


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"body": "x", "n": 1}\n')
    for data, there in [
        (whole().remove_columns("text"), "n"),
        (streamed().remove_columns("text"), "n"),
        (load("json", tmp_path / "a.jsonl"), "body, n"),
        (generator([1]).rename_column("text", "body").remove_columns("odd"), "body"),
    ]:
        with pytest.raises(CorpusError, match=f"no column 'text', only {there}: choose one with --column"):
            texts(shard_of(data))


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


def test_columns_are_carried_along_from_streams() -> None:
    def generate() -> Iterator[Any]:
        yield from ({"text": "x", "meta": {"id": i}, "any": i if i else "zero"} for i in range(3))

    for data in (streamed().take(3), datasets.IterableDataset.from_generator(generate)):
        keep = ["n"] if data.features else ["meta.id", "any"]
        values = [row.values for some in rows.read(data, keep=keep) for row in some.rows]
        assert [next(iter(value.values())) for value in values] == [0, 1, 2]


@pytest.mark.parametrize("kind", [datasets.DatasetDict, datasets.IterableDatasetDict])
def test_of_several_splits_one_must_be_chosen(kind: Any, tmp_path: Path) -> None:
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
