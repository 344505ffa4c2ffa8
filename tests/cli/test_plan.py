"""``portrait plan``: what it prints, and that it writes nothing."""

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
    """Write the same text in two formats to the working directory."""
    (tmp_path / "a.txt").write_text(STORY)
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": STORY}) + "\n")


def test_a_table_of_sources_and_the_facts_are_printed(cli: Cli, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    result = cli.here("plan", "one=a.txt", "two=b.jsonl")
    assert (result.code, result.err) == (0, "")
    table, _, facts = result.out.partition("\n\n")
    assert [line.split()[0] for line in table.splitlines()] == ["source", "one", "two", "all"]
    names = ["sample", "portrait", "rate", "guarantee", "detectable", "keys", "memory", "time"]
    assert [line[:10].rstrip() for line in facts.splitlines()] == names
    assert ", 2 layers\n" in facts
    assert sorted(tmp_path.iterdir()) == before


def test_a_single_source_has_no_line_for_all(cli: Cli) -> None:
    result = cli.here("plan", "a.txt", "--filter", "ribbon")
    assert [line.split()[0] for line in result.out.partition("\n\n")[0].splitlines()] == ["source", "main"]
    assert " as ribbon (bloom " in result.out
    assert ", 1 layer\n" in result.out


def test_a_smaller_filter_is_recommended_for_publishing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text(" ".join(map(str, range(10_000))))
    advice = "\npublishing --filter ribbon makes a smaller portrait\n"
    assert advice in cli.here("plan", "long.txt").out
    assert advice in cli.here("plan", "long.txt", "--filter", "pybloom").out
    assert advice not in cli.here("plan", "long.txt", "--filter", "ribbon").out
    # A few keys have the least that any filter takes.
    assert advice not in cli.here("plan", "a.txt").out


def test_json_is_the_library_s_plan_on_one_line(cli: Cli, tmp_path: Path) -> None:
    result = cli.here("plan", "a.txt", "--json", "--workers", "1")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    record = json.loads(result.out)
    execution = portrait.Execution(workers=1)
    planned = portrait.plan(tmp_path / "a.txt", out=tmp_path / "corpus.portrait", execution=execution)
    assert record.keys() == planned.to_dict().keys()
    assert record["distinct_keys"] == planned.distinct_keys


def test_keys_on_disk_are_read_in_tasks(cli: Cli) -> None:
    assert " in w, read in 1 task\n" in cli.here("plan", "a.txt", "--work-dir", "w").out


def test_what_cannot_be_planned_is_refused_in_one_line(cli: Cli) -> None:
    assert cli.refused_here("plan", "missing.txt") == "missing.txt: no such file or directory"
    message = cli.refused_here("plan", "a.txt", "--sample", "much")
    assert message.startswith("Invalid value for '--sample': 'much' is not a size, such as 64MB or 5GB")
