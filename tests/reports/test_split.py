"""Splitting data into clean and contaminated rows, which are written unchanged."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.chunked_shard import ChunkedShard
from support.evaluation import FOUND, ROWS, TABLE, line, write_jsonl
from support.publishing import OPTIONS, assert_refused

from portrait.corpus.shards import FileRecord
from portrait.errors import CorpusError, OutputError, SpecError
from portrait.reports.publish import Files, publish
from portrait.reports.split import require_splittable

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORT = [9]
NOT_FOUND = [5, 6, 7, 8]


def split(bundle: Path, data: Any, out: Path, suffix: str = "jsonl", **options: Any) -> tuple[Path, Path]:
    """Split ``data``, and return the clean and the contaminated file."""
    out.mkdir(exist_ok=True)
    clean, dirty = out / f"clean.{suffix}", out / f"dirty.{suffix}"
    publish(bundle, data, OPTIONS, Files(clean=clean, contaminated=dirty, **options))
    return clean, dirty


def lines(indices: Sequence[int]) -> bytes:
    """Return these rows as JSON lines."""
    return b"".join(line(ROWS[i]) + b"\n" for i in indices)


def test_lines_are_written_byte_for_byte(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    clean, dirty = split(bundle, data, tmp_path / "out")
    assert clean.read_bytes() == lines(NOT_FOUND + SHORT)
    assert dirty.read_bytes() == lines(FOUND)


def test_inconclusive_rows_can_be_left_out(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS)
    clean, dirty = split(bundle, data, tmp_path / "out", strict_clean=True)
    assert clean.read_bytes() == lines(NOT_FOUND)
    assert dirty.read_bytes() == lines(FOUND)


def test_line_endings_are_kept_and_blank_lines_and_byte_order_marks_are_not(
    bundle: Path, tmp_path: Path
) -> None:
    """Check that a carriage return belongs to its line, and blank lines and a byte-order mark to no row."""
    content = b"\xef\xbb\xbf" + b"\r\n\n".join(line(row) for row in ROWS)
    (tmp_path / "data.jsonl").write_bytes(content)
    clean, dirty = split(bundle, tmp_path / "data.jsonl", tmp_path / "out")
    assert dirty.read_bytes() == b"".join(line(ROWS[i]) + b"\r\n" for i in FOUND)
    assert clean.read_bytes() == b"".join(line(ROWS[i]) + b"\r\n" for i in NOT_FOUND) + line(ROWS[9]) + b"\n"


def test_rows_of_several_files_are_kept_apart_and_in_order(bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_jsonl(data / "a.jsonl", ROWS[6:])
    (data / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join(map(line, ROWS[:3]))))
    write_jsonl(data / "c.jsonl", ROWS[3:6])
    clean, dirty = split(bundle, data, tmp_path / "out")
    assert clean.read_bytes() == lines([6, 7, 8, 9, 5])
    assert dirty.read_bytes() == lines(FOUND)


def test_many_lines_are_split_over_many_pieces(bundle: Path, tmp_path: Path) -> None:
    """Check data of more lines than are read at a time."""
    rows = [ROWS[i % 10] | {"n": i} for i in range(6000)]
    data = write_jsonl(tmp_path / "data.jsonl", rows)
    assert data.stat().st_size > 3 << 20
    clean, dirty = split(bundle, data, tmp_path / "out")
    assert dirty.read_bytes() == b"".join(line(row) + b"\n" for row in rows if row["n"] % 10 in FOUND)
    assert clean.read_bytes() == b"".join(line(row) + b"\n" for row in rows if row["n"] % 10 not in FOUND)


@pytest.mark.parametrize("codec", ["zstd", "none", "snappy"])
def test_tables_become_tables(codec: str, bundle: Path, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "data.parquet", row_group_size=4, compression=codec)
    clean, dirty = split(bundle, tmp_path / "data.parquet", tmp_path / "out", "parquet")
    assert pq.read_table(clean).equals(TABLE.take(NOT_FOUND + SHORT))
    assert pq.read_table(dirty).equals(TABLE.take(FOUND))
    assert pq.read_table(dirty).schema.metadata == {b"note": b"kept"}
    compression = pq.read_metadata(dirty).row_group(0).column(0).compression
    assert compression == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())


def test_tables_become_lines_if_the_output_is_named_so(bundle: Path, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "data.parquet")
    clean, dirty = split(bundle, tmp_path / "data.parquet", tmp_path / "out")
    rows = [json.loads(one) for one in [*dirty.read_text().splitlines(), *clean.read_text().splitlines()]]
    expected = [row | {"day": row["day"].isoformat()} for row in TABLE.to_pylist()]
    assert rows == [expected[i] for i in FOUND + NOT_FOUND + SHORT]


def test_an_empty_table_gives_empty_tables(bundle: Path, tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "data.parquet")
    clean, dirty = split(bundle, tmp_path / "data.parquet", tmp_path / "out", "parquet")
    for path in (clean, dirty):
        assert pq.read_table(path).equals(TABLE.slice(0, 0))


def test_the_clean_file_is_empty_if_all_rows_are_contaminated(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", ROWS[:5])
    clean, dirty = split(bundle, data, tmp_path / "out")
    assert (clean.read_bytes(), dirty.read_bytes()) == (b"", data.read_bytes())


def test_the_row_groups_written_do_not_depend_on_those_read(bundle: Path, tmp_path: Path) -> None:
    table = pa.Table.from_pylist([ROWS[i % 10] | {"n": i} for i in range(9000)])
    groups = []
    for size in (700, 9000):
        pq.write_table(table, tmp_path / "data.parquet", row_group_size=size)
        clean, dirty = split(bundle, tmp_path / "data.parquet", tmp_path / f"{size}", "parquet")
        assert pq.read_table(clean).num_rows + pq.read_table(dirty).num_rows == 9000
        metadata = pq.read_metadata(clean)
        groups.append([metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)])
    # A group is what is left of 4,096 rows, of which every second five are clean.
    ranges = [range(4096), range(4096, 8192), range(8192, 9000)]
    assert groups[0] == groups[1] == [sum(i % 10 in NOT_FOUND + SHORT for i in rows) for rows in ranges]


def test_letters_of_a_table_are_written_as_they_are(bundle: Path, tmp_path: Path) -> None:
    table = pa.table({"question": ["caf\u00e9 \u2603", "\u5929\u5730"], "answer": ["", ""]})
    pq.write_table(table, tmp_path / "data.parquet")
    clean, _ = split(bundle, tmp_path / "data.parquet", tmp_path / "out")
    assert clean.read_text(encoding="utf-8").splitlines() == [
        '{"question": "caf\u00e9 \u2603", "answer": ""}',
        '{"question": "\u5929\u5730", "answer": ""}',
    ]


@pytest.mark.parametrize(
    ("shard", "message"),
    [
        (ChunkedShard(1, read_once=True), "only files can be split: save the data to a file first"),
        (ChunkedShard(1, kind="auto"), "only files can be split: save the data to a file first"),
        (
            ChunkedShard(1, kind="txt", files=[FileRecord("a.txt"), FileRecord("b.txt")]),
            "a.txt: plain text has no rows to split: use JSON lines",
        ),
        (
            ChunkedShard(1, kind="csv", label="a.csv"),
            "a.csv: only JSON lines and Parquet can be split: convert it to one of them",
        ),
    ],
    ids=["pipe", "dataset", "txt", "csv"],
)
def test_data_whose_rows_cannot_be_written_as_they_were_is_refused(shard: ChunkedShard, message: str) -> None:
    for shards in ([shard], [ChunkedShard(1), shard]):
        with pytest.raises(CorpusError) as caught:
            require_splittable(shards, Path("x.jsonl"))
        assert str(caught.value) == message


def test_the_name_of_a_file_of_rows_says_what_is_in_it() -> None:
    lines, table = ChunkedShard(1), ChunkedShard(1, kind="parquet")
    require_splittable([lines, table], Path("x.jsonl"))
    require_splittable([table, table], Path("x.PARQUET"))
    with pytest.raises(SpecError, match=r"x\.parquet: rows of JSON lines are written as JSON lines"):
        require_splittable([table, lines], Path("x.parquet"))
    with pytest.raises(SpecError, match=r"x\.jsonl\.GZ: the output is not compressed: choose a name without"):
        require_splittable([lines], Path("x.jsonl.GZ"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, holding a table."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(TABLE, "data.parquet")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_tables_with_different_columns_cannot_become_one_table(bundle: Path) -> None:
    pq.write_table(TABLE.drop(["day"]), "other.parquet")
    files = Files(clean=Path("x.parquet"))
    assert_refused(
        bundle, ["data.parquet", "other.parquet"], OutputError, "the files have different columns", files
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("value", "message"), [(b"\xff", "a column of bytes"), (math.nan, "NaN")])
def test_values_that_json_cannot_hold_cannot_become_lines(
    value: bytes | float, message: str, bundle: Path
) -> None:
    pq.write_table(TABLE.append_column("raw", pa.array([value] * 10)), "raw.parquet")
    assert_refused(bundle, "raw.parquet", SpecError, message, Files(clean=Path("x.jsonl")))
