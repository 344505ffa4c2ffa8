"""Sizes as people write them, and the option that takes one."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

import portrait
from portrait.cli.shared.sizes import parse_size, stored_bytes
from portrait.markup.numbers import size

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("5GB", 5_000_000_000),
        ("64MB", 64_000_000),
        ("64mb", 64_000_000),
        ("1.5 GiB", 3 << 29),
        ("4096", 4096),
        ("10kB", 10_000),
        ("2T", 2 * 10**12),
        ("7B", 7),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, n_bytes: int) -> None:
    assert parse_size(text) == n_bytes


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "5XB", "1e9", "5GBB", "iB", "5iB", "0x10", "1.GB", "٣GB"])
def test_anything_else_is_not_a_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a size"):
        parse_size(text)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``portrait`` in a process."""
    command = [sys.executable, "-m", "portrait", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A file of 80,000 random characters."""
    dice = random.Random(7)
    path = tmp_path / "a.txt"
    path.write_text("".join(dice.choices("abcdefghij ", k=80_000)))
    return path


def test_the_option_limits_the_size_of_shards(corpus: Path, tmp_path: Path) -> None:
    result = run("build", corpus, "-o", tmp_path / "out", "--max-shard-size", "5kB", "-q")
    assert (result.returncode, result.stderr) == (0, "")
    shards = portrait.open(tmp_path / "out").manifest.layers[0].shards
    assert len(shards) > 1
    assert all(shard.bytes <= 5000 for shard in shards)


def test_an_invalid_size_is_refused(corpus: Path, tmp_path: Path) -> None:
    result = run("build", corpus, "-o", tmp_path / "out", "--max-shard-size", "big")
    assert result.returncode == 2
    assert "'big' is not a size" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("n_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (11_400, "11.4 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (5 * 10**9, "5 GB"),
        (7 * 10**12, "7 TB"),
        (999_500 * 10**9, "1 PB"),
        (7 * 10**15, "7 PB"),
        (12_300 * 10**15, "12.3 EB"),
    ],
)
def test_sizes_are_shown_in_three_digits(n_bytes: int, shown: str) -> None:
    assert size(n_bytes) == shown


def test_the_size_of_a_portrait_is_that_of_its_shards(corpus: Path, tmp_path: Path) -> None:
    built = portrait.build(corpus, tmp_path / "out", max_shard_bytes=5000)
    files = [path.stat().st_size for path in built.path.glob("*-of-*.safetensors")]
    assert len(files) > 1
    assert stored_bytes(built.manifest) == sum(files)
