"""Documents in every format and container: the portrait is the same, to the byte."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pyarrow.feather as pf
import pyarrow.parquet as pq
import pytest
from support.documents import DOCUMENTS, built, lines, plain, zstd

import portrait
from portrait.corpus.provenance import skipped_rows
from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer


Write = Callable[[Path, Sequence[str]], Any]


def file(name: str, content: Callable[[Sequence[str]], bytes]) -> Write:
    """Return a writer of one file with this content."""

    def write(directory: Path, texts: Sequence[str]) -> Path:
        (directory / name).write_bytes(content(texts))
        return directory / name

    return write


def members(compress: Callable[[bytes], bytes]) -> Callable[[Sequence[str]], bytes]:
    """Return JSON lines compressed in separate members, which end in the middle of lines."""

    def content(texts: Sequence[str]) -> bytes:
        data = lines(texts)
        return b"".join(compress(data[i : i + 100]) for i in range(0, len(data), 100))

    return content


def plain_with_marks(directory: Path, texts: Sequence[str]) -> Path:
    """Write a file for each text, with a byte-order mark."""
    for i, text in enumerate(texts):
        (directory / f"{i:02}.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    return directory


def plain_compressed(directory: Path, texts: Sequence[str]) -> Path:
    """Write a file for each text, compressed with gzip or zstd."""
    for i, text in enumerate(texts):
        if i % 2:
            (directory / f"{i:02}.txt.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (directory / f"{i:02}.txt.zst").write_bytes(zstd(text.encode()))
    return directory


def parquet(column_type: Any, row_group_size: int | None = None) -> Write:
    """Return a writer of a Parquet file whose texts have this type."""

    def write(directory: Path, texts: Sequence[str]) -> Path:
        column = pa.array(texts, pa.large_string()).cast(column_type)
        table = pa.table({"id": pa.array(range(len(texts))), "text": column})
        pq.write_table(table, directory / "table.parquet", row_group_size=row_group_size)
        return directory / "table.parquet"

    return write


def arrow(name: str, column_type: Any, *, streamed: bool = False, **options: Any) -> Write:
    """Return a writer of an Arrow file or stream in record batches of two rows."""

    def write(directory: Path, texts: Sequence[str]) -> Path:
        column = pa.array(texts, pa.large_string()).cast(column_type)
        table = pa.table({"id": pa.array(range(len(texts))), "text": column})
        create = pa.ipc.new_stream if streamed else pa.ipc.new_file
        with create(str(directory / name), table.schema, options=pa.ipc.IpcWriteOptions(**options)) as sink:
            sink.write_table(table, 2)
        return directory / name

    return write


def feather(compression: str) -> Write:
    """Return a writer of a Feather file."""

    def write(directory: Path, texts: Sequence[str]) -> Path:
        table = pa.table({"text": list(texts), "id": range(len(texts))})
        pf.write_feather(table, str(directory / "a.feather"), compression=compression, chunksize=3)
        return directory / "a.feather"

    return write


def delimited(texts: Sequence[str], *, delimiter: str = ",", end: str = "\r\n") -> bytes:
    """Return delimited text, quoted only where necessary."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, delimiter=delimiter, lineterminator=end)
    rows.writerow(["id", "text", "more"])
    rows.writerows((i, text, "x") for i, text in enumerate(texts))
    return out.getvalue().encode()


def several(directory: Path, texts: Sequence[str]) -> list[Path]:
    """Write files of several formats, in another order than the texts, among empty files."""
    (directory / "z.jsonl").write_bytes(lines(texts[:2]))
    (directory / "y.jsonl.gz").write_bytes(gzip.compress(lines(texts[2:4])))
    pq.write_table(pa.table({"text": list(texts[4:])}), directory / "a.parquet")
    (directory / "b.jsonl").write_bytes(b"")
    (directory / "c.jsonl.gz").write_bytes(gzip.compress(b""))
    (directory / "d.jsonl.zst").write_bytes(zstd(b""))
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), directory / "e.parquet")
    return [directory / "z.jsonl", directory / "a.parquet", directory]


def dataset(_: Path, texts: Sequence[str]) -> datasets.Dataset:
    return datasets.Dataset.from_list([{"id": i, "text": text} for i, text in enumerate(texts)])


def stream(directory: Path, texts: Sequence[str]) -> datasets.IterableDataset:
    return dataset(directory, texts).to_iterable_dataset()


def generator(_: Path, texts: Sequence[str]) -> datasets.IterableDataset:
    """Return a stream whose columns are unknown before it is read."""

    def rows() -> Any:
        yield from ({"text": text} for text in texts)

    result = datasets.IterableDataset.from_generator(rows)
    assert result.column_names is None
    return result


def selection(directory: Path, texts: Sequence[str]) -> Any:
    """Return a dataset in two parts, one of them reversed, so that Arrow offsets and indices matter."""
    whole = dataset(directory, [*texts, "not this one, which must leave no trace in the portrait whatever"])
    n = len(texts)
    return [whole.select(range(n - 1, 2, -1)), whole.select(range(3))]


def mixed_rows(texts: Sequence[str]) -> bytes:
    """Return JSON lines with blank lines between them and other members of changing types."""
    others = [1, "x", None, [1, {"text": "no"}], {"text": "neither"}, 2.5, True]
    rows = [
        json.dumps({"meta": other, "text": text, "last": i})
        for i, (other, text) in enumerate(zip(others, texts, strict=True))
    ]
    return ("\n \n\t\r\n" + "\n\n  ".join(rows)).encode()


FORMS: dict[str, Write] = {
    "txt with byte-order marks": plain_with_marks,
    "txt, compressed": plain_compressed,
    "jsonl": file("a.jsonl", lines),
    "ndjson": file("a.ndjson", lines),
    "json, named": file("a.json", lines),
    "jsonl, not escaped": file("a.jsonl", lambda texts: lines(texts, ascii_only=False)),
    "jsonl, carriage returns": file("a.jsonl", lambda texts: lines(texts, end="\r\n")),
    "jsonl, byte-order mark": file("a.jsonl", lambda texts: b"\xef\xbb\xbf" + lines(texts)),
    "jsonl, no last line feed": file("a.jsonl", lambda texts: lines(texts)[:-1]),
    "jsonl, blank lines": file("a.jsonl", lambda texts: b"\n\n \r\n" + lines(texts, end="\n\n\t\n")),
    "jsonl, mixed rows": file("a.jsonl", mixed_rows),
    "jsonl.gz": file("a.jsonl.gz", lambda texts: gzip.compress(lines(texts))),
    "jsonl.gz, several members": file("a.jsonl.gz", members(gzip.compress)),
    "jsonl.gz, padded": file("a.jsonl.gz", lambda texts: gzip.compress(lines(texts)) + bytes(512)),
    "jsonl.bz2": file("a.jsonl.bz2", lambda texts: bz2.compress(lines(texts))),
    "jsonl.bz2, several streams": file("a.jsonl.bz2", members(bz2.compress)),
    "jsonl.xz": file("a.jsonl.xz", lambda texts: lzma.compress(lines(texts))),
    "jsonl.xz, several streams": file("a.jsonl.xz", members(lzma.compress)),
    "jsonl.zst": file("a.jsonl.zst", lambda texts: zstd(lines(texts))),
    "jsonl.zst, several frames": file("a.jsonl.zst", members(zstd)),
    "parquet": parquet(pa.string()),
    "parquet, large strings": parquet(pa.large_string()),
    "parquet, string views": parquet(pa.string_view()),
    "parquet, dictionary": parquet(pa.dictionary(pa.int32(), pa.string())),
    "parquet, dictionary of large strings": parquet(pa.dictionary(pa.int8(), pa.large_string())),
    "parquet, one row a row group": parquet(pa.string(), row_group_size=1),
    "arrow": arrow("a.arrow", pa.string()),
    "arrow, large strings": arrow("a.ipc", pa.large_string()),
    "arrow, string views": arrow("a.arrow", pa.string_view()),
    "arrow, dictionary": arrow("a.arrow", pa.dictionary(pa.int8(), pa.string()), unify_dictionaries=True),
    "arrow, compressed": arrow("a.arrow", pa.string(), compression="lz4"),
    "arrow stream": arrow("a.arrow", pa.string(), streamed=True),
    "arrow stream, compressed": arrow("a.arrow", pa.string(), streamed=True, compression="zstd"),
    "arrow stream, dictionary": arrow("a.arrow", pa.dictionary(pa.int8(), pa.string()), streamed=True),
    "feather": feather("uncompressed"),
    "feather, lz4": feather("lz4"),
    "feather, zstd": feather("zstd"),
    "csv": file("a.csv", delimited),
    "csv, line feeds": file("a.csv", lambda texts: delimited(texts, end="\n")),
    "csv, byte-order mark": file("a.csv", lambda texts: b"\xef\xbb\xbf" + delimited(texts)),
    "csv, no last line feed": file("a.csv", lambda texts: delimited(texts)[:-2]),
    "csv.gz": file("a.csv.gz", lambda texts: gzip.compress(delimited(texts))),
    "csv.zst": file("a.csv.zst", lambda texts: zstd(delimited(texts))),
    "csv.bz2": file("a.csv.bz2", lambda texts: bz2.compress(delimited(texts))),
    "csv.xz": file("a.csv.xz", lambda texts: lzma.compress(delimited(texts))),
    "tsv": file("a.tsv", lambda texts: delimited(texts, delimiter="\t")),
    "tsv.gz": file("a.tsv.gz", lambda texts: gzip.compress(delimited(texts, delimiter="\t"))),
    "several files": several,
    "dataset": dataset,
    "dataset, in two parts": selection,
    "iterable dataset": stream,
    "iterable dataset, columns unknown": generator,
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layer, bytes]:
    """The layer and the shard of a portrait of the documents as text files."""
    directory = tmp_path_factory.mktemp("reference")
    return built(plain(directory, DOCUMENTS), directory / "out")


@pytest.mark.parametrize("form", FORMS)
def test_the_same_documents_give_the_same_layer(
    form: str, tmp_path: Path, reference: tuple[Layer, bytes]
) -> None:
    (tmp_path / "in").mkdir()
    assert built(FORMS[form](tmp_path / "in", DOCUMENTS), tmp_path / "out") == reference


def test_the_reference_holds_every_document(reference: tuple[Layer, bytes]) -> None:
    layer, _ = reference
    assert layer.documents == len(DOCUMENTS)
    assert layer.short_documents == 2
    assert layer.text_bytes == sum(len(text.encode()) for text in DOCUMENTS)


SPECIAL = ["a NUL \0 inside a text that is long enough to store a window or two", "\0", "😀" * 60, "\u2028"]


@pytest.mark.parametrize("escaped", [True, False])
def test_escapes_are_decoded(escaped: bool, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": SPECIAL}), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_bytes(lines(SPECIAL, ascii_only=escaped))
    expected = built(tmp_path / "a.parquet", tmp_path / "1")
    assert built(tmp_path / "a.jsonl", tmp_path / "2") == expected
    assert built(datasets.Dataset.from_dict({"text": SPECIAL}), tmp_path / "3") == expected


def test_another_column_can_hold_the_text(tmp_path: Path, reference: tuple[Layer, bytes]) -> None:
    rows = [{"text": 7, "a.b c": text} for text in DOCUMENTS]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    sources = [tmp_path / "a.jsonl", tmp_path / "a.parquet", datasets.Dataset.from_list(rows)]
    for i, source in enumerate(sources):
        layers = portrait.build(source, tmp_path / f"{i}", column="a.b c").manifest.layers
        assert layers == (reference[0],)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    # As a shell's <(command) passes it: no size, no position, and readable only once.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for format_, data in (("jsonl", b'{"text": "one"}\n{"text": "two"}\n'), ("txt", b"one and two")):
        with ThreadPoolExecutor() as writer:
            written = writer.submit(pipe.write_bytes, data)
            (source,) = resolve(str(pipe), column="text", format=format_)  # type: ignore[arg-type]
            assert source.n_bytes is None
            texts = [
                text
                for shard in source.shards
                for chunk in shard.chunks()
                for text in chunk.batch().texts.to_pylist()
            ]
            assert written.result() == len(data)
        assert [text if isinstance(text, str) else text.decode() for text in texts] == (
            ["one", "two"] if format_ == "jsonl" else ["one and two"]
        )


# --- The largest document -------------------------------------------------------------------------------


#: The documents, one of which is larger than the limit.
LARGE = [*DOCUMENTS[:3], "é" * 501, *DOCUMENTS[4:]]
LIMIT_BYTES = 1000


def dictionary(directory: Path, texts: Sequence[str]) -> Path:
    """Write an Arrow file whose texts are values of a dictionary."""
    table = pa.table({"text": pa.array(texts).dictionary_encode()})
    with pa.ipc.new_file(str(directory / "dictionary.arrow"), table.schema) as sink:
        sink.write_table(table)
    return directory / "dictionary.arrow"


@pytest.mark.parametrize("name", [*FORMS, "dictionary"])
def test_a_document_above_the_limit_is_named_or_left_out(name: str, tmp_path: Path) -> None:
    write = {**FORMS, "dictionary": dictionary}[name]
    (tmp_path / "in").mkdir()
    source = write(tmp_path / "in", LARGE)
    out = tmp_path / "out.portrait"
    with pytest.raises(portrait.CorpusError) as caught:
        portrait.build(source, out, max_document_bytes=LIMIT_BYTES)
    assert " of more than 1,000 bytes: leave it out, or raise the limit" in str(caught.value)
    assert caught.value.parameter == "max_document_bytes"
    assert not out.exists()
    left = portrait.build(source, out, max_document_bytes=LIMIT_BYTES, on_error="skip")
    whole = portrait.build(source, tmp_path / "whole.portrait", max_document_bytes=LIMIT_BYTES + 2)
    assert [one.manifest.layers[0].documents for one in (left, whole)] == [len(LARGE) - 1, len(LARGE)]
    n_rows, n_files = skipped_rows(left.manifest.corpus)
    assert n_rows + n_files == 1
