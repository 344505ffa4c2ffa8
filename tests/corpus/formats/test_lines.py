"""Chunks of JSON lines: their rows, places and slices."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from support.refusals import GOOD, message

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("first", [b'{"text": null}\n', b'{"text": "\xff"}\n'])
def test_a_bad_line_behind_many_chunks_is_named(first: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    n_lines = 3 * (1 << 20) // len(GOOD)
    path.write_bytes(gzip.compress(GOOD * n_lines + b"\r\n \n" + first + GOOD * 9, 1))
    assert message(path, tmp_path, portrait.BadRowError).startswith(f"{path}, line {n_lines + 3}: ")
