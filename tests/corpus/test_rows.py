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
from portrait.errors import BadRowError, CorpusError, SpecError

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


@pytest.mark.parametrize("form", FORMS)
def test_other_columns_of_the_same_sources_are_those_of_another_reading(form: Any, tmp_path: Path) -> None:
    data = form(tmp_path, TYPED)
    source = rows.read(data, columns=["q"])
    other = source.with_columns(["a", "meta.text"], keep=["id"])
    expected = rows.read(data, columns=["a", "meta.text"], keep=["id"])
    assert [row for some in other for row in some.rows] == [row for some in expected for row in some.rows]
    assert other.stamps() == expected.stamps()
    # The first ones still have their own columns.
    assert [row.text for some in source for row in some.rows] == [row["q"] for row in TYPED]
    with pytest.raises(SpecError, match="named twice"):
        source.with_columns(["q", "q"])
    with pytest.raises(CorpusError, match="no column 'url'"):
        list(source.with_columns(["url"]))


def test_parts_of_a_dataset_keep_their_rows_with_other_columns() -> None:
    data = datasets.Dataset.from_list(TYPED)
    (shard,) = rows.read(data, columns=["q"]).shards
    parts = [part.with_columns(Columns(("a",))) for part in shard.split(60)]
    assert len(parts) > 1
    found = [text for part in parts for chunk in part.chunks() for text in chunk.batch().texts.to_pylist()]
    assert found == [row["a"] for row in TYPED]
    places = [place for part in parts for chunk in part.chunks() for place in chunk.places()]
    assert places == [f"dataset:{i + 1}" for i in range(len(TYPED))]
    assert all(part.stamps() == shard.stamps() for part in parts)


def test_a_source_knows_its_inputs_from_one_lookup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = [jsonl(tmp_path, TYPED), parquet(tmp_path, TYPED)]
    (tmp_path / "b.txt").write_text("plain")
    source = rows.read([*data, tmp_path / "b.txt"])
    monkeypatch.setattr("portrait.corpus.rows.resolve", lambda *_, **__: pytest.fail("looked up again"))
    assert [one.name for one in source.sources] == ["main"]
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
