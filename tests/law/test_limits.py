"""The limits that the documentation states, met by whole commands under the limits of a small process."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

import pytest
from support.limits import portrait_limited

import portrait

if TYPE_CHECKING:
    from pathlib import Path

#: More shards than a process may have descriptors.
N_DESCRIPTORS = 40


def numbers(n_words: int, seed: int = 1) -> str:
    """Return a text that never repeats itself."""
    dice = random.Random(seed)
    return " ".join(f"{dice.getrandbits(40):x}" for _ in range(n_words))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two texts, and a portrait of each, one of them in many shards."""
    directory = tmp_path_factory.mktemp("many")
    (directory / "text.txt").write_text(numbers(30_000))
    (directory / "other.txt").write_text(numbers(30_000, 2))
    windows = portrait.WindowSpec(stride=5)
    built = portrait.build(
        directory / "text.txt", directory / "many.portrait", windows=windows, max_shard_bytes=4096
    )
    assert len(built.manifest.layers[0].shards) > N_DESCRIPTORS
    portrait.build({"other": directory / "other.txt"}, directory / "other.portrait", windows=windows)
    return directory


@pytest.mark.parametrize(
    "command",
    [
        ["query", "many.portrait", "-f", "text.txt", "--quiet"],
        ["verify", "many.portrait"],
        ["build", "text.txt", "-o", "{out}", "--stride", "5", "--max-shard-size", "4096"],
        ["build", "text.txt", "-o", "{out}", "--stride", "5", "--max-shard-size", "4096", "--filter", "fuse"],
        ["merge", "many.portrait", "other.portrait", "-o", "{out}"],
    ],
    ids=" ".join,
)
def test_a_portrait_of_more_files_than_descriptors_is_opened(
    command: list[str], many: Path, tmp_path: Path
) -> None:
    arguments = [one.format(out=tmp_path / "out.portrait") for one in command]
    done = portrait_limited(*arguments, cwd=many, RLIMIT_NOFILE=N_DESCRIPTORS)
    assert done.status == 0, done.stderr
    if "-o" in command:
        assert portrait.open(tmp_path / "out.portrait").query((many / "text.txt").read_text()).matches


def test_a_layer_is_added_where_there_are_more_files_than_descriptors(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy.portrait"
    shutil.copytree(many / "many.portrait", out)
    done = portrait_limited("add", out, f"more={many / 'other.txt'}", RLIMIT_NOFILE=N_DESCRIPTORS)
    assert done.status == 0, done.stderr
    assert set(portrait.open(out).sources) == {"main", "more"}


# --- Files that are cut short while a command has them open ------------------------------------------------


@pytest.fixture
def shard(many: Path, tmp_path: Path) -> Path:
    """The only shard of a portrait in ``tmp_path``, too large for a page."""
    built = portrait.build(
        many / "text.txt", tmp_path / "one.portrait", windows=portrait.WindowSpec(stride=5)
    )
    (record,) = built.manifest.layers[0].shards
    assert record.bytes > 4 * 4096
    return built.path / record.file


def ask_and_cut(shard: Path, *options: str) -> tuple[int, str, str]:
    """Ask a portrait about a text, and cut its shard after it was opened and before the text is read."""
    directory = shard.parent.parent
    os.mkfifo(directory / "text")
    whole = [sys.executable, "-m", "portrait", "query", "one.portrait", "-f", "text", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(whole, cwd=directory, stdout=pipe, stderr=pipe, text=True) as asking:
        with (directory / "text").open("w") as text:  # waits until the command opens it, too
            os.truncate(shard, 4096)
            text.write(numbers(1000))
        stdout, stderr = asking.communicate(timeout=60)
    return asking.returncode, stdout, stderr


def test_a_shard_cut_short_while_it_is_asked_ends_with_one_line(shard: Path) -> None:
    status, _, stderr = ask_and_cut(shard)
    assert stderr == (
        f"portrait: error: one.portrait/{shard.name}: was cut short, or its disk or server failed, while it "
        "was being read: fetch the portrait again, or read it into memory first, which --no-map does\n"
    )
    assert status == 2


def test_a_shard_in_memory_may_be_cut_short(shard: Path) -> None:
    status, stdout, stderr = ask_and_cut(shard, "--no-map")
    assert (status, stderr) == (0, "")
    assert stdout.startswith("FOUND")


def test_a_scan_whose_process_dies_names_the_file_that_was_cut_short(shard: Path) -> None:
    directory = shard.parent.parent
    rows = [json.dumps({"text": numbers(1000, seed)}) for seed in range(400)]
    command = [sys.executable, "-m", "portrait", "scan", "one.portrait", "-", "--workers", "2", "--quiet"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=directory, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as scan:
        assert scan.stdin is not None
        assert scan.stdout is not None
        assert scan.stderr is not None
        feeding = threading.Thread(target=feed, args=(scan.stdin, rows))
        feeding.start()
        assert scan.stdout.readline()  # both sides are at work
        os.truncate(shard, 4096)
        for _ in scan.stdout:
            pass
        stderr = scan.stderr.read()
        feeding.join()
    size = f"{shard.stat().st_size:,} bytes"
    assert stderr.startswith(f"portrait: error: one.portrait/{shard.name}: {size} instead of ")
    assert stderr.count("\n") == 1
    assert scan.returncode == 2


def feed(pipe: TextIO, rows: list[str]) -> None:
    """Write rows to a process again and again until it ends."""
    with suppress(BrokenPipeError), pipe:
        while True:
            pipe.write("\n".join(rows) + "\n")
