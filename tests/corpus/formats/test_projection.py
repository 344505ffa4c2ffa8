"""The columns of a table: looked up, checked and joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.refusals import message

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.formats.projection import (
    TableChunk,
    join,
    longest_shared_value,
    no_rows,
    require_columns,
    require_small,
    text_array,
    wanted_columns,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as sink:
        sink.write_table(table)
    (tmp_path / "a.csv").write_text("text,text\na,b\n")
    for path in sorted(tmp_path.iterdir()):
        assert message(path, tmp_path) == f"{path}: there are two columns 'text': rename one"


def test_a_schema_is_checked_for_columns_and_paths() -> None:
    schema = pa.schema({"a": pa.string(), "meta": pa.struct({"text": pa.string(), "n": pa.int64()})})
    columns = Columns(("meta.text",), ("a",))
    assert require_columns(columns, schema, "file")["meta"].keys() == {"text", "n"}
    assert wanted_columns(columns, schema) == [0, 1]
    assert wanted_columns(Columns(("a",)), schema) == [0]
    with pytest.raises(
        portrait.CorpusError, match=r"^file: no column 'meta\.x', only a, meta\.text, meta\.n: "
    ):
        require_columns(Columns(("meta.x",)), schema, "file")


def test_a_column_that_is_not_text_is_named_with_its_type() -> None:
    with pytest.raises(
        portrait.CorpusError, match=r"^file: column 'n' is int64, not text: choose another$"
    ) as error:
        text_array(pa.array([1]), "n", "file")
    assert error.value.parameter == "column"


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.string(), 2)]
)
def test_lists_of_strings_are_joined_as_lines_and_are_null_if_any_is(kind: pa.DataType) -> None:
    column = pa.array([["a", "b"], ["c", None], None], kind)
    assert text_array(column, "text", "file").to_pylist() == ["a\nb", None, None]


def test_columns_are_joined_row_by_row() -> None:
    one, other = pa.array(["a", "b"]), pa.array(["c", None])
    assert join([one], ["one"], str) is one
    assert join([one, one], ["one", "one"], str).to_pylist() == ["a\na", "b\nb"]
    with pytest.raises(portrait.BadRowError, match=r"^1: column 'other' holds null, not text$"):
        join([one, other], ["one", "other"], str)


def test_a_chunk_without_rows_has_all_columns() -> None:
    chunk = TableChunk("file", 0, no_rows(Columns(("a",), ("b",))), Columns(("a",), ("b",)), 5)
    batch = chunk.batch()
    assert (len(batch.texts), [len(values) for values in batch.kept], batch.read_bytes) == (0, [0], 5)
    assert (chunk.n_rows, chunk.places()) == (0, [])


def dictionary(values: pa.Array) -> pa.Array:
    """Return three rows that share the values of a dictionary."""
    return pa.DictionaryArray.from_arrays(pa.array([0, 0, 1], pa.int8()), values)


VIEWS = pa.array(["x" * 100, "y" * 300, "z", "w" * 200], pa.string_view())


@pytest.mark.parametrize(
    ("column", "n_bytes"),
    [
        (pa.array(["x" * 100] * 3), 0),
        (pa.array([1, 2, 3]), 0),
        (dictionary(pa.array(["x" * 100, "é" * 100])), 200),
        (dictionary(pa.array(["x" * 300, "y"], pa.large_string())), 300),
        (dictionary(pa.array([None, None], pa.string())), 0),
        (dictionary(pa.array([1, 2])), 0),
        (VIEWS, 300),
        (VIEWS.slice(0, 1), 100),
        (VIEWS.slice(2, 1), 1),
        (VIEWS.slice(2, 2), 200),
        (VIEWS.slice(4, 0), 0),
        (pa.array([], pa.string_view()), 0),
        (
            pa.StructArray.from_arrays(
                [dictionary(pa.array(["x" * 70, "y"])), VIEWS.slice(1, 3)], ["a", "b"]
            ),
            300,
        ),
        (pa.array([{}, {}], pa.struct([])), 0),
    ],
)
def test_rows_share_the_values_of_dictionaries_and_what_views_show(column: pa.Array, n_bytes: int) -> None:
    assert longest_shared_value(pa.RecordBatch.from_arrays([column], ["text"])) == n_bytes
    beside = pa.array(["y"] * len(column))
    assert longest_shared_value(pa.RecordBatch.from_arrays([beside, column], ["id", "text"])) == n_bytes


def test_a_table_without_columns_shares_nothing() -> None:
    assert longest_shared_value(pa.RecordBatch.from_arrays([], [])) == 0


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.large_binary()])
def test_no_text_may_be_larger_than_the_limit(kind: pa.DataType) -> None:
    columns = Columns(max_document_bytes=100)
    small = pa.array(["x" * 100] * 5, kind)
    require_small(small, columns, str)
    for row in (0, 3):
        large = pa.array(["x" * (100 + (i == row)) for i in range(5)], kind)
        with pytest.raises(portrait.BadRowError, match=rf"^{row}: text of more than 100 bytes: "):
            require_small(large, columns, str)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_text_may_have_any_type_of_string_and_be_in_a_dictionary_or_a_list(kind: pa.DataType) -> None:
    plain = pa.array(["a", "b"], pa.string()).cast(kind)
    coded = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), plain)
    assert text_array(plain, "text", "file").to_pylist() == ["a", "b"]
    assert text_array(coded, "text", "file").to_pylist() == ["b", "a"]
    listed = pa.ListArray.from_arrays(pa.array([0, 2, 2], pa.int32()), plain)
    assert text_array(listed, "text", "file").to_pylist() == ["a\nb", ""]
    for column in (plain, coded, listed):
        kind_of_text = text_array(column, "text", "file").type
        assert pa.types.is_string(kind_of_text) or pa.types.is_large_string(kind_of_text)


@pytest.mark.parametrize("kind", [pa.dictionary(pa.int8(), pa.int64()), pa.list_(pa.int64()), pa.binary()])
def test_what_is_no_text_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(portrait.CorpusError, match=r"^file: column 'n' is .*, not text: choose another$"):
        text_array(pa.array([], kind), "n", "file")


class Preceding:
    """A hundred rows in front of a part of a file."""

    def count(self) -> int:
        return 100


def test_rows_are_named_by_their_numbers_in_the_file() -> None:
    rows = pa.record_batch({"text": ["a", "b", None]})
    chunk = TableChunk("file", 10, rows, Columns(), 7, Preceding())
    assert chunk.places() == ["file:111", "file:112", "file:113"]
    assert [chunk.batch().place(row) for row in range(3)] == [
        "file, row 111",
        "file, row 112",
        "file, row 113",
    ]
    part = chunk.slice(1, 3)
    assert (part.n_rows, part.read_bytes, part.places()) == (2, 0, ["file:112", "file:113"])
    assert part.batch().texts.to_pylist() == ["b", None]
    assert TableChunk("file", 10, rows, Columns(), 7).places() == ["file:11", "file:12", "file:13"]
