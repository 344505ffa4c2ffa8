"""One file: its size, its record, its stamp and its digest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import xxhash
from support.remote_files import FILES

from portrait.corpus.files.file import digest, file_record, is_compressed, known_bytes, open_native, stamp
from portrait.corpus.files.listing import list_files
from portrait.corpus.shards import FileRecord, Stamp
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A local file of five bytes."""
    (tmp_path / "a.txt").write_bytes(b"12345")
    return tmp_path / "a.txt"


def test_a_local_file_is_recorded_by_path_and_size(path: Path) -> None:
    assert file_record(path) == FileRecord(str(path), 5)
    os.utime(path, ns=(7, 7))
    assert stamp(path) == Stamp(str(path), (5, 7))
    assert digest(path) == xxhash.xxh3_128_hexdigest(b"12345")


def test_a_remote_file_is_recorded_by_url_size_and_etag(web: str) -> None:
    ((file,), _) = list_files(f"{web}/a.txt")
    assert file_record(file) == FileRecord(f"{web}/a.txt", len(FILES["a.txt"]), file.etag)
    assert stamp(file) == Stamp(f"{web}/a.txt", (len(FILES["a.txt"]), file.etag))


def test_sizes_add_up_unless_one_is_unknown(path: Path, web: str, tmp_path: Path) -> None:
    ((file,), _) = list_files(f"{web}/a.txt")
    assert known_bytes([]) == 0
    assert known_bytes([path, file, path]) == 10 + len(FILES["a.txt"])
    os.mkfifo(tmp_path / "pipe")
    assert known_bytes([path, tmp_path / "pipe"]) is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.txt"
    for look_up in (file_record, stamp, digest):
        with pytest.raises(UnreadableFileError, match=r"missing\.txt: No such file"):
            look_up(missing)
    with pytest.raises(UnreadableFileError, match=r"missing\.txt: No such file"):
        known_bytes([missing])
    with pytest.raises(FileNotFoundError):
        open_native(missing)


def test_arrow_reads_ranges_of_local_and_remote_files(path: Path, web: str) -> None:
    ((remote,), _) = list_files(f"{web}/a.txt")
    for file, content in ((path, b"12345"), (remote, FILES["a.txt"])):
        with open_native(file) as opened:
            opened.seek(2)
            assert opened.read(2) == content[2:4]


@pytest.mark.parametrize(("name", "compressed"), [("a.gz", True), ("a.jsonl.ZST", True), ("a.jsonl", False)])
def test_compressed_files_are_known_by_their_suffixes(name: str, compressed: bool, tmp_path: Path) -> None:
    assert is_compressed(tmp_path / name) is compressed
