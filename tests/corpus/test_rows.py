"""Rows of any source: their text, place and number, and the columns kept with them."""

from __future__ import annotations

import gzip
import json
import pickle
from datetime import date
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portrait.corpus import rows
from portrait.corpus.columns import Columns
from portrait.corpus.formats.projection import TableChunk
from portrait.errors import BadRowError, CorpusError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


#: Values of every JSON type, which Arrow would convert to other types.
IDS = [1, "2020-01-01", None, [1, {"a": "x"}], {"b": 2.5}, True, 2**70]
RECORDS = [
    {"id": value, "q": f"question {i}?", "meta": {"text": f"é🦀 {i}", "n": i}, "a": f"answer\n{i}"}
    for i, value in enumerate(IDS)
]
#: The same records with an id of one type, as a table needs.
TYPED = [record | {"id": f"id {i}"} for i, record in enumerate(RECORDS)]


def lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


def jsonl(directory: Path, records: list[dict[str, Any]]) -> Path:
    path = directory / "a.jsonl"
    path.write_bytes(lines(records))
    return path


def zipped(directory: Path, records: list[dict[str, Any]]) -> Path:
    path = directory / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines(records)))
    return path


def shuffled(directory: Path, records: list[dict[str, Any]]) -> Path:
    """Write JSON lines whose columns have another order in every line."""
    reordered = [
        dict(sorted(record.items(), key=lambda pair: hash((i, pair[0])))) for i, record in enumerate(records)
    ]
    return jsonl(directory, reordered)


def parquet(directory: Path, records: list[dict[str, Any]]) -> Path:
    path = directory / "a.parquet"
    pq.write_table(pa.Table.from_pylist(records), path, row_group_size=3)
    return path


def dataset(_: Path, records: list[dict[str, Any]]) -> datasets.Dataset:
    return datasets.Dataset.from_list(records)


def stream(_: Path, records: list[dict[str, Any]]) -> datasets.IterableDataset:
    return datasets.Dataset.from_list(records).to_iterable_dataset()


FORMS: list[Callable[[Path, list[dict[str, Any]]], Any]] = [jsonl, zipped, shuffled, parquet, dataset, stream]


def read(data: Any, **options: Any) -> list[rows.Row]:
    """Return all rows of a source."""
    return [row for batch in rows.read(data, **options) for row in batch.rows]


@pytest.mark.parametrize("form", FORMS)
def test_text_columns_are_joined_and_other_columns_kept(form: Any, tmp_path: Path) -> None:
    typed_rows = read(form(tmp_path, TYPED), columns=["q", "meta.text", "a"], keep=["meta.n", "id", "meta"])
    assert [row.text for row in typed_rows] == [f"question {i}?\né🦀 {i}\nanswer\n{i}" for i in range(7)]
    assert [row.values for row in typed_rows] == [
        {"meta.n": i, "id": f"id {i}", "meta": record["meta"]} for i, record in enumerate(TYPED)
    ]
    assert [list(row.values) for row in typed_rows] == [["meta.n", "id", "meta"]] * 7
    assert [row.number for row in typed_rows] == list(range(7))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("columns", [["q"], ["meta.text"], ["a", "q"], ["a", "meta.text"]])
def test_texts_are_the_same_with_and_without_columns_to_keep(
    form: Any, columns: list[str], tmp_path: Path
) -> None:
    data = form(tmp_path, TYPED)
    texts = [row.text for row in read(data, columns=columns)]
    assert texts == [row.text for row in read(data, columns=columns, keep=["id"])]
    assert len(set(texts)) == 7


def test_values_of_json_are_kept_as_they_are(tmp_path: Path) -> None:
    ids = [row.values["id"] for row in read(jsonl(tmp_path, RECORDS), columns=["q"], keep=["id"])]
    assert ids == IDS
    assert list(map(type, ids)) == list(map(type, IDS))


def test_values_of_tables_are_kept_as_they_are(tmp_path: Path) -> None:
    table = pa.table({"text": ["x", "y"], "day": [date(2020, 1, 1), None], "raw": [b"\xff", b""]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert [row.values for row in read(tmp_path / "a.parquet", keep=["day", "raw"])] == [
        {"day": date(2020, 1, 1), "raw": b"\xff"},
        {"day": None, "raw": b""},
    ]


def test_rows_are_numbered_across_all_files(tmp_path: Path) -> None:
    (tmp_path / "z.jsonl").write_bytes(b'\n{"text": "1"}\n\n{"text": "2"}')
    pq.write_table(pa.table({"text": ["3", "4"]}), tmp_path / "a.parquet")
    (tmp_path / "b.txt").write_text("5")
    (tmp_path / "c.txt").write_text("6")
    all_rows = read([tmp_path / "z.jsonl", tmp_path])
    assert [(row.place.removeprefix(f"{tmp_path}/"), row.number, row.text) for row in all_rows] == [
        ("z.jsonl:2", 0, "1"),
        ("z.jsonl:4", 1, "2"),
        ("a.parquet:1", 2, "3"),
        ("a.parquet:2", 3, "4"),
        ("b.txt", 4, "5"),
        ("c.txt", 5, "6"),
    ]


def test_a_column_of_the_exact_name_takes_precedence_over_a_path(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"meta.text": "literal", "meta": {"text": "nested"}},
        {"meta": {"text": "nested"}},
    ]
    assert [row.text for row in read(jsonl(tmp_path, records), columns=["meta.text"])] == [
        "literal",
        "nested",
    ]
    reverse = jsonl(tmp_path, records[::-1])
    assert [row.text for row in read(reverse, columns=["meta.text"])] == ["nested", "literal"]
    for form in (parquet, dataset):
        assert read(form(tmp_path, records[:1]), columns=["meta.text"])[0].text == "literal"


@pytest.mark.parametrize("form", FORMS)
def test_members_of_a_null_struct_are_null(form: Any, tmp_path: Path) -> None:
    records = [{"text": "x", "meta": {"id": 1}}, {"text": "y", "meta": None}]
    assert [row.values for row in read(form(tmp_path, records), keep=["meta.id"])] == [
        {"meta.id": 1},
        {"meta.id": None},
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("keep", [[], ["q"]])
@pytest.mark.parametrize(
    ("columns", "row", "what"),
    [
        (["q", "nowhere"], 1, "no column 'nowhere', only"),
        (["q", "meta.nowhere"], 1, "no column 'meta.nowhere', only"),
        (["q", "meta.n"], 1, "not text"),
        (["meta"], 1, "not text"),
        (["q", "hole"], 3, "null"),
        (["hole"], 3, "null"),
    ],
)
def test_a_column_that_is_not_text_is_named(
    form: Any, keep: list[str], columns: list[str], row: int, what: str, tmp_path: Path
) -> None:
    records = [record | {"hole": None if i == 2 else "x"} for i, record in enumerate(TYPED)]
    with pytest.raises(CorpusError, match=what) as error:
        read(form(tmp_path, records), columns=columns, keep=keep)
    message = str(error.value)
    assert message.startswith(("dataset", str(tmp_path)))
    if what == "null" or form in (jsonl, zipped, shuffled):
        assert f", line {row}: " in message or f", row {row}: " in message
    if what.startswith("no column"):
        for column in ("id", "meta.text", "hole"):
            assert column in message


@pytest.mark.parametrize("form", FORMS)
def test_a_column_to_keep_that_is_missing_is_named(form: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no column 'url', only .*: choose others$") as error:
        read(form(tmp_path, TYPED), columns=["q"], keep=["url"])
    assert error.value.parameter == "keep"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"text": "ab\\ud800", "id": 1}', "line 2: column 'text' has a lone surrogate at character 2"),
        (b'{"text": "ab\xff", "id": 1}', "line 2: not UTF-8 at byte (2|12 of the line): "),
        (b'{"text": "ab', "line 2: not JSON"),
        (b'["text"]', "line 2: a JSON array instead of an object"),
    ],
)
@pytest.mark.parametrize("keep", [[], ["id"]])
def test_a_bad_line_is_named(line: bytes, what: str, keep: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "x", "id": 0}\n' + line)
    with pytest.raises(CorpusError, match=what):
        read(path, keep=keep)


def test_bad_utf_8_in_a_table_is_named(tmp_path: Path) -> None:
    offsets = pa.array([0, 1, 4, 5], pa.int32()).buffers()[1]
    texts = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"xab\xffy")])
    pq.write_table(pa.table({"text": texts, "id": [1, 2, 3]}), tmp_path / "a.parquet")
    (tmp_path / "b.txt").write_bytes(b"ab\xff")
    for keep in ([], ["id"]):
        with pytest.raises(CorpusError, match=r"a.parquet, row 2: not UTF-8 at byte 2"):
            read(tmp_path / "a.parquet", keep=keep)
    with pytest.raises(CorpusError, match=r"b.txt: not UTF-8 at byte 2"):
        read(tmp_path / "b.txt")


def test_plain_text_has_no_columns_to_keep(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(CorpusError, match=r"a.txt: plain text has no columns to keep \(id\)"):
        read(tmp_path / "a.txt", keep=["id"])


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"columns": []}, "no column holds the text"),
        ({"columns": [""]}, "a column's name is empty"),
        ({"keep": ["x", ""]}, "a column's name is empty"),
        ({"columns": ["x", "x"]}, "column 'x' is named twice"),
        ({"keep": ["x", "x"]}, "column 'x' is named twice"),
        ({"format": "xml"}, "unknown format 'xml'"),
    ],
)
def test_invalid_columns_and_formats_are_refused(options: dict[str, Any], what: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=what):
        rows.read(jsonl(tmp_path, RECORDS), **options)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_sources_without_rows_have_none(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "a.parquet":
        pq.write_table(pa.table({"text": pa.array([], pa.string())}), path)
    else:
        path.write_bytes(gzip.compress(b"\n") if name.endswith(".gz") else b"")
    assert read(path) == []


def test_all_bytes_are_accounted_for(tmp_path: Path) -> None:
    records = [{"text": "lorem ipsum " * 50, "id": i} for i in range(9000)]
    data = [jsonl(tmp_path, records), parquet(tmp_path, records)]
    reading = rows.read(data, keep=["id"])
    batches = list(reading)
    assert sum(batch.read_bytes for batch in batches) == reading.n_bytes
    assert reading.n_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert len(batches) > 4
    assert [row.number for batch in batches for row in batch.rows] == list(range(18_000))
    assert [row.values["id"] for batch in batches for row in batch.rows] == [*range(9000)] * 2


@pytest.mark.parametrize("form", FORMS)
def test_a_chunk_can_be_sent_to_another_process(form: Any, tmp_path: Path) -> None:
    reading = rows.read(form(tmp_path, TYPED), columns=["q", "a"], keep=["meta.n"])
    for number, chunk in reading.chunks():
        copy = pickle.loads(pickle.dumps(chunk))
        assert copy.n_rows == chunk.n_rows
        assert rows.unpack(copy, number, reading.columns)[0] == rows.unpack(chunk, number, reading.columns)[0]


def test_a_pickled_chunk_does_not_contain_the_rows_around_it() -> None:
    whole = datasets.Dataset.from_dict({"text": [f"{i:01000}" for i in range(20_000)]})
    for data in (whole, whole.select(range(7, 9000))):
        for _, chunk in rows.read(data).chunks():
            assert len(pickle.dumps(chunk)) < 1000 * chunk.n_rows + 100_000


@pytest.mark.parametrize("form", FORMS)
def test_reading_other_columns_of_a_source_equals_reading_it_again(form: Any, tmp_path: Path) -> None:
    data = form(tmp_path, TYPED)
    source = rows.read(data, columns=["q"])
    other = source.with_columns(["a", "meta.text"], keep=["id"])
    expected = rows.read(data, columns=["a", "meta.text"], keep=["id"])
    assert [row for batch in other for row in batch.rows] == [row for batch in expected for row in batch.rows]
    assert other.stamps() == expected.stamps()
    # The original source still has its own columns.
    assert [row.text for batch in source for row in batch.rows] == [row["q"] for row in TYPED]
    with pytest.raises(SpecError, match="named twice"):
        source.with_columns(["q", "q"])
    with pytest.raises(CorpusError, match="no column 'url'"):
        list(source.with_columns(["url"]))


def test_parts_of_a_dataset_keep_their_rows_with_other_columns() -> None:
    data = datasets.Dataset.from_list(TYPED)
    (shard,) = rows.read(data, columns=["q"]).shards
    parts = [part.with_columns(Columns(("a",))) for part in shard.split(60)]
    assert len(parts) > 1
    texts = [text for part in parts for chunk in part.chunks() for text in chunk.batch().texts.to_pylist()]
    assert texts == [row["a"] for row in TYPED]
    places = [place for part in parts for chunk in part.chunks() for place in chunk.places()]
    assert places == [f"dataset:{i + 1}" for i in range(len(TYPED))]
    assert all(part.stamps() == shard.stamps() for part in parts)


def test_a_source_is_resolved_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = [jsonl(tmp_path, TYPED), parquet(tmp_path, TYPED)]
    (tmp_path / "b.txt").write_text("plain")
    source = rows.read([*data, tmp_path / "b.txt"])
    monkeypatch.setattr("portrait.corpus.rows.resolve", lambda *_, **__: pytest.fail("resolved again"))
    assert [named.name for named in source.sources] == ["main"]
    assert [file.path for file in source.files] == [str(path) for path in [*data, tmp_path / "b.txt"]]
    assert [stamp.path for stamp in source.stamps()] == [file.path for file in source.files]
    assert source.n_bytes == sum(file.n_bytes or 0 for file in source.files)
    assert (source.revisions, source.read_once) == ({}, False)
    assert [shard.kind for shard in source.shards] == ["jsonl", "parquet", "txt"]


def test_a_value_that_python_cannot_represent_is_named(tmp_path: Path) -> None:
    years = pa.array([0, 10**15], pa.int64()).cast(pa.timestamp("s"))
    pq.write_table(pa.table({"text": ["x", "y"], "day": years}), tmp_path / "a.parquet")
    with pytest.raises(BadRowError, match=r"a\.parquet, row 2: column 'day' cannot be carried along: "):
        read(tmp_path / "a.parquet", keep=["day"])


@pytest.mark.parametrize("form", FORMS)
def test_optional_columns_are_kept_if_all_rows_have_them(form: Any, tmp_path: Path) -> None:
    typed_rows = read(form(tmp_path, TYPED), columns=["a"], optional=["id", "task_id"])
    assert [row.values for row in typed_rows] == [{"id": f"id {i}"} for i in range(7)]


def test_an_optional_column_that_one_row_of_a_chunk_lacks_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "id": 1, "n": [1]}\n{"text": "b", "n": null}\n')
    assert [row.values for row in read(path, optional=["id", "n"])] == [{"n": [1]}, {"n": None}]


@pytest.mark.parametrize("n_rows", [0, 3])
def test_whole_rows_of_parquet_have_all_columns(n_rows: int, tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b", "c"], "n": [1, 2, 3]}).replace_schema_metadata({"note": "kept"})
    pq.write_table(table.slice(0, n_rows), tmp_path / "a.parquet", compression="zstd")
    source = rows.read(tmp_path / "a.parquet", whole=True)
    ((_, chunk),) = source.chunks()
    assert isinstance(chunk, TableChunk)
    assert pa.table(chunk.rows).equals(table.slice(0, n_rows), check_metadata=True)
    if n_rows:
        assert chunk.codec == "ZSTD"
    assert [row.text for row in rows.unpack(chunk, 0, source.columns)[0]] == ["a", "b", "c"][:n_rows]
