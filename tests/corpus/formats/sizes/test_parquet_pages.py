"""The pages of a Parquet file, whatever wrote them, and how many rows they let fit into memory."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
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
    # Texts in lists have longer paths; a name that begins alike is another's.
    table = pa.table({"text": [["c" * 1000], ["d" * 1000]], "texts": ["a", "b"]})
    assert rows(tmp_path / "a", table, 500, ["text"]) == 1
    assert rows(tmp_path / "a", table, 500, ["texts"]) == 2


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


# Headers written here, with all that other writers may put into them.

#: A field of a structure: its number, its type in the compact protocol, and its content.
Field = tuple[int, int, bytes]


def varint(n: int) -> bytes:
    """Return a number, seven bits a byte."""
    data = bytearray()
    while n > 127:
        data.append(n & 127 | 128)
        n >>= 7
    return bytes([*data, n])


def number(n: int) -> bytes:
    """Return a number with a sign."""
    return varint(2 * n if n >= 0 else -2 * n - 1)


def structure(*fields: Field, long: bool = False) -> bytes:
    """Return a structure; ``long`` writes out the number of each field."""
    data, last = b"", 0
    for field, kind, content in fields:
        short = not long and 0 < field - last < 16
        data += bytes([(field - last) << 4 | kind]) if short else bytes([kind]) + number(field)
        data, last = data + content, field
    return data + b"\0"


def page(
    n_bytes: int = 1000,
    n_values: int = 3,
    encoding: int = 0,
    *,
    kind: int = 0,
    own: int = 5,
    more: tuple[Field, ...] = (),
    long: bool = False,
) -> bytes:
    """Return a page of 7 bytes, which has more decompressed; ``more`` stands before its own structure."""
    at = {5: 2, 7: 2, 8: 4}[own]
    values = structure((1, 5, number(n_values)), *more, (at, 5, number(encoding)), long=long or bool(more))
    fields: list[Field] = [(1, 5, number(kind)), (2, 5, number(n_bytes)), (3, 5, number(7))]
    return structure(*fields, *more, (own, 12, values), long=long or bool(more)) + b"7 bytes"


def rows_of(path: Path, *columns: list[bytes], max_bytes: int, n_rows: int = 100, **fields: Any) -> int:
    """Return how many rows fit of a row group whose columns of text have these pages.

    ``fields`` are members of each column's record.
    """
    data = b"\xff" * 40
    records: list[SimpleNamespace] = []
    for pages in columns:
        record = {
            "physical_type": "BYTE_ARRAY",
            "path_in_schema": f"text{len(records)}",
            "has_dictionary_page": False,
            "dictionary_page_offset": None,
            "data_page_offset": len(data),
            "total_compressed_size": sum(map(len, pages)),
        }
        records.append(SimpleNamespace(**{**record, **fields}))
        data += b"".join(pages)
    path.write_bytes(data + b"\xff" * 40)
    group = SimpleNamespace(num_rows=n_rows, num_columns=len(records), column=records.__getitem__)
    return rows_within(path, group, None, max_bytes)


MORE: dict[str, Field] = {
    "true": (10, 1, b""),
    "false": (10, 2, b""),
    "byte": (10, 3, b"\x81"),
    "16 bits": (10, 4, number(-300)),
    "64 bits": (10, 6, number(-(1 << 63))),
    "double": (10, 7, b"\xff" * 8),
    "text": (10, 8, varint(300) + b"\x15" * 300),
    "no text": (10, 8, varint(0)),
    "structure": (10, 12, structure((1, 8, varint(2) + b"\0\0"), (20, 12, structure()))),
}


@pytest.mark.parametrize("own", [5, 8])
@pytest.mark.parametrize("name", MORE)
def test_a_header_may_have_fields_of_every_type(name: str, own: int, tmp_path: Path) -> None:
    pages = [page(own=own, more=(MORE[name],)), page(own=own)]
    # 2,000 bytes of text do not fit: a page of three values does.
    assert rows_of(tmp_path / "a", pages, max_bytes=1999) == 3
    assert rows_of(tmp_path / "a", pages, max_bytes=2000) == 100


@pytest.mark.parametrize("long", [False, True])
def test_the_numbers_of_fields_may_be_written_out(long: bool, tmp_path: Path) -> None:
    pages = [page(100_000, 300, long=long), page(200_000, 301, long=long)]
    assert rows_of(tmp_path / "a", pages, max_bytes=299_999, n_rows=1000) == 300
    assert rows_of(tmp_path / "a", pages, max_bytes=199_999, n_rows=1000) == 1


@pytest.mark.parametrize(
    "bad",
    [
        page(more=((10, 9, b"\x05"),)),
        page(more=((10, 0, b""),)),
        page(-1),
        page(n_values=-1),
        page(encoding=-1),
        structure((1, 5, number(0)), (2, 5, number(1000)), (3, 5, number(-1))) + b"7 bytes",
        structure((2, 5, number(1000)), (3, 5, number(7)), (5, 12, structure())) + b"7 bytes",
        structure((1, 5, number(0)), (2, 5, number(9)), (3, 5, number(7)), (5, 5, number(3))) + b"7 bytes",
        page(more=((10, 6, b"\xff" * 10 + b"\x01"),)),
        b"\x1c" * 50_000,
    ],
    ids=[
        "list",
        "no type",
        "negative size",
        "negative values",
        "negative encoding",
        "negative length",
        "no kind",
        "number for a structure",
        "number too long",
        "nested too deeply",
    ],
)
def test_a_header_that_is_none_leaves_the_rows_to_arrow_one_by_one(bad: bytes, tmp_path: Path) -> None:
    assert rows_of(tmp_path / "a", [page(), page()], max_bytes=5000) == 100
    assert rows_of(tmp_path / "a", [bad, page()], max_bytes=5000) == 1
    assert rows_of(tmp_path / "a", [page(), bad], max_bytes=5000) == 1


def test_pages_of_an_index_and_pages_without_values_count_as_one(tmp_path: Path) -> None:
    index = structure((1, 5, number(1)), (2, 5, number(0)), (3, 5, number(7))) + b"7 bytes"
    for odd in (index, page(0, 0)):
        assert rows_of(tmp_path / "a", [page(), odd, page()], max_bytes=1999) == 1
        assert rows_of(tmp_path / "a", [page(500), odd, page(1000)], max_bytes=1499, n_rows=7) == 1
        pages = [page(400), odd, page(400), page(400)]
        assert rows_of(tmp_path / "a", pages, max_bytes=1199) == 2


@pytest.mark.parametrize(
    ("encoding", "own", "rows"),
    [(0, 5, 100), (2, 5, 5), (8, 5, 5), (8, 8, 5), (3, 5, 100), (7, 5, 50), (7, 8, 50)],
)
def test_a_row_may_cost_a_dictionary_or_a_prefix(encoding: int, own: int, rows: int, tmp_path: Path) -> None:
    dictionary = page(1000, 2, kind=2, own=7)
    pages = [dictionary, page(100, 100, encoding, own=own), page(80, 100, own=own)]
    fields = {
        "has_dictionary_page": True,
        "dictionary_page_offset": 40,
        "data_page_offset": 40 + len(dictionary),
    }
    assert rows_of(tmp_path / "a", pages, max_bytes=5000, **fields) == rows


@pytest.mark.parametrize(("has_one", "offset"), [(False, 20), (True, 0), (True, 200)])
def test_a_dictionary_that_is_not_there_is_not_read(has_one: bool, offset: int, tmp_path: Path) -> None:
    fields = {"has_dictionary_page": has_one, "dictionary_page_offset": offset}
    for encoding in (0, 8):
        pages = [page(20, 50, encoding), page(20, 50, encoding)]
        assert rows_of(tmp_path / "a", pages, max_bytes=50, **fields) == 100


def test_columns_share_the_room(tmp_path: Path) -> None:
    assert rows_of(tmp_path / "a", [page(600, 40)], [page(600, 30)], max_bytes=1200) == 100
    assert rows_of(tmp_path / "a", [page(600, 40)], [page(700, 30)], max_bytes=1399) == 1
    two = [page(300, 30), page(400, 30)]
    assert rows_of(tmp_path / "a", two, [page(600, 40)], max_bytes=1398) == 30
    assert rows_of(tmp_path / "a", [page(600)], max_bytes=1200, physical_type="INT64") == 100


@pytest.mark.parametrize(("n_rows", "rows"), [(0, 1), (1, 1), (2, 2), (3 << 30, 1 << 31)])
def test_there_are_no_more_rows_than_the_group_has_or_arrow_counts(
    n_rows: int, rows: int, tmp_path: Path
) -> None:
    assert rows_of(tmp_path / "a", [page()], max_bytes=1000, n_rows=n_rows) == rows


@pytest.mark.parametrize(
    ("n_bytes", "rows"),
    [(4000, 3), (5000, 3), (300_000, 3), (3_000_000, 3), (16_000_000, 3), (17_000_000, 1)],
)
def test_headers_of_up_to_16_mib_are_read(n_bytes: int, rows: int, tmp_path: Path) -> None:
    long = page(more=((10, 8, varint(n_bytes // 2) + bytes(n_bytes // 2)),))
    assert rows_of(tmp_path / "a", [long, page()], max_bytes=1999) == rows
    assert rows_of(tmp_path / "a", [page(), long], max_bytes=1999) == rows
