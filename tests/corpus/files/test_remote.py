"""Corpora at URLs: the same rows as in files here, and every failure named in one line."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import socket
import zipfile
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from support.server_of_files import serving

import portrait
from portrait.corpus.resolve import resolve
from portrait.scanning.scan import scan_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portrait.corpus.shards import Source

TEXTS = [f"{i}: {os.urandom(40).hex()} é🦀" for i in range(3000)]
TABLE = pa.table({"id": range(len(TEXTS)), "text": TEXTS})


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(TABLE, out, row_group_size=500)
    return out.getvalue()


def arrow() -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_file(out, TABLE.schema) as sink:
        sink.write_table(TABLE, 500)
    return out.getvalue()


LINES = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS).encode()
FILES = {
    "a.jsonl": LINES,
    "a.jsonl.gz": gzip.compress(LINES),
    "a.jsonl.zst": pa.compress(LINES, codec="zstd", asbytes=True),
    "a.parquet": parquet(),
    "a.arrow": arrow(),
    "a.csv": "\n".join(["id,text", *(f"{i},{text}" for i, text in enumerate(TEXTS))]).encode(),
    "a.txt": b"One document, and no more than that.",
}
STREAMS = {name for name in FILES if name not in ("a.parquet", "a.arrow")}


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with serving(FILES) as url:
        yield url


@pytest.fixture
def memory() -> Iterator[str]:
    """The same files, and a hidden one, in memory."""
    filesystem = fsspec.filesystem("memory")
    for name, data in {**FILES, "deep/b.txt": b"b", ".hidden.txt": b"no", "notes.md": b"no"}.items():
        filesystem.pipe(f"/files/{name}", data)
    yield "memory://files"
    filesystem.rm("/files", recursive=True)


@pytest.fixture
def archive(tmp_path: Path) -> str:
    with zipfile.ZipFile(tmp_path / "files.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in FILES.items():
            file.writestr(f"files/{name}", data)
    return f"zip://files/{{}}::{tmp_path / 'files.zip'}"


def texts(source: Source) -> list[str]:
    found = []
    for shard in source.shards:
        for chunk in pickle.loads(pickle.dumps(shard)).chunks():
            found += chunk.batch().texts.to_pylist()
    return [text.decode() if isinstance(text, bytes) else text for text in found]


def paths(source: Source) -> list[str]:
    return [file["path"] for file in source.record()["files"]]


def expected(name: str) -> list[str]:
    return [FILES[name].decode()] if name == "a.txt" else TEXTS


def url_of(kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "file":
        (tmp_path / name).write_bytes(FILES[name])
        return f"file://{tmp_path}/{name}"
    if kind == "zip":
        archive: str = request.getfixturevalue("archive")
        return archive.format(name)
    base = request.getfixturevalue("memory" if kind == "memory" else "web")
    return f"{base}/{name}" if kind != "web without ranges" else f"{base}/plain/{name}"


@pytest.mark.parametrize("kind", ["file", "web", "memory", "zip"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_at_a_url_has_the_rows_of_the_file(
    kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (source,) = resolve(url_of(kind, name, request, tmp_path))
    assert texts(source) == expected(name)
    assert source.n_bytes == len(FILES[name])
    (shard,) = source.shards
    assert sum(chunk.read_bytes for chunk in shard.chunks()) == len(FILES[name])
    if kind == "file" or name in STREAMS:
        assert list(shard.digests().values()) == [xxhash.xxh3_128_hexdigest(FILES[name])]
    else:
        assert shard.digests() == {}
    assert shard.stamps() == json.loads(json.dumps(shard.stamps()))
    assert [path for path, *_ in shard.stamps()] == [file["path"] for file in shard.files]


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_server_without_ranges_gives_streams(name: str, web: str) -> None:
    (source,) = resolve(f"{web}/plain/{name}")
    assert texts(source) == expected(name)


@pytest.mark.parametrize("kind", ["web", "memory", "zip"])
@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_tables_at_urls_divide(kind: str, name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    (shard,) = resolve(url_of(kind, name, request, tmp_path))[0].shards
    parts = shard.split(len(FILES[name]) // 3)
    assert len(parts) > 1
    found: list[str] = []
    places: list[str] = []
    for part in parts:
        for chunk in pickle.loads(pickle.dumps(part)).chunks():
            found += chunk.batch().texts.to_pylist()
            places += chunk.places()
    assert found == TEXTS
    assert places == [f"{shard.label}:{i + 1}" for i in range(len(TEXTS))]
    assert [file for part in parts for file in part.files] == shard.files


def test_the_record_has_sizes_and_marks(web: str) -> None:
    (source,) = resolve(f"{web}/a.parquet")
    ((file,), (stamp,)) = source.record()["files"], source.shards[0].stamps()
    assert file["path"] == f"{web}/a.parquet"
    assert file["bytes"] == len(FILES["a.parquet"])
    assert file["etag"].startswith(f'"{file["bytes"]}-')
    assert stamp == [file["path"], file["bytes"], file["etag"]]


def test_directories_and_globs_are_listed(memory: str, web: str, archive: str) -> None:
    known = [f"memory://files/{name}" for name in sorted([*FILES, "deep/b.txt"])]
    assert paths(resolve(memory)[0]) == known
    assert paths(resolve(f"{memory}/*.jsonl*")[0]) == [one for one in known if "jsonl" in one]
    assert paths(resolve(f"{memory}/**/b.*")[0]) == ["memory://files/deep/b.txt"]
    assert paths(resolve(f"{memory}/*.md")[0]) == ["memory://files/notes.md"]
    assert paths(resolve(f"{web}/*.jsonl*")[0]) == [
        f"{web}/{name}" for name in sorted(FILES) if "jsonl" in name
    ]
    assert paths(resolve(f"{web}/")[0]) == [f"{web}/{name}" for name in sorted(FILES)]
    assert paths(resolve(archive.format("*.jsonl"))[0]) == [archive.format("a.jsonl")]
    assert len(paths(resolve(archive.format(""))[0])) == len(FILES)


def test_a_url_takes_a_name_and_is_read_once(memory: str) -> None:
    sources = resolve([f"web={memory}/a.jsonl", f"web={memory}/*.jsonl", f"{memory}/a.txt"])
    assert {source.name: len(source.shards) for source in sources} == {"main": 1, "web": 1}
    assert sources[1].locations == [f"{memory}/a.jsonl", f"{memory}/*.jsonl"]


def test_the_portrait_is_that_of_the_file(web: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    here = portrait.build(tmp_path / "a.jsonl", tmp_path / "1")
    there = portrait.build(f"{web}/a.jsonl.gz", tmp_path / "2")
    assert here.manifest.layers == there.manifest.layers


def test_stamps_tell_that_a_remote_file_has_changed_or_is_gone(archive: str, tmp_path: Path) -> None:
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


def test_a_password_in_a_url_is_not_told(web: str) -> None:
    secret = web.replace("://", "://me:secret@") + "/a.jsonl"
    (source,) = resolve(secret)
    assert texts(source) == TEXTS
    assert "secret" not in json.dumps([source.record(), source.shards[0].stamps(), source.shards[0].label])


def refused(location: str, error: type[portrait.PortraitError] = portrait.UnreadableFileError) -> str:
    with pytest.raises(portrait.PortraitError) as caught:
        texts(resolve(location)[0])
    assert caught.type is error
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{location}: ")
    return message.removeprefix(f"{location}: ")


@pytest.mark.parametrize("name", ["missing.jsonl", "missing.parquet"])
def test_a_file_that_is_not_there_is_named(name: str, web: str, memory: str, archive: str) -> None:
    assert refused(f"{web}/{name}") == "the server answers 404 Not Found"
    assert refused(f"{memory}/{name}") == "no such file or directory"
    assert refused(archive.format(name)) == "no such file or directory"
    assert refused(f"{memory}/{name}*", portrait.CorpusError) == "no file matches"


def test_a_directory_without_known_files_is_named(memory: str) -> None:
    fsspec.filesystem("memory").pipe("/files/other/a.md", b"x")
    assert refused(f"{memory}/other", portrait.CorpusError).startswith("no .txt, .jsonl, ")


@pytest.mark.parametrize("name", FILES)
def test_a_server_that_refuses_is_named(name: str, web: str) -> None:
    assert refused(f"{web}/refused/{name}") == "the server answers 500 Internal Server Error"


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert "Connect call failed" in refused(f"http://127.0.0.1:{port}/a.jsonl")


@pytest.mark.parametrize("name", FILES)
def test_a_connection_that_breaks_is_named(name: str, web: str) -> None:
    assert "Response payload is not completed" in refused(f"{web}/broken/{name}")


def test_a_table_that_cannot_be_read_here_and_there_is_named(web: str) -> None:
    what = "its server gives no parts of files: fetch it first"
    assert refused(f"{web}/plain/a.parquet") == f"not a readable Parquet file: {what}"
    assert refused(f"{web}/plain/a.arrow") == f"not a readable Arrow file: {what}"


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_a_missing_package_is_named(scheme: str, package: str) -> None:
    found = refused(f"{scheme}://bucket/a.jsonl", portrait.MissingExtraError)
    assert found == f"this needs {package}, which is not installed: pip install {package}"


def test_an_unknown_protocol_is_named() -> None:
    assert refused("gopher://host/a.jsonl", portrait.CorpusError) == "Protocol not known: gopher"


def test_a_file_that_is_called_like_a_url_is_that_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    (tmp_path / "s3:" / "a.txt").write_text("here")
    assert texts(resolve("s3://a.txt")[0]) == ["here"]


def test_a_scan_reads_urls(web: str, tmp_path: Path) -> None:
    built = portrait.build(f"{web}/a.jsonl", tmp_path / "p")
    scanned = scan_rows([built], f"{web}/a.parquet", tmp_path / "out.jsonl")
    assert (scanned.rows, scanned.found) == (len(TEXTS), len(TEXTS))
