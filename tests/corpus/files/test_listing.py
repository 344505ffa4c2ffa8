"""The files at a URL: directories, globs, and errors about URLs without files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from support.remote_files import FILES, paths, refused, texts

import portrait
from portrait.corpus.files.listing import list_files, without_password
from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path


def test_directories_and_globs_are_listed(memory: str, web: str, archive: str) -> None:
    known = [f"memory://files/{name}" for name in sorted([*FILES, "deep/b.txt"])]
    assert paths(resolve(memory)[0]) == known
    assert paths(resolve(f"{memory}/*.jsonl*")[0]) == [url for url in known if "jsonl" in url]
    assert paths(resolve(f"{memory}/**/b.*")[0]) == ["memory://files/deep/b.txt"]
    assert paths(resolve(f"{memory}/*.md")[0]) == ["memory://files/notes.md"]
    assert paths(resolve(f"{web}/*.jsonl*")[0]) == [
        f"{web}/{name}" for name in sorted(FILES) if "jsonl" in name
    ]
    assert paths(resolve(f"{web}/")[0]) == [f"{web}/{name}" for name in sorted(FILES)]
    assert paths(resolve(archive.format("*.jsonl"))[0]) == [archive.format("a.jsonl")]
    assert len(paths(resolve(archive.format(""))[0])) == len(FILES)


def test_a_directory_without_known_files_is_named(memory: str) -> None:
    fsspec.filesystem("memory").pipe("/files/other/a.md", b"x")
    assert refused(f"{memory}/other", portrait.CorpusError).startswith("no .txt, .jsonl, ")


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_missing_package_is_named(scheme: str, package: str) -> None:
    message = refused(f"{scheme}://bucket/a.jsonl", portrait.MissingExtraError)
    assert message == f"this needs {package}, which is not installed: pip install {package}"


def test_an_unknown_protocol_is_named() -> None:
    assert refused("gopher://host/a.jsonl", portrait.CorpusError) == "Protocol not known: gopher"


def test_a_local_file_whose_path_looks_like_a_url_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    (tmp_path / "s3:" / "a.txt").write_text("here")
    assert texts(resolve("s3://a.txt")[0]) == ["here"]


def test_a_url_can_have_a_source_name_and_is_read_once(memory: str) -> None:
    sources = resolve([f"web={memory}/a.jsonl", f"web={memory}/*.jsonl", f"{memory}/a.txt"])
    assert {source.name: len(source.shards) for source in sources} == {"main": 1, "web": 1}
    assert sources[1].locations == [f"{memory}/a.jsonl", f"{memory}/*.jsonl"]


def test_a_listing_records_whether_it_is_of_a_directory(memory: str) -> None:
    file, directory, pattern = (list_files(f"{memory}{end}") for end in ("/a.txt", "", "/a.t*"))
    assert list(map(str, file.files)) == list(map(str, pattern.files)) == [f"{memory}/a.txt"]
    assert (file.is_directory, directory.is_directory, pattern.is_directory) == (False, True, False)
    assert not any("hidden" in str(file) for file in directory.files)


def test_a_url_is_shown_without_its_password() -> None:
    assert without_password("s3://me:secret@bucket/a@b") == "s3://bucket/a@b"
    assert without_password("zip://a::https://me@host/b.zip") == "zip://a::https://host/b.zip"
    assert without_password("https://host/a@b") == "https://host/a@b"
