"""Files of delimited text: bad rows, and files that are not tables."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from support.refusals import message

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.files.streams import ByteStream
from portrait.corpus.formats.delimited import delimited_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.corpus.formats.delimited_chunk import DelimitedChunk


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


def parsed(data: bytes, columns: Columns | None = None, piece_bytes: int = 1 << 20) -> list[DelimitedChunk]:
    """Read comma-separated text that comes in pieces of so many bytes at most."""
    source = io.BytesIO(data)
    stream = ByteStream("a.csv", lambda n: source.read(min(n, piece_bytes)), source.tell)
    return list(delimited_chunks(stream, ",", columns or Columns()))


def texts_of(chunks: Sequence[DelimitedChunk]) -> list[str]:
    """Return the texts of all chunks."""
    return [text for chunk in chunks for text in chunk.batch().texts.to_pylist()]


def places(chunks: Sequence[DelimitedChunk]) -> list[str]:
    """Return the places of all rows."""
    return [place for chunk in chunks for place in chunk.places()]


def test_chunks_have_about_four_megabytes_of_rows_and_one_row_at_least() -> None:
    rows = [f"{i:06}" + "x" * 100_000 for i in range(100)]
    data = "\n".join(["text", *rows]).encode()
    chunks = parsed(data)
    assert texts_of(chunks) == rows
    assert places(chunks) == [f"a.csv:{i}" for i in range(1, 101)]
    assert all(chunk.n_rows <= 41 for chunk in chunks)
    assert [chunk.n_rows for chunk in chunks].count(41) >= 2
    assert sum(chunk.read_bytes for chunk in chunks) == len(data)
    large = [c * 5_000_000 for c in "abc"]
    assert [chunk.n_rows for chunk in parsed("\n".join(["text", *large]).encode())] == [1, 1, 1]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"text", b"text\n", b"id,text\n"])
def test_a_table_without_rows_is_one_chunk_without_rows(data: bytes) -> None:
    (chunk,) = parsed(data)
    assert (chunk.n_rows, chunk.read_bytes, texts_of([chunk])) == (0, len(data), [])


def test_a_table_of_bad_rows_only_is_one_chunk_of_them() -> None:
    data = b"id,text\nx\ny\n"
    (chunk,) = parsed(data)
    assert (chunk.n_rows, chunk.read_bytes) == (2, len(data))
    assert chunk.places() == ["a.csv:1", "a.csv:2"]
    for row in range(2):
        with pytest.raises(
            portrait.BadRowError, match=rf"a\.csv, row {row + 1}: 1 field where the header has 2"
        ):
            chunk.slice(row, row + 1).batch()


def test_bad_rows_are_in_the_chunks_of_the_good_ones_around_them() -> None:
    # Good rows of 5 MB are chunks of their own.
    good = "1," + "x" * 5_000_000
    chunks = parsed("\n".join(["id,text", "bad", good, "bad", "bad", good, good, "bad"]).encode())
    assert [chunk.n_rows for chunk in chunks] == [2, 3, 2]
    assert places(chunks) == [f"a.csv:{i}" for i in range(1, 8)]
    for chunk, row in zip(chunks, (1, 3, 7), strict=True):
        with pytest.raises(portrait.BadRowError, match=rf"a\.csv, row {row}: "):
            chunk.batch()


@pytest.mark.parametrize("piece_bytes", [1 << 20, 1 << 24, (1 << 24) - 1, 3_333_333])
@pytest.mark.parametrize("n_bytes", [(1 << 24) - 1, 1 << 24, (1 << 24) + 1, 17_000_000, (1 << 25) + 7])
def test_blocks_and_pieces_may_end_within_a_row(n_bytes: int, piece_bytes: int) -> None:
    # Line feeds within quotes end no row either.
    row = '"' + "line\n" * 200 + '"\n'
    n_rows, n_more = divmod(n_bytes - len("text\n"), len(row))
    data = "text\n" + row * n_rows + "x" * n_more
    assert len(data) == n_bytes
    chunks = parsed(data.encode(), piece_bytes=piece_bytes)
    assert texts_of(chunks) == ["line\n" * 200] * n_rows + ["x" * n_more] * bool(n_more)


def test_texts_that_look_like_missing_values_are_texts() -> None:
    rows = ["NA", "null", "NaN", '""', "N/A"]
    assert texts_of(parsed("\n".join(["text", *rows]).encode())) == ["NA", "null", "NaN", "", "N/A"]


@pytest.mark.parametrize("header", ["text,text", "text,id,text,text"])
def test_a_column_that_is_there_twice_is_refused(header: str) -> None:
    row = ",".join("x" * len(header.split(",")))
    with pytest.raises(portrait.CorpusError, match=r"^a\.csv: there are two columns 'text': rename one$"):
        parsed(f"{header}\n{row}\n".encode())
    # Nobody asks for it here.
    assert texts_of(parsed(b"more,text,more\n1,a,2\n")) == ["a"]
    optional = Columns(optional=("more", "id"))
    (chunk,) = parsed(b"more,text,more,id\n1,a,2,7\n", optional)
    assert {name: column.to_pylist() for name, column in chunk.batch().optional.items()} == {"id": ["7"]}
