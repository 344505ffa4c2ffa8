"""Text that cannot be read: the file and the row are named in one line, and nothing is left behind."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import pickle
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import portrait
from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "A paragraph of sixty or seventy characters, which is enough for a window."
GOOD = json.dumps({"text": TEXT}).encode() + b"\n"


def zstd(data: bytes) -> bytes:
    frame: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return frame


@contextmanager
def refused(
    directory: Path, error: type[portrait.PortraitError] = portrait.CorpusError
) -> Iterator[list[str]]:
    """Collects the message of the error that the block raises, which leaves the directory as it was."""
    before = sorted(directory.iterdir())
    messages: list[str] = []
    with pytest.raises(error) as caught:
        yield messages
    assert caught.type is error
    messages.append(str(caught.value))
    assert "\n" not in messages[0]
    assert sorted(directory.iterdir()) == before


def message(
    sources: Any,
    directory: Path,
    error: type[portrait.PortraitError] = portrait.CorpusError,
    **options: Any,
) -> str:
    with refused(directory, error) as messages:
        portrait.build(sources, directory / "out.portrait", **options)
    return messages[0]


BAD_LINES = {
    "array": (b'["text"]', "a JSON array instead of an object"),
    "string": (b'"text"', "a JSON string instead of an object"),
    "number": (b"12", "a JSON number instead of an object"),
    "boolean": (b"true", "a JSON boolean instead of an object"),
    "plain text": (b"hello there", "not JSON"),
    "half an object": (b'{"text": "hel', "not JSON"),
    "two objects": (b'{"text": "a"} {"text": "b"}', "not JSON"),
    "bare line feed": (b'{"text": "a\nb"}', "not JSON"),
    "too deep": (b'{"text": ' + b"[" * 100_000, "not JSON"),
    "missing column": (b'{"body": "x", "id": 1}', "no column 'text', only body, id"),
    "no column": (b"{}", "no column 'text', only none"),
    "column of many lines": (b'{"te\\nxt": "x"}', "no column 'text', only"),
    "null text": (b'{"text": null}', "column 'text' holds null, not text"),
    "number text": (b'{"text": 5}', "column 'text' holds number, not text"),
    "boolean text": (b'{"text": false}', "column 'text' holds boolean, not text"),
    "array text": (b'{"text": ["x", ["y"]]}', "column 'text[1]' holds array, not text"),
    "object text": (b'{"text": {"text": "x"}}', "column 'text' holds object, not text"),
    "high surrogate": (b'{"text": "ab\\ud83d"}', "lone surrogate at character 2"),
    "low surrogate": (b'{"text": "ab\\ude00"}', "lone surrogate at character 2"),
    "surrogates swapped": (b'{"text": "ab\\ude00\\ud83d"}', "lone surrogate at character 2"),
    "invalid UTF-8": (b'{"text": "ab\xff"}', "not UTF-8 at byte 2"),
    "UTF-8 cut short": (b'{"text": "ab\xe2\x82"}', "not UTF-8 at byte 2"),
    "surrogate in UTF-8": (b'{"text": "ab\xed\xa0\x80"}', "not UTF-8 at byte 2"),
    "Latin-1": ("{'text': 'é'}".encode("latin-1"), "not UTF-8 at byte 10 of the line"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
@pytest.mark.parametrize("last", [True, False], ids=["last", "within"])
def test_a_bad_line_is_named(kind: str, last: bool, tmp_path: Path) -> None:
    line, what = BAD_LINES[kind]
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n" + GOOD + line + (b"" if last else b"\n" + GOOD))
    found = message(path, tmp_path, portrait.BadRowError)
    assert found.startswith(f"{path}, line 4: ")
    assert what in found


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"null", 1),
        (b"\n null\n" + GOOD, 2),
        (b"\xef\xbb\xbfnull\n", 1),
        (GOOD + b"null\n" + GOOD, 2),
        (GOOD + GOOD + b"null", 3),
    ],
    ids=["alone", "first", "behind a mark", "within", "last"],
)
def test_a_line_that_is_null_is_named(data: bytes, line: int, tmp_path: Path) -> None:
    # In a process of its own: Arrow's parser crashes on a null that comes first.
    (tmp_path / "a.jsonl").write_bytes(data)
    code = (
        "import portrait\n"
        "try: portrait.build('a.jsonl', 'out')\n"
        "except portrait.CorpusError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"a.jsonl, line {line}: a JSON null instead of an object\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("first", [b'{"text": null}\n', b'{"text": "\xff"}\n'])
def test_a_bad_line_behind_many_chunks_is_named(first: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    n_lines = 3 * (1 << 20) // len(GOOD)
    path.write_bytes(gzip.compress(GOOD * n_lines + b"\r\n \n" + first + GOOD * 9, 1))
    assert message(path, tmp_path, portrait.BadRowError).startswith(f"{path}, line {n_lines + 3}: ")


def test_a_bad_line_behind_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b'{"text": null}\n')
    assert message(path, tmp_path, portrait.BadRowError).startswith(f"{path}, line 2: ")


def test_the_named_column_is_the_one_that_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD)
    found = message(path, tmp_path, portrait.BadRowError, column="body")
    assert found == f"{path}, line 1: no column 'body', only text: choose one with --column"


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


def noise(n_bytes: int) -> bytes:
    """Lines that do not compress, so that damage lands in the middle of them."""
    rows = (json.dumps({"text": os.urandom(100).hex()}) for _ in range(n_bytes // 200))
    return "\n".join(rows).encode()


DATA = noise(400_000)
WRONG_CHECKSUM = bytearray(gzip.compress(DATA))
WRONG_CHECKSUM[-8] ^= 1
INVALID_BLOCK = gzip.compress(GOOD)[:10] + b"\xff" * 40

DAMAGED_FILES = {
    "gzip, truncated": (".gz", gzip.compress(DATA)[:-4000], "truncated"),
    "gzip, trailer missing": (".gz", gzip.compress(DATA)[:-8], "truncated"),
    "gzip, header only": (".gz", gzip.compress(DATA)[:10], "truncated"),
    "gzip, header cut": (".gz", gzip.compress(DATA)[:5], "truncated"),
    "gzip, not gzip": (".gz", GOOD, "Not a gzipped file"),
    "gzip, invalid block": (".gz", INVALID_BLOCK, "damaged"),
    "gzip, wrong checksum": (".gz", bytes(WRONG_CHECKSUM), "CRC"),
    "gzip, second member truncated": (".gz", gzip.compress(GOOD) + gzip.compress(DATA)[:-9], "truncated"),
    "bzip2, truncated": (".bz2", bz2.compress(DATA)[:-4000], "truncated"),
    "bzip2, damaged": (".bz2", bz2.compress(DATA)[:2000] + bytes(3000), "damaged"),
    "bzip2, none": (".bz2", DATA, "damaged"),
    "xz, truncated": (".xz", lzma.compress(DATA)[:-4000], "truncated"),
    "xz, damaged": (".xz", lzma.compress(DATA)[:2000] + bytes(30000), "damaged"),
    "xz, none": (".xz", DATA, "damaged"),
    "zstd, truncated": (".zst", zstd(DATA)[:-4000], "Truncated"),
    "zstd, last byte missing": (".zst", zstd(DATA)[:-1], "Truncated"),
    "zstd, header cut": (".zst", zstd(DATA)[:3], "Truncated"),
    "zstd, not zstd": (".zst", GOOD, "ZSTD"),
    "zstd, second frame truncated": (".zst", zstd(GOOD) + zstd(DATA)[:-9], "Truncated"),
}


@pytest.mark.parametrize("kind", DAMAGED_FILES)
@pytest.mark.parametrize("stem", ["a.jsonl", "a.txt", "a.csv"])
def test_a_damaged_compressed_file_is_named(kind: str, stem: str, tmp_path: Path) -> None:
    suffix, data, what = DAMAGED_FILES[kind]
    path = tmp_path / (stem + suffix)
    path.write_bytes(data)
    found = message(path, tmp_path, portrait.UnreadableFileError)
    assert found.startswith(f"{path}: ")
    assert what in found
    if stem == "a.jsonl":
        assert "from line " in found


def test_a_truncated_file_is_named_with_the_line_it_breaks_at(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    whole, rest = b'{"text": "x"}\n' * 500_000, noise(100_000)
    # A full flush between the two, so that all of the first can be read and none of the second.
    path.write_bytes(gzip.compress(whole) + gzip.compress(rest)[:11])
    found = message(path, tmp_path, portrait.UnreadableFileError)
    line = int(found.rpartition("from line ")[2].split()[0])
    n_lines_a_chunk = (1 << 20) // 14 + 1
    assert 500_001 - n_lines_a_chunk <= line <= 500_001


def invalid_strings() -> pa.Array:
    data = TEXT.encode() + b"ab\xff" + TEXT.encode()
    n = len(TEXT)
    offsets = pa.array([0, n, n + 3, 2 * n + 3], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(data)])


@pytest.mark.parametrize(
    ("texts", "place", "what"),
    [
        (pa.array([TEXT, None, TEXT]), ", row 2: ", "null"),
        (pa.array([TEXT, TEXT, None]).dictionary_encode(), ", row 3: ", "null"),
        (pa.array([TEXT, TEXT, None], pa.large_string()), ", row 3: ", "null"),
        (invalid_strings(), ", row 2: ", "not UTF-8 at byte 2"),
        (pa.array([b"x", b"y", b"z"]), ": ", "column 'text' is binary, not text"),
        (pa.array([1, 2, 3]), ": ", "column 'text' is int64, not text"),
        (pa.array([None, None, None]), ": ", "column 'text' is null, not text"),
        (pa.array([[1], [2], [3]]), ": ", "column 'text' is list<"),
        (pa.array([1, 2, 1]).dictionary_encode(), ": ", "column 'text' is int64, not text"),
    ],
    ids=["null", "dictionary null", "large null", "UTF-8", "binary", "number", "nulls", "list", "dictionary"],
)
@pytest.mark.parametrize("row_group_size", [None, 1], ids=["one row group", "many row groups"])
def test_a_bad_row_of_a_parquet_file_is_named(
    texts: Any, place: str, what: str, row_group_size: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": texts}), path, row_group_size=row_group_size)
    found = message(path, tmp_path, portrait.BadRowError if "row" in place else portrait.CorpusError)
    assert found.startswith(f"{path}{place}")
    assert what in found


def test_a_column_that_a_parquet_file_lacks_is_named_with_those_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["x"], "id": [1]}), path)
    found = message(path, tmp_path)
    assert found == f"{path}: no column 'text', only body, id: choose one with --column"


def parquet_bytes(directory: Path) -> bytes:
    path = directory / "whole.parquet"
    texts = [os.urandom(50).hex() for _ in range(2000)]
    pq.write_table(pa.table({"text": texts}), path, compression="gzip", row_group_size=500)
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "head only", "no head", "damaged page"])
def test_a_file_that_is_not_parquet_is_named(kind: str, tmp_path: Path) -> None:
    whole = parquet_bytes(tmp_path)
    path = tmp_path / "a.parquet"
    data = {
        "text": GOOD * 10,
        "empty": b"",
        "truncated": whole[:-1000],
        "head only": whole[:4],
        "no head": whole[4:],
        "damaged page": whole[:20_000] + bytes(20_000) + whole[40_000:],
    }[kind]
    path.write_bytes(data)
    assert message(path, tmp_path, portrait.UnreadableFileError).startswith(
        f"{path}: not a readable Parquet file: "
    )


def arrow_bytes(column: Any, *, streamed: bool = False) -> bytes:
    """Noise that nothing compresses, in batches of a hundred rows."""
    table = pa.table({"text": column})
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if streamed else pa.ipc.new_file)(sink, table.schema) as file:
        file.write_table(table, 100)
    data: bytes = sink.getvalue().to_pybytes()
    return data


TEXTS = [os.urandom(50).hex() for _ in range(2000)]


@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "head only", "damaged", "old feather"])
def test_a_file_that_is_not_arrow_is_named(kind: str, streamed: bool, tmp_path: Path) -> None:
    whole = arrow_bytes(TEXTS, streamed=streamed)
    path = tmp_path / "a.arrow"
    path.write_bytes(
        {
            "text": GOOD * 10,
            "empty": b"",
            "truncated": whole[:-1000],
            "head only": whole[:6],
            "damaged": whole[:20_000] + b"\xfe" * 20_000 + whole[40_000:],
            "old feather": b"FEA1" + bytes(1000) + b"FEA1",
        }[kind]
    )
    found = message(path, tmp_path, portrait.UnreadableFileError)
    assert found.startswith(
        f"{path}: a Feather file" if "old" in kind else f"{path}: not a readable Arrow file: "
    )


@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
@pytest.mark.parametrize("nested", [False, True], ids=["plain", "struct"])
def test_an_arrow_file_whose_offsets_lead_out_of_it_is_named(
    streamed: bool, nested: bool, tmp_path: Path
) -> None:
    offsets = pa.array([0, 3, 1 << 30, 6], pa.int32()).buffers()[1]
    texts = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"abcdef")])
    column = pa.StructArray.from_arrays([texts], ["text"]) if nested else texts
    path = tmp_path / "a.arrow"
    path.write_bytes(arrow_bytes(column, streamed=streamed))
    found = message(path, tmp_path, portrait.UnreadableFileError, column="text.text" if nested else "text")
    assert found.startswith(f"{path}: not a readable Arrow file: ")


@pytest.mark.parametrize(
    ("texts", "place", "what"),
    [
        (pa.array([TEXT, None, TEXT]), ", row 2: ", "null"),
        (invalid_strings(), ", row 2: ", "not UTF-8 at byte 2"),
        (pa.array([1, 2, 3]), ": ", "column 'text' is int64, not text"),
    ],
    ids=["null", "UTF-8", "number"],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
def test_a_bad_row_of_an_arrow_file_is_named(
    texts: Any, place: str, what: str, streamed: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(arrow_bytes(texts, streamed=streamed))
    found = message(path, tmp_path, portrait.BadRowError if "row" in place else portrait.CorpusError)
    assert found.startswith(f"{path}{place}")
    assert what in found


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as sink:
        sink.write_table(table)
    (tmp_path / "a.csv").write_text("text,text\na,b\n")
    for path in sorted(tmp_path.iterdir()):
        assert message(path, tmp_path) == f"{path}: there are two columns 'text': rename one"


@pytest.mark.parametrize(
    ("data", "row", "what"),
    [
        (b"id,text\n1,a\n2\n3,b\n", 2, "1 fields where the header has 2"),
        (b"id,text\n1,a,b\n", 1, "3 fields where the header has 2"),
        (b'id,text\n\n1,"a\n\nb"\n\n2,c\n3,d,e', 3, "3 fields where the header has 2"),
        (b"id,text\r\n1,ok\r\n2,ab\xff\r\n3,ok", 2, "not UTF-8 at byte 2"),
        (b"id,text\n1,long enough\n2,\xff\n", 2, "not UTF-8 at byte 0"),
        (b"id,text\n" + b"1,ok\n" * 5_000_000 + b"x\n", 5_000_001, "1 fields where the header has 2"),
    ],
    ids=["too few", "too many", "behind line feeds", "UTF-8", "UTF-8, last", "behind many"],
)
def test_a_bad_row_of_delimited_text_is_named(data: bytes, row: int, what: str, tmp_path: Path) -> None:
    for name, content in (("a.csv", data), ("a.tsv", data.replace(b",", b"\t"))):
        (tmp_path / name).write_bytes(content)
        found = message(tmp_path / name, tmp_path, portrait.BadRowError)
        assert found.startswith(f"{tmp_path / name}, row {row}: ")
        assert what in found


def test_bad_rows_of_delimited_text_can_be_told_from_the_good_ones_around_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    bad = {3, 4, 9, 17, 20}
    rows = [f"{i}" if i in bad else f"{i},text {i}" for i in range(1, 21)]
    path.write_text("\n".join(["id,text", *rows]))
    (chunk,) = resolve(path)[0].shards[0].chunks()
    assert (chunk.n_rows, len(chunk.places())) == (20, 20)
    found, refused = {}, {}
    for i in range(20):
        one = pickle.loads(pickle.dumps(chunk.slice(i, i + 1)))
        (place,) = one.places()
        assert (place, one.n_rows) == (f"{path}:{i + 1}", 1)
        try:
            (found[i + 1],) = one.batch().texts.to_pylist()
        except portrait.BadRowError as error:
            refused[i + 1] = str(error)
    assert found == {i: f"text {i}" for i in range(1, 21) if i not in bad}
    assert refused.keys() == bad
    assert all(text.startswith(f"{path}, row {i}: ") for i, text in refused.items())
    assert chunk.slice(4, 8).batch().texts.to_pylist() == [f"text {i}" for i in range(5, 9)]
    with pytest.raises(portrait.BadRowError, match="row 9"):
        chunk.slice(4, 10).batch()


@pytest.mark.parametrize(
    ("data", "error", "what"),
    [
        (b"body,id\nx,1\n", portrait.CorpusError, "no column 'text', only body, id: choose one"),
        (b"te\xffxt,text\na,b\n", portrait.UnreadableFileError, "the header is not UTF-8"),
        (b'text\n"' + b"x" * (40 << 20), portrait.UnreadableFileError, "a row is larger than 16 MB"),
        (b"text\n" + b"x" * (40 << 20), portrait.UnreadableFileError, "a row is larger than 16 MB"),
        (b"x" * (1 << 20), portrait.UnreadableFileError, "no header can be read"),
    ],
    ids=["no column", "header", "quote", "large row", "no header"],
)
def test_delimited_text_that_is_no_table_is_named(
    data: bytes, error: type[portrait.PortraitError], what: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    found = message(path, tmp_path, error)
    assert found.startswith(f"{path}: ")
    assert what in found


@pytest.mark.parametrize(
    ("rows", "place", "what"),
    [
        ([{"text": "x"}, {"text": None}], ", row 2: ", "null"),
        ([{"text": 1}], ": ", "column 'text' is int64, not text"),
        ([{"body": "x"}], ": ", "no column 'text', only body"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_bad_row_of_a_dataset_is_named(
    rows: list[dict[str, Any]], place: str, what: str, streamed: bool, tmp_path: Path
) -> None:
    dataset = datasets.Dataset.from_list(rows)
    error = portrait.BadRowError if "row" in place else portrait.CorpusError
    found = message(dataset.to_iterable_dataset() if streamed else dataset, tmp_path, error)
    assert found.startswith(f"dataset{place}")
    assert what in found


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
@pytest.mark.parametrize(
    "name", ["a.txt", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a.arrow", "a.csv"]
)
def test_a_file_that_may_not_be_read_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(GOOD)
    path.chmod(0)
    found = message(path, tmp_path, portrait.UnreadableFileError)
    assert found.startswith(f"{path}: ")
    assert "Permission denied" in found


def empty_files(directory: Path) -> None:
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
    empty_files(tmp_path)
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


@pytest.mark.parametrize("sources", [[], {}], ids=["list", "mapping"])
def test_no_source_at_all_is_refused(sources: Any, tmp_path: Path) -> None:
    assert "no source given" in message(sources, tmp_path)
