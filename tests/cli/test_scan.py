"""``portrait scan``: its arguments, its output and its summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

STORY = "The pilot of the last tram keeps a ladder in the depot, and nobody has ever seen him climb it. " * 3


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path) -> None:
    """Write a text, its portrait and two rows to the working directory."""
    (tmp_path / "a.txt").write_text(STORY)
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate((STORY, "short")))
    )
    portrait.build(tmp_path / "a.txt", tmp_path / "a.portrait")


def test_rows_go_to_the_file_and_the_summary_to_stderr(cli: Cli, tmp_path: Path) -> None:
    result = cli.here("scan", "a.portrait", "rows.jsonl", "--keep", "id", "-o", "out.jsonl", "--workers", "1")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("2 rows: 1 found, 0 not found, 1 inconclusive; ")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["values"], row["verdict"]) for row in rows] == [
        ({"id": 0}, "found"),
        ({"id": 1}, "inconclusive"),
    ]


def test_rows_go_to_stdout_by_default(cli: Cli) -> None:
    result = cli("scan", "a.portrait", "a.txt", "-q", "--no-matches", "--workers", "1")
    assert (result.code, result.err) == (0, "")
    (row,) = map(json.loads, result.out.splitlines())
    assert row["verdict"] == "found"
    assert "matches" not in row


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rows.jsonl"], "no portrait among rows.jsonl: "),
        (["a.portrait"], "no data among a.portrait: "),
        ([], "Missing argument 'PORTRAIT... DATA...'"),
        (["a.portrait", "rows.jsonl", "--evalue", "0"], "the E-value threshold must be a positive number"),
    ],
)
def test_what_cannot_be_scanned_is_refused_in_one_line(arguments: list[str], message: str, cli: Cli) -> None:
    assert cli.refused_here("scan", *arguments).startswith(message)


def test_an_output_is_replaced_only_on_demand(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("old")
    command = ["scan", "a.portrait", "a.txt", "-o", "out.jsonl", "-q", "--workers", "1"]
    assert cli.refused_here(*command).startswith("out.jsonl: already exists: ")
    assert (tmp_path / "out.jsonl").read_text() == "old"
    assert cli.here(*command, "--overwrite") == (0, "", "")
    assert json.loads((tmp_path / "out.jsonl").read_text())["verdict"] == "found"
