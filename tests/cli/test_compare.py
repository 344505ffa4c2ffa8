"""``portrait compare``: what differs and how many keys are shared, in words that the numbers bear."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

WINDOWS = portrait.WindowSpec(20, portrait.Stride(10))


def write(path: Path, name: str, n: int, first: int = 0) -> str:
    """Write documents ``first`` to ``first + n - 1`` of a name, and return the file's path."""
    lines = []
    for i in range(first, first + n):
        text = "".join(random.Random(f"{name} {i}").choices("abcdefghij ", k=400))
        lines.append(json.dumps({"text": text}) + "\n")
    file = path / f"{name}-{first}.jsonl"
    file.write_text("".join(lines))
    return str(file)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The directory of two portraits, ``a`` and ``b``: half of A's documents are in B."""
    web, code = write(tmp_path, "web", 4), write(tmp_path, "code", 2)
    portrait.build({"web": web, "code": code}, tmp_path / "a", windows=WINDOWS, license="MIT")
    half = write(tmp_path, "web", 3, first=2)
    sources = {"web": half, "new": write(tmp_path, "new", 2), "pages": web}
    portrait.build(sources, tmp_path / "b", windows=WINDOWS)
    return tmp_path


def test_small_portraits_are_compared_exactly(small: Path, cli: Cli) -> None:
    result = cli.here("compare", "a", "b")
    assert (result.code, result.err) == (0, "")
    sizes, differences, sources, overlap, pairs = result.out.rstrip("\n").split("\n\n")
    compared = portrait.compare(small / "a", small / "b")
    rows = dict(line.split(maxsplit=1) for line in sizes.splitlines()[1:])
    assert rows["id"].split() == [compared.a.id[:16], compared.b.id[:16]]
    assert rows["documents"].split() == ["6", "9"]
    assert differences.splitlines()[1].split() == ["license", "MIT", "none"]
    assert [line.split()[:3] for line in sources.splitlines() if not line.startswith(" ")][1:] == [
        ["code", "A", "only"],
        ["new", "B", "only"],
        ["pages", "B", "only"],
        ["web", "A", "and"],
    ]
    assert overlap.startswith("All keys were compared: the numbers are exact.")
    found = dict(re.findall(r"^(.*?)  +(\S+)$", overlap, flags=re.MULTILINE))
    assert found["share of A's keys that are in B"] == "66.7%"
    assert compared.overlap is not None
    assert found["keys in A and B"] == f"{compared.overlap.shared.value:.0f}"
    assert pairs.splitlines()[1].split()[:3] == ["web", "pages", "100%"]


def test_estimates_have_intervals(tmp_path: Path, cli: Cli) -> None:
    both = write(tmp_path, "both", 400)
    portrait.build([both, write(tmp_path, "a", 200)], tmp_path / "a", windows=WINDOWS)
    portrait.build([both, write(tmp_path, "b", 200)], tmp_path / "b", windows=WINDOWS)
    lines = cli.here("compare", "a", "b").out.splitlines()
    (head,) = (line for line in lines if line.startswith("Estimated from "))
    assert "of A's keys and " in head
    (row,) = (line for line in lines if line.startswith("share of A's keys that are in B"))
    estimate, interval = row.removeprefix("share of A's keys that are in B").strip().split("  ", 1)
    value, error = (float(part.strip().rstrip("%")) for part in estimate.split("±"))
    assert abs(value - 66.7) < 4 * error < 4
    low, high = (float(part.rstrip("%")) for part in interval.strip().split(" to "))
    assert low < value < high
    # One layer each: the pair says nothing new.
    assert not any(line.startswith("source of A") for line in lines)


def test_equal_portraits_are_said_to_give_the_same_answers(small: Path, cli: Cli) -> None:
    out = cli.here("compare", small / "a", "a").out
    assert "The ids are equal: A and B give the same answers.\n" in out
    assert "Windows, licence and trained models are the same.\n" in out
    assert "nothing: the filters are the same" in out


def test_other_windows_are_named_as_the_reason_for_no_estimate(small: Path, cli: Cli) -> None:
    wide = portrait.WindowSpec(30, portrait.Stride(10))
    portrait.build(str(small / "web-0.jsonl"), small / "wide", windows=wide)
    result = cli.here("compare", "a", "wide")
    assert result.code == 0
    (line,) = (line for line in result.out.splitlines() if line.startswith("overlap of keys: "))
    assert line.startswith("overlap of keys: unknown: A and B cut texts into other windows (width): ")


def test_more_pairs_than_fit_are_shown_on_demand(tmp_path: Path, cli: Cli) -> None:
    file = write(tmp_path, "web", 1)
    for name, n in (("a", 3), ("b", 4)):
        sources = {f"s{i}": file for i in range(n)}
        portrait.build(sources, tmp_path / name, windows=WINDOWS)
    short, long = cli.here("compare", "a", "b").out, cli.here("compare", "a", "b", "--layers").out
    assert short.endswith("and 2 pairs more, which --layers shows\n")
    assert len(long.splitlines()) == len(short.splitlines()) + 1


def test_json_is_the_library_s_result_on_one_line(small: Path, cli: Cli) -> None:
    result = cli.here("compare", "a", "b", "--json")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    expected = portrait.compare(small / "a", small / "b").to_dict()
    content = json.loads(result.out)
    for one in (content, expected):
        for side in ("a", "b"):
            del one[side]["path"]
    assert content == json.loads(json.dumps(expected))


def test_a_portrait_that_is_missing_is_an_error(small: Path, cli: Cli) -> None:
    assert cli.refused("compare", small / "a", "nowhere") == "nowhere: no such file or directory"
