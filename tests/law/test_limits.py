"""The limits that the documentation states, met by whole commands under the limits of a small process."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.documents import zstd
from support.limits import portrait_limited

import portrait

if TYPE_CHECKING:
    from collections.abc import Callable
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
    windows = portrait.WindowSpec(sampling=portrait.Stride(5))
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
        ["build", "text.txt", "-o", "{out}", "--stride=5", "--max-shard-size=4096", "--filter=ribbon"],
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
        many / "text.txt",
        tmp_path / "one.portrait",
        windows=portrait.WindowSpec(sampling=portrait.Stride(5)),
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


# --- Documents that do not fit into memory ------------------------------------------------------------------

#: What a command takes for itself, and for a document at the limit, which is in memory a few times.
BASE_BYTES, COPIES = 300_000_000, 3
#: The limit in most tests.
LIMIT_BYTES = 20_000_000


def text_bomb() -> bytes:
    return gzip.compress(b"x" * 5_000_000) * 100


def line_bomb() -> bytes:
    return gzip.compress(b'{"text": "') + text_bomb()


def zip_bomb(name: str) -> Callable[[], bytes]:
    def content() -> bytes:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(name, b"x" * 200_000_000)
        return archive.getvalue()

    return content


def parquet_bomb(**options: Any) -> bytes:
    """Return a file of a few kilobytes in which a hundred rows share a value of 30 MB."""
    values = pa.array(["x" * 30_000_000])
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100, pa.int32()), values)
    out = io.BytesIO()
    pq.write_table(pa.table({"text": text}), out, compression="zstd", **options)
    return out.getvalue()


def arrow_bomb() -> bytes:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100, pa.int32()), pa.array(["x" * 30_000_000]))
    table = pa.table({"text": text})
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as sink:
        sink.write_table(table)
    return out.getvalue()


def arrow_batches(*, streamed: bool = False) -> bytes:
    """Return a file of some kilobytes whose one record batch has 25 rows of 20 MB."""
    table = pa.table({"id": range(25), "text": pa.array(["x" * LIMIT_BYTES] * 25)})
    out = io.BytesIO()
    new = pa.ipc.new_stream if streamed else pa.ipc.new_file
    with new(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as sink:
        sink.write_table(table)
    return out.getvalue()


def parquet_pages(text: Any) -> bytes:
    """Return a file of some kilobytes with one row group, whose text is in few large pages."""
    out = io.BytesIO()
    pq.write_table(pa.table({"text": text}), out, compression="zstd", use_dictionary=False)
    return out.getvalue()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "text": ("bomb.txt.gz", text_bomb),
    "text, bzip2": ("bomb.txt.bz2", lambda: bz2.compress(b"x" * 5_000_000) * 100),
    "text, xz": ("bomb.txt.xz", lambda: lzma.compress(b"x" * 5_000_000) * 100),
    "text, zstd": ("bomb.txt.zst", lambda: zstd(b"x" * 5_000_000) * 100),
    "line": ("bomb.jsonl.gz", line_bomb),
    "row": ("bomb.csv.gz", lambda: gzip.compress(b'text\n"') + text_bomb()),
    "header": ("bomb.csv.gz", text_bomb),
    "zip": ("zip://bomb.txt::bomb.zip", zip_bomb("bomb.txt")),
    "zip, line": ("zip://bomb.jsonl::bomb.zip", zip_bomb("bomb.jsonl")),
    "parquet": ("bomb.parquet", parquet_bomb),
    "parquet, version 2": ("bomb.parquet", partial(parquet_bomb, data_page_version="2.0")),
    "parquet, cell": ("bomb.parquet", lambda: parquet_pages(pa.array(["x" * 500_000_000]))),
    "parquet, page": ("bomb.parquet", lambda: parquet_pages(pa.array(["x" * LIMIT_BYTES] * 25))),
    "parquet, list": ("bomb.parquet", lambda: parquet_pages(pa.array([["x" * 1_000_000] * 500, ["y"]]))),
    "arrow": ("bomb.arrow", arrow_bomb),
    "arrow, batch": ("bomb.arrow", arrow_batches),
    "arrow, stream": ("bomb.arrow", partial(arrow_batches, streamed=True)),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_file_of_a_huge_document_ends_in_one_line(kind: str, tmp_path: Path) -> None:
    name, content = BOMBS[kind]
    file = tmp_path / name.rpartition(":")[2]
    file.write_bytes(content())
    # Gigabytes, which Arrow would keep for the process that runs the tests.
    pa.default_memory_pool().release_unused()
    assert file.stat().st_size < 4_000_000
    done = portrait_limited(
        *("build", name, "-o", "out.portrait", "--max-document", LIMIT_BYTES, "--workers", 1), cwd=tmp_path
    )
    assert done.status == 2
    assert re.fullmatch(r"portrait: error: [^\n]*bomb[^\n]*: [^\n]*(more|larger) than [^\n]*\n", done.stderr)
    assert done.peak_bytes < BASE_BYTES + COPIES * LIMIT_BYTES
    assert not (tmp_path / "out.portrait").exists()


@pytest.mark.parametrize("command", ["scan", "report", "plan"])
def test_other_commands_have_the_same_limit(command: str, many: Path, tmp_path: Path) -> None:
    (tmp_path / "bomb.jsonl.gz").write_bytes(line_bomb())
    arguments = [command, "bomb.jsonl.gz", "--max-document", LIMIT_BYTES]
    if command != "plan":
        arguments.insert(1, many / "many.portrait")
    done = portrait_limited(*arguments, cwd=tmp_path)
    assert done.stderr.startswith(
        "portrait: error: bomb.jsonl.gz, line 1: a line of more than 20,000,000 bytes: leave it out, or "
        "raise the limit"
    )
    assert done.stderr.count("\n") == 1
    assert done.status == 2
    assert done.peak_bytes < BASE_BYTES + COPIES * LIMIT_BYTES


def test_a_huge_line_is_left_out_and_the_next_is_read(tmp_path: Path) -> None:
    good = [json.dumps({"text": numbers(100, seed)}).encode() for seed in range(2)]
    data = gzip.compress(good[0] + b"\n") + line_bomb() + gzip.compress(b"\n" + good[1])
    (tmp_path / "bomb.jsonl.gz").write_bytes(data)
    done = portrait_limited(
        *("build", "bomb.jsonl.gz", "-o", "out.portrait", "--on-error", "skip"),
        *("--max-document", LIMIT_BYTES, "--workers", 1, "--json"),
        cwd=tmp_path,
    )
    assert done.status == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["documents"], summary["skipped"]) == (2, {"rows": 1, "files": 0})
    assert done.peak_bytes < BASE_BYTES + COPIES * LIMIT_BYTES


def test_the_default_limit_stops_a_bomb_of_a_hundred_gigabytes(tmp_path: Path) -> None:
    member = gzip.compress(b"x" * 50_000_000)
    (tmp_path / "bomb.txt.gz").write_bytes(member * 2000)
    done = portrait_limited("build", "bomb.txt.gz", "-o", "out.portrait", "--workers", 1, cwd=tmp_path)
    assert done.stderr == (
        "portrait: error: bomb.txt.gz: text of more than 1,000,000,000 bytes: leave it out, or raise the "
        "limit (--max-document)\n"
    )
    assert done.status == 2
    assert done.peak_bytes < 1_500_000_000
