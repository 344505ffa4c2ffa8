"""Files of plain text: each is one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.refusals import TEXT, message

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"abc\xffdef", "not UTF-8 at byte 3"),
        (b"\xff\xfea\x62", "not UTF-8 at byte 0"),
        (b"abc\xe2\x82", "not UTF-8 at byte 3"),
        (b"abc\0def", "a NUL byte at byte 3"),
        ("text".encode("utf-16-le"), "a NUL byte at byte 1"),
    ],
)
def test_a_text_file_that_is_not_text_is_named_among_others(data: bytes, what: str, tmp_path: Path) -> None:
    for name in ("a.txt", "c.txt"):
        (tmp_path / name).write_text(TEXT)
    (tmp_path / "b.txt").write_bytes(data)
    error = portrait.UnreadableFileError if "NUL" in what else portrait.BadRowError
    found = message(tmp_path, tmp_path, error)
    assert found.startswith(f"{tmp_path / 'b.txt'}: {what}")


def test_a_text_file_that_is_not_text_is_named_behind_many(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(12):
        (tmp_path / "in" / f"{i:02}.txt").write_bytes(b"x" * 1_000_000)
    (tmp_path / "in" / "10.txt").write_bytes(b"x" * 999_999 + b"\xff")
    found = message(tmp_path / "in", tmp_path, portrait.BadRowError)
    assert found.startswith(f"{tmp_path / 'in' / '10.txt'}: not UTF-8 at byte 999999")
