"""Files at URLs: rows, parts, records and stamps, passwords, and connections that end early."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from typing import TYPE_CHECKING

import pytest
import xxhash
from support.file_server import serving
from support.remote_files import FILES, LINES, STREAMS, TEXTS, texts

import portrait
from portrait.answers.judge import DEFAULT_EVALUE
from portrait.corpus.files.remote import RemoteFile
from portrait.corpus.provenance import corpus_records
from portrait.corpus.resolve import resolve
from portrait.corpus.shards import Stamp
from portrait.scanning.scan import scan_rows

if TYPE_CHECKING:
    from pathlib import Path


def expected_texts(name: str) -> list[str]:
    """Return the documents in one of the files."""
    return [FILES[name].decode()] if name == "a.txt" else TEXTS


def url_of(kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a file in one of several kinds of places: file, web, memory, zip."""
    if kind == "file":
        (tmp_path / name).write_bytes(FILES[name])
        return f"file://{tmp_path}/{name}"
    if kind == "zip":
        archive: str = request.getfixturevalue("archive")
        return archive.format(name)
    return f"{request.getfixturevalue(kind)}/{name}"


@pytest.mark.parametrize("kind", ["file", "web", "memory", "zip"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_at_a_url_has_the_rows_of_the_file(
    kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (source,) = resolve(url_of(kind, name, request, tmp_path))
    assert texts(source) == expected_texts(name)
    assert source.n_bytes == len(FILES[name])
    (shard,) = source.shards
    assert sum(chunk.read_bytes for chunk in shard.chunks()) == len(FILES[name])
    if kind == "file" or name in STREAMS:
        assert list(shard.digests().values()) == [xxhash.xxh3_128_hexdigest(FILES[name])]
    else:
        assert shard.digests() == {}
    for stamp in shard.stamps():
        assert stamp == Stamp.from_json(json.loads(json.dumps(stamp.to_json())))
    assert [stamp.path for stamp in shard.stamps()] == [file.path for file in shard.files]


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_streams_are_read_from_a_server_without_ranges(name: str, web: str) -> None:
    (source,) = resolve(f"{web}/plain/{name}")
    assert texts(source) == expected_texts(name)


@pytest.mark.parametrize("kind", ["web", "memory", "zip"])
@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_tables_at_urls_are_divided(
    kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (shard,) = resolve(url_of(kind, name, request, tmp_path))[0].shards
    parts = shard.split(len(FILES[name]) // 3)
    assert len(parts) > 1
    documents: list[str] = []
    places: list[str] = []
    for part in parts:
        for chunk in pickle.loads(pickle.dumps(part)).chunks():
            documents += chunk.batch().texts.to_pylist()
            places += chunk.places()
    assert documents == TEXTS
    assert places == [f"{shard.label}:{i + 1}" for i in range(len(TEXTS))]
    assert [file for part in parts for file in part.files] == shard.files


def test_the_record_has_sizes_and_etags(web: str) -> None:
    (source,) = resolve(f"{web}/a.parquet")
    ((file,), (stamp,)) = source.files, source.shards[0].stamps()
    assert file.path == f"{web}/a.parquet"
    assert file.n_bytes == len(FILES["a.parquet"])
    assert file.etag is not None
    assert file.etag.startswith(f'"{file.n_bytes}-')
    assert file.to_dict() == {"path": file.path, "bytes": file.n_bytes, "etag": file.etag}
    assert stamp.to_json() == [file.path, file.n_bytes, file.etag]


def test_the_portrait_of_a_url_equals_the_one_of_a_local_file(web: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    local = portrait.build(tmp_path / "a.jsonl", tmp_path / "1")
    remote = portrait.build(f"{web}/a.jsonl.gz", tmp_path / "2")
    assert local.manifest.layers == remote.manifest.layers


def test_stamps_show_that_a_remote_file_has_changed_or_is_missing(archive: str, tmp_path: Path) -> None:
    files = {"a.jsonl": LINES}
    with serving(files) as url:
        (shard,) = resolve(f"{url}/a.jsonl")[0].shards
        before = shard.stamps()
        assert before == shard.stamps()
        files["a.jsonl"] = LINES[::-1]
        assert before != shard.stamps()
        del files["a.jsonl"]
        with pytest.raises(portrait.UnreadableFileError, match=r"a\.jsonl: the server answers 404"):
            shard.stamps()
    (shard,) = resolve(archive.format("a.jsonl"))[0].shards
    before = shard.stamps()
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as file:
        file.writestr("files/a.jsonl", LINES[::-1])
    assert before != shard.stamps()


def test_a_password_in_a_url_is_not_recorded(web: str) -> None:
    url = web.replace("://", "://me:secret@") + "/a.jsonl"
    (source,) = resolve(url)
    assert texts(source) == TEXTS
    (shard,) = source.shards
    stamps = [stamp.to_json() for stamp in shard.stamps()]
    assert "secret" not in json.dumps([corpus_records([source], [], None), stamps, shard.label])


def test_a_scan_reads_urls(web: str, tmp_path: Path) -> None:
    built = portrait.build(f"{web}/a.jsonl", tmp_path / "p")
    summary = scan_rows([built], f"{web}/a.parquet", tmp_path / "out.jsonl", evalue=DEFAULT_EVALUE)
    assert (summary.rows, summary.found) == (len(TEXTS), len(TEXTS))


class CutShort(io.BytesIO):
    """A file that ends early, on a server that does not serve ranges."""

    def seek(self, *_: int) -> int:
        raise ValueError("cannot seek")


def test_data_that_ends_early_is_an_error() -> None:
    class FileSystem:
        def open(self, *_: object, **__: object) -> CutShort:
            return CutShort(b"12345")

    file = RemoteFile("url", "path", FileSystem(), 20_000, None)
    with file.open(sequential=True) as opened:
        assert opened.read(5) == b"12345"
        with pytest.raises(OSError, match="the data ends after 5 of 20,000 bytes"):
            opened.read(1)
        with pytest.raises(OSError, match="its server does not serve ranges: download the file first"):
            opened.seek(0)


@pytest.mark.parametrize(
    ("path", "suffix", "stem"),
    [
        ("bucket/a.jsonl.gz", ".gz", "a.jsonl"),
        ("https://host/a.csv?x=1.gz#y", ".csv", "a"),
        ("a?b.txt", ".txt", "a?b"),
    ],
)
def test_a_url_s_query_is_not_part_of_the_suffix(path: str, suffix: str, stem: str) -> None:
    file = RemoteFile("url", path, None, None, None)
    assert (file.suffix, file.stem, str(file)) == (suffix, stem, "url")
    assert file.record().to_dict() == {"path": "url"}
