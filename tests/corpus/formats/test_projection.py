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
    no_rows,
    require_columns,
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
