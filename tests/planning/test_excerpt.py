"""The first rows of a shard."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from portrait.corpus.resolve import resolve
from portrait.planning.excerpt import Excerpt

if TYPE_CHECKING:
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
