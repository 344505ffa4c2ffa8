"""Files of plain text: each is one document."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest
from support.refusals import TEXT, message

import portrait
from portrait.corpus.columns import Columns
from portrait.corpus.formats.plain import PlainShard

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"abc\xffdef", "not UTF-8 at byte 3"),
        (b"\xff\xfea\x62", "not UTF-8 at byte 0"),
        (b"abc\xe2\x82", "not UTF-8 at byte 3"),
        (b"abc\0def", "a NUL byte at byte 3"),
        (b"\0abc", "a NUL byte at byte 0"),
        ("text".encode("utf-16-le"), "a NUL byte at byte 1"),
    ],
)
def test_a_text_file_that_is_not_text_is_named_among_others(data: bytes, reason: str, tmp_path: Path) -> None:
    for name in ("a.txt", "c.txt"):
        (tmp_path / name).write_text(TEXT)
    (tmp_path / "b.txt").write_bytes(data)
    error = portrait.UnreadableFileError if "NUL" in reason else portrait.BadRowError
    text = message(tmp_path, tmp_path, error)
    assert text.startswith(f"{tmp_path / 'b.txt'}: {reason}")


def test_a_text_file_that_is_not_text_is_named_after_many_others(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(12):
        (tmp_path / "in" / f"{i:02}.txt").write_bytes(b"x" * 1_000_000)
    (tmp_path / "in" / "10.txt").write_bytes(b"x" * 999_999 + b"\xff")
    text = message(tmp_path / "in", tmp_path, portrait.BadRowError)
    assert text.startswith(f"{tmp_path / 'in' / '10.txt'}: not UTF-8 at byte 999999")


def test_plain_text_has_no_columns_to_keep(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    shard = PlainShard([tmp_path / "a.txt"], Columns(("text",), ("id", "url"), "source_column"))
    with pytest.raises(
        portrait.CorpusError, match=r"plain text has no columns to keep \(id, url\): "
    ) as error:
        list(shard.chunks())
    assert error.value.parameter == "source_column"
    assert [chunk.n_rows for chunk in shard.with_columns(Columns()).chunks()] == [1]


def test_small_files_share_a_chunk_and_large_ones_do_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i:04}.txt" for i in range(1002)]
    for i, path in enumerate(paths):
        path.write_bytes(b"x" * (5_000_000 if i == 1 else 10))
    shard = PlainShard(paths, Columns())
    assert [chunk.n_rows for chunk in shard.chunks()] == [2, 1000]
    assert shard.label == f"{paths[0]} and 1,001 more"


def test_an_excerpt_does_not_cut_a_character(tmp_path: Path) -> None:
    text = "aé🦀" * 9
    (tmp_path / "a.txt").write_text(text)
    shard = PlainShard([tmp_path / "a.txt"], Columns())
    for n_bytes in range(1, 70):
        (chunk,) = shard.excerpt(n_bytes).chunks()
        (part,) = chunk.batch().texts.to_pylist()
        assert text.startswith(part.decode())
        assert n_bytes - 5 < len(part) <= n_bytes or part == text.encode()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["bare", "mark"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_document_may_have_as_many_bytes_as_the_limit_without_its_mark(
    suffix: str, mark: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"a.txt{suffix}"
    for n_bytes in (99, 100, 101, 102, 103, 104):
        data = mark + b"x" * n_bytes
        path.write_bytes(gzip.compress(data) if suffix else data)
        shard = PlainShard([path], Columns(max_document_bytes=100))
        if n_bytes <= 100:
            (chunk,) = shard.chunks()
            assert chunk.batch().texts.to_pylist() == [b"x" * n_bytes]
            assert chunk.read_bytes == path.stat().st_size
        else:
            with pytest.raises(portrait.UnreadableFileError, match=r"a\.txt.*: text of more than 100 bytes"):
                list(shard.chunks())


def test_an_excerpt_counts_what_it_has_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 1000)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"x" * 1000))
    for name, n_bytes, n_read in (
        ("a.txt", 100, 100),
        ("a.txt", 1001, 1000),
        ("b.txt.gz", 100, (tmp_path / "b.txt.gz").stat().st_size),
        ("b.txt.gz", 1001, (tmp_path / "b.txt.gz").stat().st_size),
    ):
        (chunk,) = PlainShard([tmp_path / name], Columns()).excerpt(n_bytes).chunks()
        assert chunk.read_bytes == n_read


def test_the_bytes_read_are_counted_by_chunk(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.txt" for i in range(4)]
    for path in paths:
        path.write_bytes(b"x" * (1 << 21))
    shard = PlainShard(paths, Columns())
    chunks = list(shard.chunks())
    assert [(chunk.n_rows, chunk.read_bytes) for chunk in chunks] == [(2, 1 << 22)] * 2
    assert [place for chunk in chunks for place in chunk.places()] == [str(path) for path in paths]
    assert shard.digests().keys() == {str(path) for path in paths}
    first, second = shard.split(1 << 22)
    assert (first.digests(), second.digests()) == ({}, {})
    assert [path for part in (first, second) for path in part.files] == shard.files
    assert PlainShard(paths[:1], Columns()).label == str(paths[0])
    assert PlainShard(paths[:2], Columns()).label == f"{paths[0]} and 1 more"


def test_only_a_pipe_can_be_read_once_only(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    file = PlainShard([tmp_path / "a.txt"], Columns())
    assert (file.read_once, file.n_bytes) == (False, 1)
    pipe = PlainShard([tmp_path / "a.txt", tmp_path / "pipe"], Columns())
    assert (pipe.read_once, pipe.n_bytes) == (True, None)
    assert pipe.split(1) == [pipe]


def test_empty_files_are_one_part(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.txt" for i in range(4)]
    for path in paths:
        path.touch()
    shard = PlainShard(paths, Columns())
    assert shard.split(1) == [shard]
    paths[1].write_text("xy")
    assert [part.label for part in PlainShard(paths, Columns()).split(2)] == [
        f"{paths[0]} and 1 more",
        f"{paths[2]} and 1 more",
    ]
