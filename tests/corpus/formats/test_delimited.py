"""Files of delimited text: bad rows, and files that are not tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.refusals import message

import portrait

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "row", "reason"),
    [
        (b"id,text\n1,a\n2\n3,b\n", 2, "1 field where the header has 2"),
        (b"id,text\n1,a,b\n", 1, "3 fields where the header has 2"),
        (b'id,text\n\n1,"a\n\nb"\n\n2,c\n3,d,e', 3, "3 fields where the header has 2"),
        (b"id,text\r\n1,ok\r\n2,ab\xff\r\n3,ok", 2, "not UTF-8 at byte 2"),
        (b"id,text\n1,long enough\n2,\xff\n", 2, "not UTF-8 at byte 0"),
        (b"id,text\n" + b"1,ok\n" * 5_000_000 + b"x\n", 5_000_001, "1 field where the header has 2"),
    ],
    ids=["too few", "too many", "after line feeds", "UTF-8", "UTF-8, last", "after many"],
)
def test_a_bad_row_of_delimited_text_is_named(data: bytes, row: int, reason: str, tmp_path: Path) -> None:
    for name, content in (("a.csv", data), ("a.tsv", data.replace(b",", b"\t"))):
        (tmp_path / name).write_bytes(content)
        text = message(tmp_path / name, tmp_path, portrait.BadRowError)
        assert text.startswith(f"{tmp_path / name}, row {row}: ")
        assert reason in text


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"body,id\nx,1\n", portrait.CorpusError, "no column 'text', only body, id: choose another"),
        (b"te\xffxt,text\na,b\n", portrait.UnreadableFileError, "the header is not UTF-8"),
        (b'text\n"' + b"x" * (40 << 20), portrait.UnreadableFileError, "a row is larger than 16 MB"),
        (b"text\n" + b"x" * (40 << 20), portrait.UnreadableFileError, "a row is larger than 16 MB"),
        (b"x" * (1 << 20), portrait.UnreadableFileError, "the header cannot be read"),
    ],
    ids=["no column", "header", "quote", "large row", "no header"],
)
def test_delimited_text_that_is_not_a_table_is_named(
    data: bytes, error: type[portrait.PortraitError], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    text = message(path, tmp_path, error)
    assert text.startswith(f"{path}: ")
    assert reason in text
