"""``ScanTask``: each row of a scan has the answer of a query."""

from __future__ import annotations

import gzip
import pickle
import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.places import GOLDEN
from support.scans import RECORDS, STORY, expected, lines, rows_of

import portrait
from portrait.corpus import rows
from portrait.scanning.json_lines import JsonLines
from portrait.scanning.task import COUNTERS, ScanTask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Cli


REDISBLOOM = GOLDEN / "redisbloom"


@pytest.mark.parametrize("names", [["wick"], ["wick", "other"]])
def test_every_row_has_the_answer_of_a_query(names: list[str], cli: Cli, shelf: Path, data: Path) -> None:
    paths = [shelf / f"{name}.portrait" for name in names]
    result = cli("scan", *paths, data.name, "--keep", "id,n")
    assert result.code == 0
    rows = rows_of(result.out)
    assert rows == list(expected([portrait.open(path) for path in paths]))
    assert [row["verdict"] for row in rows] == [
        "found",
        "inconclusive",
        "inconclusive",
        "not_found",
        "found",
        "not_found",
        "found",
    ]
    assert result.err.startswith("7 rows: 3 found, 2 not found, 2 inconclusive; 1.")
    assert cli("scan", *paths, data.name, "--keep", "id,n", "-q") == (0, result.out, "")


def test_matches_are_listed_only_on_request(cli: Cli, wick: Path, data: Path, tmp_path: Path) -> None:
    rows = rows_of(cli("scan", wick, data.name, "--no-matches").out)
    records = [
        {k: v for k, v in row.items() if k not in ("values", "matches")}
        for row in expected([portrait.open(wick)])
    ]
    assert rows == records
    cli("scan", wick, data.name, "--no-matches", "-o", "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == records


def write_jsonl(path: Path) -> Path:
    """Write the records as compressed JSON lines."""
    path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(lines(RECORDS)))
    return path.with_suffix(".jsonl.gz")


def write_parquet(path: Path) -> Path:
    """Write the records as a Parquet file."""
    pq.write_table(pa.Table.from_pylist(RECORDS), path.with_suffix(".parquet"), row_group_size=2)
    return path.with_suffix(".parquet")


@pytest.mark.parametrize("write", [write_jsonl, write_parquet])
def test_the_answers_do_not_depend_on_the_format_of_the_data(
    write: Callable[[Path], Path], cli: Cli, wick: Path, data: Path
) -> None:
    other = write(data)
    scans = [rows_of(cli("scan", wick, name, "--keep", "id,n").out) for name in (data.name, other.name)]
    for row in scans[1]:
        row["place"] = row["place"].replace(other.name, data.name)
    assert scans[0] == scans[1]


def test_several_columns_are_one_text(cli: Cli, wick: Path, tmp_path: Path) -> None:
    question, answer = STORY.split(" because ")
    record = {"q": question, "meta": {"a": f"because {answer}"}}
    (tmp_path / "qa.jsonl").write_bytes(lines([record]))
    for options in (["--column", "q,meta.a"], ["--column", "q", "--column", "meta.a"]):
        (row,) = rows_of(cli("scan", wick, "qa.jsonl", *options).out)
        assert row["exact_document"]


def test_standard_input_is_scanned(cli: Cli, wick: Path, data: Path) -> None:
    rows = rows_of(cli("scan", wick, "-", "--keep", "id,n", stdin=data.read_bytes()).out)
    assert [row["place"] for row in rows] == [f"standard input:{i + 1}" for i in range(7)]
    (row,) = rows_of(cli("scan", wick, "-", stdin=STORY.encode()).out)
    assert (row["place"], row["verdict"]) == ("standard input", "found")
    assert cli("scan", wick, "-", "-o", "out.jsonl", stdin=data.read_bytes()).code == 0


def test_threshold_and_stride_are_as_in_a_query(cli: Cli, wick: Path, data: Path) -> None:
    rows = rows_of(cli("scan", wick, data.name, "--evalue", "1e-200").out)
    assert {row["verdict"] for row in rows} == {"inconclusive"}
    assert "stride" in cli.refused("scan", wick, data.name, "--stride", "7")


def test_filters_of_the_original_library_are_queried_too(cli: Cli, wick: Path, tmp_path: Path) -> None:
    for path in REDISBLOOM.glob("words.50-50.bf*"):
        shutil.copy(path, tmp_path)
    (tmp_path / "data.jsonl").write_bytes(lines(RECORDS))
    portraits = [portrait.open(tmp_path / "words.50-50.bf"), portrait.open(wick)]
    for workers in (1, 2):
        rows = rows_of(cli("scan", "words.50-50.bf", wick, "data.jsonl", "--workers", str(workers)).out)
        assert [row["verdict"] for row in rows] == [
            portrait.query(portraits, record["text"]).verdict for record in RECORDS
        ]
    copy = pickle.loads(pickle.dumps(portraits[0]))
    assert copy.query(STORY) == portraits[0].query(STORY)


def test_a_chunk_becomes_a_piece_of_output_and_its_counts(
    wick: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    opened = portrait.open(wick)
    reading = rows.read(data.name, keep=["id", "n"])
    task = ScanTask((opened,), reading.columns, 1e-5, True, JsonLines())
    scan = pickle.loads(pickle.dumps(task))()
    (result,) = (scan(numbered_chunk) for numbered_chunk in reading.chunks())
    assert rows_of(result.data) == list(expected([opened]))
    assert list(result.counts) == list(COUNTERS)
    assert result.counts == {
        "rows": 7,
        "found": 3,
        "not_found": 2,
        "inconclusive": 2,
        "text_bytes": sum(len(record["text"].encode()) for record in RECORDS),
        "expected_by_chance": pytest.approx(
            sum(opened.query(record["text"], evalue=1e-5).expected_by_chance for record in RECORDS)
        ),
    }
    assert result.read_bytes == data.stat().st_size


def test_different_tasks_have_different_identities(wick: Path, shelf: Path, data: Path) -> None:
    opened, other = portrait.open(wick), portrait.open(shelf / "other.portrait")
    columns, columns_with_id = rows.read(data).columns, rows.read(data, keep=["id"]).columns
    tasks = [
        ScanTask((opened,), columns, 0.01, True, JsonLines()),
        ScanTask((other,), columns, 0.01, True, JsonLines()),
        ScanTask((opened, other), columns, 0.01, True, JsonLines()),
        ScanTask((opened,), columns_with_id, 0.01, True, JsonLines()),
        ScanTask((opened,), columns, 0.5, True, JsonLines()),
        ScanTask((opened,), columns, 0.01, False, JsonLines()),
    ]
    identities = [repr(task.identity()) for task in tasks]
    assert len(set(identities)) == len(tasks)
    assert (
        repr(ScanTask((portrait.open(wick),), columns, 0.01, True, JsonLines()).identity()) == identities[0]
    )
