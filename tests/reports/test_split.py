"""Clean and contaminated rows are written as they were."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.evaluation import COLUMNS, FOUND, ROWS, TABLE, built, line, write_jsonl

from portrait.errors import OutputError, PortraitError, SpecError
from portrait.reports.publish import Files, publish
from portrait.reports.runner import ReportOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

OPTIONS = ReportOptions(columns=COLUMNS)
SHORT = [9]
NOT_FOUND = [5, 6, 7, 8]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("known"))


def split(known: Path, data: Any, out: Path, suffix: str = "jsonl", **options: Any) -> tuple[Path, Path]:
    """The clean and the contaminated file of ``data``."""
    out.mkdir(exist_ok=True)
    clean, dirty = out / f"clean.{suffix}", out / f"dirty.{suffix}"
    publish(known, data, OPTIONS, Files(clean=clean, contaminated=dirty, **options))
    return clean, dirty


def lines(indices: Sequence[int]) -> bytes:
    return b"".join(line(ROWS[i]) + b"\n" for i in indices)


def test_lines_stay_as_they_are_byte_for_byte(known: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    clean, dirty = split(known, data, tmp_path / "out")
    assert clean.read_bytes() == lines(NOT_FOUND + SHORT)
    assert dirty.read_bytes() == lines(FOUND)


def test_inconclusive_rows_can_be_left_out(known: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    clean, dirty = split(known, data, tmp_path / "out", strict_clean=True)
    assert clean.read_bytes() == lines(NOT_FOUND)
    assert dirty.read_bytes() == lines(FOUND)


def test_line_ends_blank_lines_and_signatures(known: Path, tmp_path: Path) -> None:
    """Carriage returns belong to the line; blank lines and a byte-order mark to no row."""
    content = b"\xef\xbb\xbf" + b"\r\n\n".join(line(row) for row in ROWS)
    (tmp_path / "data.jsonl").write_bytes(content)
    clean, dirty = split(known, tmp_path / "data.jsonl", tmp_path / "out")
    assert dirty.read_bytes() == b"".join(line(ROWS[i]) + b"\r\n" for i in FOUND)
    assert clean.read_bytes() == b"".join(line(ROWS[i]) + b"\r\n" for i in NOT_FOUND) + line(ROWS[9]) + b"\n"


def test_rows_of_several_files_are_kept_apart_and_in_order(known: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_jsonl(data / "a.jsonl", ROWS[6:])
    (data / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join(map(line, ROWS[:3]))))
    write_jsonl(data / "c.jsonl", ROWS[3:6])
    clean, dirty = split(known, data, tmp_path / "out")
    assert clean.read_bytes() == lines([6, 7, 8, 9, 5])
    assert dirty.read_bytes() == lines(FOUND)


def test_many_lines_are_split_over_many_pieces(known: Path, tmp_path: Path) -> None:
    """More than is read at a time."""
    rows = [ROWS[i % 10] | {"n": i} for i in range(6000)]
    data = write_jsonl(tmp_path / "data.jsonl", rows)
    assert data.stat().st_size > 3 << 20
    clean, dirty = split(known, data, tmp_path / "out")
    assert dirty.read_bytes() == b"".join(line(row) + b"\n" for row in rows if row["n"] % 10 in FOUND)
    assert clean.read_bytes() == b"".join(line(row) + b"\n" for row in rows if row["n"] % 10 not in FOUND)


@pytest.mark.parametrize("codec", ["zstd", "none", "snappy"])
def test_tables_become_tables(codec: str, known: Path, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "data.parquet", row_group_size=4, compression=codec)
    clean, dirty = split(known, tmp_path / "data.parquet", tmp_path / "out", "parquet")
    assert pq.read_table(clean).equals(TABLE.take(NOT_FOUND + SHORT))
    assert pq.read_table(dirty).equals(TABLE.take(FOUND))
    assert pq.read_table(dirty).schema.metadata == {b"note": b"kept"}
    found = pq.read_metadata(dirty).row_group(0).column(0).compression
    assert found == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())


def test_tables_become_lines_where_the_name_is_of_lines(known: Path, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "data.parquet")
    clean, dirty = split(known, tmp_path / "data.parquet", tmp_path / "out")
    found = [json.loads(one) for one in [*dirty.read_text().splitlines(), *clean.read_text().splitlines()]]
    expected = [row | {"day": row["day"].isoformat()} for row in TABLE.to_pylist()]
    assert found == [expected[i] for i in FOUND + NOT_FOUND + SHORT]


def test_a_table_of_no_rows_gives_tables_of_none(known: Path, tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "data.parquet")
    clean, dirty = split(known, tmp_path / "data.parquet", tmp_path / "out", "parquet")
    for path in (clean, dirty):
        assert pq.read_table(path).equals(TABLE.slice(0, 0))


def test_of_all_rows_contaminated_the_clean_file_is_empty(known: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS[:5])
    clean, dirty = split(known, data, tmp_path / "out")
    assert (clean.read_bytes(), dirty.read_bytes()) == (b"", data.read_bytes())


def refused(known: Path, data: Any, error: type[PortraitError], message: str, files: Files) -> None:
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    with pytest.raises(error, match=message):
        publish(known, data, OPTIONS, files)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_the_groups_of_a_parquet_file_do_not_depend_on_how_it_is_read(known: Path, tmp_path: Path) -> None:
    table = pa.Table.from_pylist([ROWS[i % 10] | {"n": i} for i in range(9000)])
    groups = []
    for size in (700, 9000):
        pq.write_table(table, tmp_path / "data.parquet", row_group_size=size)
        clean, dirty = split(known, tmp_path / "data.parquet", tmp_path / f"{size}", "parquet")
        assert pq.read_table(clean).num_rows + pq.read_table(dirty).num_rows == 9000
        metadata = pq.read_metadata(clean)
        groups.append([metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)])
    assert groups[0] == groups[1]
    assert sum(groups[0]) == 4500


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the data in it."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(TABLE, "data.parquet")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_tables_of_several_shapes_fit_no_one_table(known: Path) -> None:
    pq.write_table(TABLE.drop(["day"]), "other.parquet")
    files = Files(clean=Path("x.parquet"))
    refused(known, ["data.parquet", "other.parquet"], OutputError, "the files have different columns", files)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("value", "message"), [(b"\xff", "a column of bytes"), (math.nan, "NaN")])
def test_what_json_cannot_hold_fits_no_line(value: bytes | float, message: str, known: Path) -> None:
    pq.write_table(TABLE.append_column("raw", pa.array([value] * 10)), "raw.parquet")
    refused(known, "raw.parquet", SpecError, message, Files(clean=Path("x.jsonl")))
