"""The pages of a Parquet file, whatever wrote them, and how many rows they let fit into memory."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.refusals import message

import portrait
from portrait.corpus.formats.sizes.parquet_pages import rows_within

if TYPE_CHECKING:
    from pathlib import Path

N_ROWS = 20_000
TEXTS = [f"row {i} " * 40 for i in range(N_ROWS)]
TEXT_BYTES = sum(map(len, TEXTS))


def rows(path: Path, table: pa.Table, max_bytes: int, names: list[str] | None = None, **options: Any) -> int:
    """Write a table as one row group, and return how many of its rows fit."""
    pq.write_table(table, path, **options)
    with pq.ParquetFile(path) as file:
        assert file.metadata.num_row_groups == 1
        return rows_within(path, file.metadata.row_group(0), names, max_bytes)


@pytest.mark.parametrize(
    ("compression", "version", "checksums"),
    [*product(["none", "snappy", "zstd"], ["1.0", "2.0"], [False, True])],
)
def test_a_group_that_fits_is_read_whole(
    compression: str, version: str, checksums: bool, tmp_path: Path
) -> None:
    options = {
        "compression": compression,
        "data_page_version": version,
        "use_dictionary": False,
        "write_page_checksum": checksums,
    }
    table = pa.table({"id": range(N_ROWS), "text": TEXTS})
    enough = TEXT_BYTES + 8 * N_ROWS
    assert rows(tmp_path / "a", table, enough, ["text"], **options) == N_ROWS
    fewer = rows(tmp_path / "a", table, TEXT_BYTES // 2, ["text"], **options)
    assert N_ROWS // 8 <= fewer < N_ROWS // 2


def test_rows_that_share_a_value_count_it_each(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array(["x" * 100_000] * 50 + ["y"] * 50)})
    whole = rows(tmp_path / "a", table, 100 * 110_000)
    assert whole == 100
    assert rows(tmp_path / "a", table, 1_000_000) == 9
    assert rows(tmp_path / "a", table, 50_000) == 1


def test_rows_that_share_a_prefix_count_it_each(tmp_path: Path) -> None:
    table = pa.table({"text": ["x" * 100_000 + str(i) for i in range(100)]})
    options: dict[str, Any] = {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}}
    assert rows(tmp_path / "a", table, 1_000_000, **options) == 9


def test_long_statistics_make_long_headers(tmp_path: Path) -> None:
    texts = [chr(97 + i) * 30_000 for i in range(26)]
    table = pa.table({"text": texts})
    assert rows(tmp_path / "a", table, 1 << 20, use_dictionary=False) == 26


def test_other_columns_do_not_count(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b"], "meta": [{"text": "c" * 1000}, {"text": "c" * 1000}]})
    assert rows(tmp_path / "a", table, 500, ["text"]) == 2
    assert rows(tmp_path / "a", table, 500, ["meta.text"]) == 1
    assert rows(tmp_path / "a", table, 500) == 1


def test_no_row_fits_where_its_pages_are_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a"
    # Arrow writes a page for each 1,024 rows.
    pq.write_table(pa.table({"text": ["x" * 2000] * 2048}), path, use_dictionary=False)
    lists = pa.table({"text": [["x" * 1000] * 4096]})
    pq.write_table(lists, tmp_path / "lists", use_dictionary=False)
    for file, n_bytes, options in (
        (path, 1024 * 2004, {}),
        (tmp_path / "lists", 4 * 1024 * 1004, {"lists": ["text.list.element"]}),
    ):
        group = pq.read_metadata(file).row_group(0)
        for page_bytes, expected in ((n_bytes * 98 // 100, 0), (n_bytes * 102 // 100, group.num_rows)):
            n_rows = rows_within(file, group, None, 1 << 30, page_bytes=page_bytes, **options)
            assert n_rows == expected


@pytest.mark.parametrize("damage", [b"\xff" * 60, bytes(60), b"\x15\x04" + b"\xff" * 58, b"\x1c" * 60])
def test_pages_that_cannot_be_read_are_left_to_arrow_row_by_row(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": TEXTS}), path, use_dictionary=False)
    with pq.ParquetFile(path) as file:
        group = file.metadata.row_group(0)
        at = group.column(0).data_page_offset
        data = path.read_bytes()
        path.write_bytes(data[:at] + damage + data[at + len(damage) :])
        assert rows_within(path, group, ["text"], 1 << 30) == 1
    assert str(path) in message(path, tmp_path, portrait.UnreadableFileError)
