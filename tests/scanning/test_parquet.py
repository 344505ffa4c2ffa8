"""Rows of a scan as a Parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.scans import expected

import portrait
from portrait.answers.record import to_record
from portrait.corpus.rows import Row
from portrait.scanning.parquet import Parquet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import Cli


def test_a_parquet_file_has_the_same_rows(cli: Cli, wick: Path, data: Path, tmp_path: Path) -> None:
    result = cli("scan", wick, data.name, "--keep", "id", "--keep", "n", "-o", "out.parquet", "-q")
    assert result == (0, "", "")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.to_pylist() == list(expected([portrait.open(wick)]))
    assert table.schema.field("values").type == pa.struct([("id", pa.string()), ("n", pa.int64())])
    assert table.schema.field("evalue").type == pa.float64()
    assert table.schema.metadata[b"portrait.evalue"] == b"1e-05"
    assert 0 < float(table.schema.metadata[b"portrait.expected_by_chance"]) < 7 * 1e-5


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of an answer."""
    folder = tmp_path_factory.mktemp("record")
    (folder / "a.txt").write_text("Some text.")
    answer = portrait.build(folder / "a.txt", folder / "a.portrait").query("Some text.")
    return to_record(answer, matches=True, qualified=False)


def write(pieces: Sequence[Sequence[Any]], record: dict[str, Any], folder: Path) -> pa.Table:
    """Write and read a file of pieces that hold these values of one kept column."""
    table = Parquet(("kept",), matches=True, several=False)
    data, number = b"", 0
    for piece in pieces:
        rows = [
            Row(f"a:{number + i}", number + i, "Some text.", {"kept": value}) for i, value in enumerate(piece)
        ]
        data += table.encode(rows, [list(piece)], [record] * len(rows))
        number += len(rows)
    (folder / "parts").write_bytes(data)
    whole = table.finish(folder / "parts", folder / "whole", facts={"note": "é"})
    assert whole == folder / "whole"
    return pq.read_table(whole)


@pytest.mark.parametrize(
    ("pieces", "values", "kind"),
    [
        ([[1, 2], [None]], [1, 2, None], "int64"),
        ([[1], [0.5]], [1.0, 0.5], "double"),
        ([[None], [None]], [None, None], "string"),
        ([[1], ["x"]], ["1", '"x"'], "string"),
        ([[2**60 + 1], [0.5]], [str(2**60 + 1), "0.5"], "string"),
        ([[[1]], [{"a": None}]], ["[1]", '{"a": null}'], "string"),
        ([[2**70], [1]], [str(2**70), "1"], "string"),
    ],
)
def test_the_pieces_of_a_column_have_one_common_type(
    pieces: list[list[Any]], values: list[Any], kind: str, record: dict[str, Any], tmp_path: Path
) -> None:
    table = write(pieces, record, tmp_path)
    assert [row["kept"] for row in table["values"].to_pylist()] == values
    assert str(table.schema.field("values").type.field("kept").type) == kind
    assert table.schema.metadata == {b"note": "é".encode()}
    assert table["row"].to_pylist() == list(range(len(values)))


def test_the_output_does_not_depend_on_the_sizes_of_pieces(record: dict[str, Any], tmp_path: Path) -> None:
    values = list(range(40_000))
    files = []
    for n in (40_000, 7_001):
        table = write([values[i : i + n] for i in range(0, len(values), n)], record, tmp_path)
        assert [row["kept"] for row in table["values"].to_pylist()] == values
        groups = pq.ParquetFile(tmp_path / "whole").metadata
        assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [16384, 16384, 7232]
        files.append((tmp_path / "whole").read_bytes())
    assert files[0] == files[1]
