"""Rows of any source: their text, their place, their number, and what is carried along."""

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
from portrait.errors import CorpusError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Every value as JSON knows it, none as Arrow would guess it.
IDS = [1, "2020-01-01", None, [1, {"a": "x"}], {"b": 2.5}, True, 2**70]
RECORDS = [
    {"id": value, "q": f"question {i}?", "meta": {"text": f"é🦀 {i}", "n": i}, "a": f"answer\n{i}"}
    for i, value in enumerate(IDS)
]
#: The same in types that a table can have.
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
    """The columns in another order in every line."""
    turned = [
        dict(sorted(record.items(), key=lambda pair: hash((i, pair[0])))) for i, record in enumerate(records)
    ]
    return jsonl(directory, turned)


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
    return [row for some in rows.read(data, **options) for row in some.rows]


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_joined_and_others_carried_along(form: Any, tmp_path: Path) -> None:
    found = read(form(tmp_path, TYPED), columns=["q", "meta.text", "a"], keep=["meta.n", "id", "meta"])
    assert [row.text for row in found] == [f"question {i}?\né🦀 {i}\nanswer\n{i}" for i in range(7)]
    assert [row.values for row in found] == [
        {"meta.n": i, "id": f"id {i}", "meta": record["meta"]} for i, record in enumerate(TYPED)
    ]
    assert [list(row.values) for row in found] == [["meta.n", "id", "meta"]] * 7
    assert [row.number for row in found] == list(range(7))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("columns", [["q"], ["meta.text"], ["a", "q"], ["a", "meta.text"]])
def test_texts_are_the_same_with_and_without_columns_carried_along(
    form: Any, columns: list[str], tmp_path: Path
) -> None:
    data = form(tmp_path, TYPED)
    texts = [row.text for row in read(data, columns=columns)]
    assert texts == [row.text for row in read(data, columns=columns, keep=["id"])]
    assert len(set(texts)) == 7


def test_values_of_json_are_carried_along_as_they_are(tmp_path: Path) -> None:
    found = read(jsonl(tmp_path, RECORDS), columns=["q"], keep=["id"])
    assert [row.values["id"] for row in found] == IDS
    assert [type(row.values["id"]) for row in found] == list(map(type, IDS))


def test_values_of_tables_are_carried_along_as_they_are(tmp_path: Path) -> None:
    table = pa.table({"text": ["x", "y"], "day": [date(2020, 1, 1), None], "raw": [b"\xff", b""]})
    pq.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet", keep=["day", "raw"])
    assert [row.values for row in found] == [
        {"day": date(2020, 1, 1), "raw": b"\xff"},
        {"day": None, "raw": b""},
    ]


def test_places_and_numbers_go_through_all_files(tmp_path: Path) -> None:
    (tmp_path / "z.jsonl").write_bytes(b'\n{"text": "1"}\n\n{"text": "2"}')
    pq.write_table(pa.table({"text": ["3", "4"]}), tmp_path / "a.parquet")
    (tmp_path / "b.txt").write_text("5")
    (tmp_path / "c.txt").write_text("6")
    found = read([tmp_path / "z.jsonl", tmp_path])
    assert [(row.place.removeprefix(f"{tmp_path}/"), row.number, row.text) for row in found] == [
        ("z.jsonl:2", 0, "1"),
        ("z.jsonl:4", 1, "2"),
        ("a.parquet:1", 2, "3"),
        ("a.parquet:2", 3, "4"),
        ("b.txt", 4, "5"),
        ("c.txt", 5, "6"),
    ]


def test_a_column_of_the_very_name_comes_before_a_path(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"meta.text": "literal", "meta": {"text": "nested"}},
        {"meta": {"text": "nested"}},
    ]
    assert [row.text for row in read(jsonl(tmp_path, records), columns=["meta.text"])] == [
        "literal",
        "nested",
    ]
    back = jsonl(tmp_path, records[::-1])
    assert [row.text for row in read(back, columns=["meta.text"])] == ["nested", "literal"]
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
def test_what_is_no_text_is_named(
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
        for there in ("id", "meta.text", "hole"):
            assert there in message


@pytest.mark.parametrize("form", FORMS)
def test_a_column_to_keep_that_is_missing_is_named(form: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no column 'url', only .*: choose others with --keep"):
        read(form(tmp_path, TYPED), columns=["q"], keep=["url"])


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
    with pytest.raises(CorpusError, match=r"a.txt: plain text has no columns, so none to keep \(id\)"):
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
def test_columns_that_make_no_sense_are_refused(options: dict[str, Any], what: str, tmp_path: Path) -> None:
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
    found = list(reading)
    assert sum(some.read_bytes for some in found) == reading.n_bytes
    assert reading.n_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert len(found) > 4
    assert [row.number for some in found for row in some.rows] == list(range(18_000))
    assert [row.values["id"] for some in found for row in some.rows] == [*range(9000)] * 2


@pytest.mark.parametrize("form", FORMS)
def test_a_piece_can_be_sent_to_another_process(form: Any, tmp_path: Path) -> None:
    reading = rows.read(form(tmp_path, TYPED), columns=["q", "a"], keep=["meta.n"])
    for number, chunk in reading.chunks():
        there = pickle.loads(pickle.dumps(chunk))
        assert there.n_rows == chunk.n_rows
        assert (
            rows.unpack(there, number, reading.columns)[0] == rows.unpack(chunk, number, reading.columns)[0]
        )


def test_a_piece_is_sent_without_the_rows_around_it() -> None:
    rows_of_all = datasets.Dataset.from_dict({"text": [f"{i:01000}" for i in range(20_000)]})
    for data in (rows_of_all, rows_of_all.select(range(7, 9000))):
        for _, chunk in rows.read(data).chunks():
            assert len(pickle.dumps(chunk)) < 1000 * chunk.n_rows + 100_000


OPTIONAL_ROWS = [{"text": f"row {i}", "id": i, "other": None} for i in range(3)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet", "a.arrow", "a.csv"])
def test_optional_columns_are_carried_along_where_all_rows_have_them(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    lines = "".join(json.dumps(row) + "\n" for row in OPTIONAL_ROWS).encode()
    table = pa.Table.from_pylist([{"text": row["text"], "id": row["id"]} for row in OPTIONAL_ROWS])
    if name.endswith(".parquet"):
        pq.write_table(table, path)
    elif name.endswith(".arrow"):
        with pa.ipc.new_file(path, table.schema) as sink:
            sink.write_table(table)
    elif name.endswith(".csv"):
        path.write_text("text,id\n" + "".join(f"{row['text']},{row['id']}\n" for row in OPTIONAL_ROWS))
    else:
        path.write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    found = [row for some in rows.read(path, optional=["id", "task_id"]) for row in some.rows]
    assert [row.text for row in found] == ["row 0", "row 1", "row 2"]
    assert [{name: str(value) for name, value in row.values.items()} for row in found] == [
        {"id": "0"},
        {"id": "1"},
        {"id": "2"},
    ]


def test_an_optional_column_that_a_row_lacks_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a", "id": 1, "n": [1]}\n{"text": "b", "n": null}\n')
    found = [
        row.values for some in rows.read(tmp_path / "a.jsonl", optional=["id", "n"]) for row in some.rows
    ]
    assert found == [{"n": [1]}, {"n": None}]


def test_whole_rows_of_parquet_have_all_columns(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"text": "a", "n": 1}]).replace_schema_metadata({"note": "kept"})
    for some in (table, table.slice(0, 0)):
        pq.write_table(some, tmp_path / "a.parquet", compression="zstd")
        ((_, chunk),) = rows.read(tmp_path / "a.parquet", whole=True).chunks()
        assert isinstance(chunk, TableChunk)
        assert chunk.rows.schema.equals(table.schema, check_metadata=True)
        assert (chunk.rows.num_rows, chunk.codec) == (some.num_rows, "ZSTD" if some.num_rows else chunk.codec)
        assert [row.text for row in rows.unpack(chunk, 0, Columns())[0]] == ["a"][: some.num_rows]
