"""Shards for many processes: their parts have every row once, in its place, and know their files."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import pickle
import random
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from portrait.corpus.resolve import resolve
from portrait.errors import BadRowError, CorpusError, UnreadableFileError
from portrait.keys.maker import KeyMaker
from portrait.spec import WindowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from portrait.corpus.shards import Chunk, Shard

N_ROWS = 400
TEXTS = [f"{i}: {'é🦀 text ' * (i % 7)}" for i in range(N_ROWS)]


def lines(texts: Sequence[str] = TEXTS) -> bytes:
    """Objects between blank lines, here and there."""
    return "".join(
        "\n" * (i % 3 == 1) + json.dumps({"text": text}) + "\n" for i, text in enumerate(texts)
    ).encode()


def zstd(data: bytes) -> bytes:
    frame: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return frame


def parquet(path: Path) -> None:
    pq.write_table(pa.table({"id": range(N_ROWS), "text": TEXTS}), path, row_group_size=30)


def write(name: str, content: Callable[[], bytes]) -> Callable[[Path], Path]:
    def written(directory: Path) -> Path:
        (directory / name).write_bytes(content())
        return directory / name

    return written


def plain(directory: Path) -> Path:
    for i, text in enumerate(TEXTS[:40]):
        (directory / f"{i:03}.txt").write_text(text)
    (directory / "040.txt.gz").write_bytes(gzip.compress(TEXTS[40].encode()))
    return directory


def table(directory: Path) -> Path:
    parquet(directory / "a.parquet")
    return directory / "a.parquet"


def arrow(directory: Path, *, streamed: bool = False) -> Path:
    rows = pa.table({"id": range(N_ROWS), "text": TEXTS})
    path = directory / "a.arrow"
    with (pa.ipc.new_stream if streamed else pa.ipc.new_file)(str(path), rows.schema) as sink:
        sink.write_table(rows, 30)
    return path


def delimited() -> bytes:
    return ("text,id\n" + "".join(f'"{text}",{i}\n' for i, text in enumerate(TEXTS))).encode()


#: What can be divided, and what cannot.
WHOLE: dict[str, Callable[[Path], Path]] = {
    "jsonl.gz": write("a.jsonl.gz", lambda: gzip.compress(lines())),
    "jsonl.zst": write("a.jsonl.zst", lambda: zstd(lines())),
    "jsonl.bz2": write("a.jsonl.bz2", lambda: bz2.compress(lines())),
    "arrow stream": partial(arrow, streamed=True),
    "csv": write("a.csv", delimited),
    "csv.gz": write("a.csv.gz", lambda: gzip.compress(delimited())),
    "tsv": write("a.tsv", lambda: delimited().replace(b",", b"\t")),
    "jsonl.xz": write("a.jsonl.xz", lambda: lzma.compress(lines())),
}
DIVISIBLE: dict[str, Callable[[Path], Path]] = {
    "jsonl": write("a.jsonl", lines),
    "jsonl, no last line feed": write("a.jsonl", lambda: lines()[:-1]),
    "jsonl, byte-order mark": write("a.jsonl", lambda: b"\xef\xbb\xbf" + lines()),
    "txt": plain,
    "parquet": table,
    "arrow": arrow,
}
FORMS = WHOLE | DIVISIBLE


def shard_of(path: Path) -> Shard:
    (source,) = resolve(path)
    (shard,) = source.shards
    return shard


def texts(chunk: Chunk) -> list[str]:
    found = chunk.batch().texts.to_pylist()
    return [text.decode() if isinstance(text, bytes) else text for text in found]


def rows(shards: Iterable[Shard]) -> list[tuple[str, str]]:
    """Each row's text and place, the shards read as another process would."""
    found: list[tuple[str, str]] = []
    for shard in shards:
        for chunk in pickle.loads(pickle.dumps(shard)).chunks():
            found += zip(texts(chunk), pickle.loads(pickle.dumps(chunk)).places(), strict=True)
    return found


@pytest.mark.parametrize("form", DIVISIBLE)
@pytest.mark.parametrize("n_bytes", [1, 300, 1000, 10_000])
def test_the_parts_have_every_row_once_in_its_place(form: str, n_bytes: int, tmp_path: Path) -> None:
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
def test_what_cannot_be_divided_is_one_part(form: str, tmp_path: Path) -> None:
    shard = shard_of(WHOLE[form](tmp_path))
    assert shard.split(10) == [shard]


def test_what_is_small_enough_is_not_divided(tmp_path: Path) -> None:
    for form in DIVISIBLE.values():
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        directory.mkdir()
        shard = shard_of(form(directory))
        assert shard.split(1 << 30) == [shard]


@settings(max_examples=150, deadline=None)
@given(
    rows_=st.lists(
        st.sampled_from([b"", b"{}", b'{"text":"a"}', b'{"text":"' + b"b" * 50 + b'"}']), max_size=12
    ),
    ended=st.booleans(),
    n_bytes=st.integers(1, 60),
)
def test_wherever_a_part_begins_its_lines_have_their_numbers(
    rows_: list[bytes], ended: bool, n_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = b"\n".join(rows_) + b"\n" * ended
    path = tmp_path_factory.getbasetemp() / "ranges.jsonl"
    path.write_bytes(data)
    expected = [f"{path}:{i + 1}" for i, row in enumerate(data.split(b"\n")) if row]
    found = [
        place for part in shard_of(path).split(n_bytes) for chunk in part.chunks() for place in chunk.places()
    ]
    assert found == expected


@pytest.mark.parametrize("bad", range(1, 12, 2))
def test_a_bad_line_of_a_part_is_named_by_its_number_in_the_file(bad: int, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = [json.dumps({"text": "x" * 30})] * 12
    good[bad] = '{"text": null}'
    path.write_text("\n".join(good))
    messages = []
    for part in shard_of(path).split(60):
        for chunk in part.chunks():
            try:
                chunk.batch()
            except BadRowError as error:
                messages.append(str(error))
    assert messages == [f"{path}, line {bad + 1}: column 'text' holds null, not text"]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_bad_row_of_a_part_of_a_table_is_named_by_its_number_in_the_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    rows_ = pa.table({"text": ["a"] * 55 + [None]})
    if kind == "parquet":
        pq.write_table(rows_, path, row_group_size=10)
    else:
        with pa.ipc.new_file(str(path), rows_.schema) as sink:
            sink.write_table(rows_, 10)
    *fine, last = shard_of(path).split(1)
    assert (len(fine), len(rows(fine))) == (5, 50)
    (chunk,) = last.chunks()
    with pytest.raises(BadRowError, match=rf"a\.{kind}, row 56: null"):
        KeyMaker(WindowSpec()).add(chunk.batch())


@pytest.mark.parametrize("form", FORMS)
def test_a_slice_has_its_rows_in_their_places(form: str, tmp_path: Path) -> None:
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
                found = pickle.loads(pickle.dumps(chunk.slice(start, stop)))
                assert found.n_rows == stop - start
                assert list(zip(texts(found), found.places(), strict=True)) == all_rows[start:stop]
                assert found.read_bytes == 0
            twice = chunk.slice(1, n).slice(1, 3)
            assert list(zip(texts(twice), twice.places(), strict=True)) == all_rows[2:4]


@pytest.mark.parametrize("form", FORMS)
def test_a_read_shard_knows_its_files_digests(form: str, tmp_path: Path) -> None:
    shard = shard_of(FORMS[form](tmp_path))
    expected = {
        file["path"]: xxhash.xxh3_128_hexdigest(Path(file["path"]).read_bytes()) for file in shard.files
    }
    assert len(expected) == len(shard.files)
    list(shard.chunks())
    assert shard.digests() == expected
    found: dict[str, str] = {}
    for part in shard.split(900):
        list(part.chunks())
        assert part.digests().keys() == {file["path"] for file in part.files}
        found |= part.digests()
    assert found == expected


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_the_digest_is_of_the_whole_file_whatever_follows_the_compressed_data(
    suffix: str, tmp_path: Path
) -> None:
    compressions: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".zst": zstd,
    }
    data = compressions[suffix](lines()) + (bytes(3_000_000) if suffix in (".gz", ".bz2") else b"")
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(data)
    shard = shard_of(path)
    list(shard.chunks())
    assert shard.digests() == {str(path): xxhash.xxh3_128_hexdigest(data)}


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.txt.gz"])
def test_a_stream_that_is_not_read_to_its_end_has_no_digest(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(gzip.compress(lines())[:-4])
    shard = shard_of(tmp_path / name)
    with pytest.raises(UnreadableFileError):
        list(shard.chunks())
    assert shard.digests() == {}
    (tmp_path / name).write_bytes(gzip.compress(lines()))
    assert next(iter(shard.chunks()))
    assert len(shard.digests()) == name.startswith("a.txt")


@pytest.mark.parametrize("form", FORMS)
def test_stamps_tell_that_a_file_has_changed_or_is_gone(form: str, tmp_path: Path) -> None:
    shard = shard_of(FORMS[form](tmp_path))
    before = shard.stamps()
    assert json.loads(json.dumps(before)) == before == shard.stamps()
    assert [path for path, *_ in before] == [file["path"] for file in shard.files]
    path = Path(before[0][0])
    status = path.stat()
    assert before[0] == [str(path), status.st_size, status.st_mtime_ns]
    parts = shard.split(900)
    os.utime(path, ns=(1, 1))
    assert shard.stamps()[0] == [str(path), status.st_size, 1]
    assert [stamp for stamp in parts[0].stamps() if stamp not in before]
    if len(shard.files) == 1:
        assert all(part.stamps() == shard.stamps() for part in parts)
    path.unlink()
    with pytest.raises(CorpusError, match=f"{path.name}: No such file"):
        shard.stamps()


def test_labels_are_what_messages_call_shards(tmp_path: Path) -> None:
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


def test_what_is_no_file_has_no_stamps_and_no_digests() -> None:
    (shard,) = resolve("-")[0].shards
    assert shard.label
    assert (shard.stamps(), shard.digests(), shard.files) == ([], {}, [])
    assert shard.split(10) == [shard]


def test_a_table_that_cannot_be_read_is_one_part_whose_reading_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not a table PAR1")
    shard = shard_of(tmp_path / "a.parquet")
    assert shard.split(1) == [shard]
    with pytest.raises(UnreadableFileError, match="not a readable Parquet file"):
        list(shard.chunks())


def test_long_lines_over_many_parts_are_read_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    long = ["x" * chance.choice([1, 100, 200_000, 1_500_000]) for _ in range(12)]
    (tmp_path / "a.jsonl").write_bytes(lines(long))
    shard = shard_of(tmp_path / "a.jsonl")
    parts = shard.split(90_000)
    assert len(parts) > 12
    assert rows(parts) == rows([shard])
    assert [text for text, _ in rows(parts)] == long
