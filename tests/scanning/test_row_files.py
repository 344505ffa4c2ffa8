"""Output formats of a scan: each holds the same values."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.scans import lines, rows_of

from portrait.errors import SpecError
from portrait.scanning.json_lines import JsonLines
from portrait.scanning.parquet import Parquet
from portrait.scanning.row_files import row_file

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli


#: Rows whose values have different types in the same column.
MIXED: list[dict[str, Any]] = [
    {
        "text": "x",
        "whole": 1,
        "mixed": "x",
        "real": 1,
        "big": 2**60 + 1,
        "list": [1],
        "hole": None,
        "bad": "\ud800",
    },
    {"text": "x", "whole": None, "mixed": 2, "real": 0.5, "big": 0.5, "list": [], "hole": None, "bad": "x"},
]


#: The kept values of these rows as a Parquet file holds them.
IN_PARQUET: list[dict[str, Any]] = [
    {
        "whole": 1,
        "mixed": '"x"',
        "real": 1.0,
        "big": str(2**60 + 1),
        "list": "[1]",
        "hole": None,
        "bad": r'"\ud800"',
    },
    {"whole": None, "mixed": "2", "real": 0.5, "big": "0.5", "list": "[]", "hole": None, "bad": '"x"'},
]


def test_kept_values_of_any_kind_survive(cli: Cli, wick: Path, tmp_path: Path) -> None:
    keep = ",".join(IN_PARQUET[0])
    (tmp_path / "together.jsonl").write_bytes(lines(MIXED))
    (tmp_path / "a.jsonl").write_bytes(lines(MIXED[:1]))
    (tmp_path / "b.jsonl").write_bytes(lines(MIXED[1:]))
    for data in (["together.jsonl"], ["a.jsonl", "b.jsonl"]):
        rows = rows_of(cli("scan", wick, *data, "--keep", keep).out)
        assert [{"text": "x"} | row["values"] for row in rows] == MIXED
        assert cli("scan", wick, *data, "--keep", keep, "-o", "out.parquet", "--overwrite").code == 0
        table = pq.read_table(tmp_path / "out.parquet")
        assert [row["values"] for row in table.to_pylist()] == IN_PARQUET


def test_columns_of_tables_keep_their_types(cli: Cli, wick: Path, tmp_path: Path) -> None:
    columns = {
        "small": pa.array([1, None], pa.int16()),
        "day": pa.array([date(2020, 1, 1), None]),
        "raw": pa.array([b"\xff", None]),
        "name": pa.array(["x", None]).dictionary_encode(),
        "real": pa.array([float("nan"), 0.5]),
        "tags": pa.array([["x"], None]),
    }
    pq.write_table(pa.table({"text": ["x", "y"], **columns}), tmp_path / "a.parquet")
    keep = ",".join(columns)
    rows = rows_of(cli("scan", wick, "a.parquet", "--keep", keep).out)
    assert rows[0]["values"] == {
        "small": 1,
        "day": "2020-01-01",
        "raw": "/w==",
        "name": "x",
        "real": None,
        "tags": ["x"],
    }
    assert cli("scan", wick, "a.parquet", "--keep", keep, "-o", "out.parquet").code == 0
    fields = pq.read_table(tmp_path / "out.parquet").schema.field("values").type
    assert {field.name: str(field.type) for field in fields} == {
        "small": "int16",
        "day": "date32[day]",
        "raw": "binary",
        "name": "string",
        "real": "double",
        "tags": "list<element: string>",
    }


def test_data_without_rows_give_an_empty_output(cli: Cli, wick: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    pq.write_table(
        pa.table({"text": pa.array([], pa.string()), "id": pa.array([], pa.int64())}), tmp_path / "e.parquet"
    )
    for name in ("empty.jsonl", "e.parquet"):
        result = cli("scan", wick, name, "--keep", "id")
        assert (result.code, result.out) == (0, "")
        assert result.err.startswith("0 rows: 0 found, ")
        for out in ("out.jsonl", "out.parquet"):
            assert cli("scan", wick, name, "--keep", "id", "-o", out, "--overwrite").code == 0
        assert (tmp_path / "out.jsonl").read_bytes() == b""
        assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def test_the_file_name_decides_the_format() -> None:
    for name in ("a.jsonl", "b.ndjson", "C.JSONL"):
        assert isinstance(row_file(name, (), matches=True, several=False), JsonLines)
    table = row_file("a.Parquet", ["id"], matches=False, several=True)
    assert isinstance(table, Parquet)
    assert (table.keep, table.matches, table.several) == (("id",), False, True)


@pytest.mark.parametrize("name", ["out.csv", "out", "jsonl", "out.jsonl.gz"])
def test_other_file_names_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match=f"{name}: cannot tell the format") as caught:
        row_file(name, (), matches=True, several=False)
    assert caught.value.parameter == "out"
