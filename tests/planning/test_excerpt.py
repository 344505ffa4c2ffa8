"""The first rows of a shard."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from portrait.corpus.resolve import resolve
from portrait.planning.excerpt import Excerpt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = b'{"text": "one of many rows"}\n' * 200_000


def read(excerpt: Excerpt) -> int:
    """Read an excerpt to its end, and return the number of its rows."""
    n_rows = 0
    for chunk in excerpt.chunks():
        n_rows += chunk.n_rows
        excerpt.count(chunk.read_bytes, chunk.n_rows, 16 * chunk.n_rows)
    return n_rows


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_reading_stops_at_the_limit(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(gzip.compress(ROWS) if name.endswith(".gz") else ROWS)
    (source,) = resolve(tmp_path / name)
    (shard,) = source.shards
    part = Excerpt(shard, 1000)
    assert (part.files, part.label) == ([], shard.label)
    assert 0 < read(part) <= 200_000
    assert 0 < part.read_bytes <= (shard.n_bytes or 0)
    whole = Excerpt(shard, len(ROWS))
    assert read(whole) == 200_000
    assert whole.whole


def test_a_plain_file_is_read_in_part(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(ROWS)
    (source,) = resolve(tmp_path / "a.jsonl")
    part = Excerpt(source.shards[0], 1000)
    assert read(part) < 200_000
    assert not part.whole


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_the_text_of_a_compressed_excerpt_is_that_of_the_bytes_read(suffix: str, tmp_path: Path) -> None:
    dice = random.Random(1)
    lines = (json.dumps({"text": f"{dice.getrandbits(2000):x}"}) + "\n" for _ in range(12_000))
    rows = "".join(lines).encode()
    path = tmp_path / f"a.jsonl{suffix}"
    compress: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lambda data: lzma.compress(data, preset=0),
        ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    }
    path.write_bytes(compressed := compress[suffix](rows))
    (source,) = resolve(path)
    excerpt = Excerpt(source.shards[0], 1_000_000)
    n_rows = 0
    for chunk in excerpt.chunks():
        n_rows += chunk.n_rows
        excerpt.count(chunk.read_bytes, chunk.n_rows, 500 * chunk.n_rows)
    assert not excerpt.whole
    # bzip2 holds back blocks of 900 kB. Chunks of a Zstandard file span what is read at once: half of
    # the last one is taken to be of earlier bytes.
    tolerance = {".bz2": 0.2, ".zst": 0.3}.get(suffix, 0.05)
    assert n_rows / excerpt.read_bytes == pytest.approx(12_000 / len(compressed), rel=tolerance)
