"""Shards of every format: division into parts, slices, digests, stamps, labels and sizes."""

from __future__ import annotations

import gzip
import json
import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from support.documents import zstd
from support.forms import DIVISIBLE, FORMS, TEXTS, WHOLE, plain, rows, shard_of, texts
from support.refusals import GOOD, TEXT, arrow_bytes, message, refused

import portrait
from portrait.corpus.resolve import resolve
from portrait.corpus.shards import Stamp, expansion, total_bytes
from portrait.errors import BadRowError, CorpusError
from portrait.keys.maker import KeyMaker
from portrait.spec import WindowSpec


@pytest.mark.parametrize("form", DIVISIBLE)
@pytest.mark.parametrize("n_bytes", [1, 300, 1000, 10_000])
def test_the_parts_have_every_row_once_with_its_place(form: str, n_bytes: int, tmp_path: Path) -> None:
    shard = shard_of(DIVISIBLE[form](tmp_path))
    whole = rows([shard])
    parts = shard.split(n_bytes)
    assert [text for text, _ in whole] == (TEXTS if form != "txt" else TEXTS[:41])
    assert rows(parts) == whole
    if shard.n_bytes and n_bytes < shard.n_bytes / 2:
        assert len(parts) > 1


@pytest.mark.parametrize("form", DIVISIBLE)
def test_the_parts_together_are_the_whole(form: str, tmp_path: Path) -> None:
    shard = shard_of(DIVISIBLE[form](tmp_path))
    parts = shard.split(1500)
    assert len(parts) > 1
    assert [file for part in parts for file in part.files] == shard.files
    assert sum(part.n_bytes or 0 for part in parts) == shard.n_bytes
    for part in [shard, *parts]:
        assert sum(chunk.read_bytes for chunk in part.chunks()) == part.n_bytes
    again = [small for part in parts for small in part.split(400)]
    assert len(again) >= len(parts)
    assert rows(again) == rows([shard])
    assert sum(part.n_bytes or 0 for part in again) == shard.n_bytes
    assert [file for part in again for file in part.files] == shard.files


@pytest.mark.parametrize("form", WHOLE)
def test_a_shard_that_cannot_be_divided_is_one_part(form: str, tmp_path: Path) -> None:
    shard = shard_of(WHOLE[form](tmp_path))
    assert shard.split(10) == [shard]


def test_a_shard_that_is_small_enough_is_not_divided(tmp_path: Path) -> None:
    for form in DIVISIBLE.values():
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        directory.mkdir()
        shard = shard_of(form(directory))
        assert shard.split(1 << 30) == [shard]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_bad_row_of_a_part_of_a_table_is_named_by_its_number_in_the_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    table = pa.table({"text": ["a"] * 55 + [None]})
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=10)
    else:
        with pa.ipc.new_file(str(path), table.schema) as sink:
            sink.write_table(table, 10)
    *first, last = shard_of(path).split(1)
    assert (len(first), len(rows(first))) == (5, 50)
    (chunk,) = last.chunks()
    with pytest.raises(BadRowError, match=rf"a\.{kind}, row 56: null"):
        KeyMaker(WindowSpec()).add(chunk.batch())


@pytest.mark.parametrize("form", FORMS)
def test_a_slice_has_its_rows_with_their_places(form: str, tmp_path: Path) -> None:
    shard = shard_of(FORMS[form](tmp_path))
    for part in shard.split(5000):
        for chunk in part.chunks():
            n, all_rows = chunk.n_rows, list(zip(texts(chunk), chunk.places(), strict=True))
            for start, stop in [
                (0, n),
                (0, 0),
                (n, n),
                (1, n),
                (0, n // 2),
                (n // 2, n),
                (n // 3, n // 3 + 1),
            ]:
                part_of_chunk = pickle.loads(pickle.dumps(chunk.slice(start, stop)))
                assert part_of_chunk.n_rows == stop - start
                part_rows = list(zip(texts(part_of_chunk), part_of_chunk.places(), strict=True))
                assert part_rows == all_rows[start:stop]
                assert part_of_chunk.read_bytes == 0
            twice = chunk.slice(1, n).slice(1, 3)
            assert list(zip(texts(twice), twice.places(), strict=True)) == all_rows[2:4]


@pytest.mark.parametrize("form", FORMS)
def test_a_shard_that_has_been_read_knows_its_files_digests(form: str, tmp_path: Path) -> None:
    shard = shard_of(FORMS[form](tmp_path))
    expected = {file.path: xxhash.xxh3_128_hexdigest(Path(file.path).read_bytes()) for file in shard.files}
    assert len(expected) == len(shard.files)
    list(shard.chunks())
    assert shard.digests() == expected
    digests: dict[str, str] = {}
    for part in shard.split(900):
        list(part.chunks())
        assert part.digests().keys() == {file.path for file in part.files}
        digests |= part.digests()
    assert digests == expected


@pytest.mark.parametrize("form", FORMS)
def test_stamps_show_that_a_file_has_changed_or_is_missing(form: str, tmp_path: Path) -> None:
    shard = shard_of(FORMS[form](tmp_path))
    before = shard.stamps()
    assert [Stamp.from_json(json.loads(json.dumps(stamp.to_json()))) for stamp in before] == before
    assert shard.stamps() == before
    assert [stamp.path for stamp in before] == [file.path for file in shard.files]
    path = Path(before[0].path)
    status = path.stat()
    assert before[0].to_json() == [str(path), status.st_size, status.st_mtime_ns]
    parts = shard.split(900)
    os.utime(path, ns=(1, 1))
    assert shard.stamps()[0] == Stamp(str(path), (status.st_size, 1))
    assert [stamp for stamp in parts[0].stamps() if stamp not in before]
    if len(shard.files) == 1:
        assert all(part.stamps() == shard.stamps() for part in parts)
    path.unlink()
    with pytest.raises(CorpusError, match=f"{path.name}: No such file"):
        shard.stamps()


def test_labels_name_the_files_of_shards(tmp_path: Path) -> None:
    labels = {form: shard_of(FORMS[form](tmp_path)).label for form in ("jsonl", "jsonl.gz", "parquet")}
    assert labels == {
        "jsonl": str(tmp_path / "a.jsonl"),
        "jsonl.gz": str(tmp_path / "a.jsonl.gz"),
        "parquet": str(tmp_path / "a.parquet"),
    }
    (tmp_path / "txt").mkdir()
    plain(tmp_path / "txt")
    assert shard_of(tmp_path / "txt").label == f"{tmp_path / 'txt' / '000.txt'} and 40 more"
    assert shard_of(tmp_path / "txt" / "001.txt").label == str(tmp_path / "txt" / "001.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
@pytest.mark.parametrize(
    "name", ["a.txt", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a.arrow", "a.csv"]
)
def test_a_file_that_may_not_be_read_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(GOOD)
    path.chmod(0)
    error = message(path, tmp_path, portrait.UnreadableFileError)
    assert error.startswith(f"{path}: ")
    assert "Permission denied" in error


def write_empty_files(directory: Path) -> None:
    """Write files of every format that hold no text."""
    (directory / "a.txt").write_bytes(b"")
    (directory / "b.jsonl").write_bytes(b"\n \r\n\n")
    (directory / "c.jsonl.gz").write_bytes(gzip.compress(b""))
    (directory / "d.jsonl.zst").write_bytes(zstd(b"\n"))
    (directory / "e.txt").write_bytes(b"\xef\xbb\xbf")
    (directory / "h.csv").write_bytes(b"")
    (directory / "i.csv").write_bytes(b"text,id")
    (directory / "j.tsv.gz").write_bytes(gzip.compress(b"\n\ntext\n"))
    (directory / "k.arrow").write_bytes(arrow_bytes(pa.array([], pa.string())))
    (directory / "l.arrow").write_bytes(arrow_bytes(pa.array([], pa.string()), streamed=True))
    (directory / "f.jsonl").write_bytes(b'{"text": ""}')
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), directory / "g.parquet")


def test_a_corpus_of_empty_files_is_named(tmp_path: Path) -> None:
    write_empty_files(tmp_path)
    with refused(tmp_path, portrait.EmptyCorpusError) as messages:
        portrait.build(tmp_path, tmp_path / "out.portrait")
    assert messages == [f"source 'main' holds no text: {tmp_path}"]


def test_an_empty_source_beside_a_full_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "full.txt").write_text(TEXT)
    sources = {"web": tmp_path / "full.txt", "books": tmp_path / "empty.txt"}
    with refused(tmp_path, portrait.EmptyCorpusError) as messages:
        portrait.build(sources, tmp_path / "out.portrait")
    assert "'books'" in messages[0]


@pytest.mark.parametrize("form", FORMS)
def test_an_excerpt_shortens_only_documents_that_are_whole_files(form: str, tmp_path: Path) -> None:
    shard = shard_of(FORMS[form](tmp_path))
    whole, cut = rows([shard]), rows([shard.excerpt(20)])
    assert [place for _, place in cut] == [place for _, place in whole]
    if form != "txt":
        assert cut == whole
        return
    for (text, _), (part, _) in zip(whole, cut, strict=True):
        assert text.startswith(part)
        assert len(part.encode()) <= 20
        assert (part == text) == (len(text.encode()) < 20)


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("a.jsonl", 1),
        ("a.jsonl.gz", 3.5),
        ("a.csv.zst", 4),
        ("a.jsonl.bz2", 5),
        ("a.txt.xz", 5),
        ("a.parquet", 3),
    ],
)
def test_the_text_of_a_file_is_estimated_by_its_format(name: str, times: float, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(1000))
    (source,) = resolve(tmp_path / name)
    assert expansion(source.shards[0]) == times
    assert (source.n_bytes, source.text_bytes) == (1000, 1000 * times)


def test_the_size_of_standard_input_is_unknown() -> None:
    (source,) = resolve("-")
    assert (source.n_bytes, source.text_bytes, source.files) == (None, None, [])
    assert total_bytes([1, None, 2]) is None
    assert total_bytes([1, 2]) == 3
    assert total_bytes([]) == 0


@pytest.mark.parametrize("state", [(5, 1_700_000_000_000_000_000), (None, '"mark"'), ("c0ffee",), (7,), ()])
def test_stamps_survive_json(state: tuple[str | int | None, ...]) -> None:
    stamp = Stamp("path", state)
    assert stamp.to_json() == ["path", *state]
    assert Stamp.from_json(json.loads(json.dumps(stamp.to_json()))) == stamp
