"""The same rows in files of every format."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from portrait.corpus.resolve import resolve
from support.documents import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from portrait.corpus.shards import Chunk, Shard


N_ROWS = 400


TEXTS = [f"{i}: {'é🦀 text ' * (i % 7)}" for i in range(N_ROWS)]


def lines(texts: Sequence[str] = TEXTS) -> bytes:
    """Return the texts as JSON lines, with some blank lines between them."""
    return "".join(
        "\n" * (i % 3 == 1) + json.dumps({"text": text}) + "\n" for i, text in enumerate(texts)
    ).encode()


def parquet(path: Path) -> None:
    """Write the rows to a Parquet file in row groups of 30."""
    pq.write_table(pa.table({"id": range(N_ROWS), "text": TEXTS}), path, row_group_size=30)


def writer(name: str, content: Callable[[], bytes]) -> Callable[[Path], Path]:
    """Return a function that writes a file of this name and content to a directory, and returns its path."""

    def write(directory: Path) -> Path:
        (directory / name).write_bytes(content())
        return directory / name

    return write


def plain(directory: Path) -> Path:
    """Write 41 texts to text files, one of them compressed, and return the directory."""
    for i, text in enumerate(TEXTS[:40]):
        (directory / f"{i:03}.txt").write_text(text)
    (directory / "040.txt.gz").write_bytes(gzip.compress(TEXTS[40].encode()))
    return directory


def table(directory: Path) -> Path:
    """Write the rows to a Parquet file, and return its path."""
    parquet(directory / "a.parquet")
    return directory / "a.parquet"


def arrow(directory: Path, *, streamed: bool = False) -> Path:
    """Write the rows to an Arrow file or stream in batches of 30, and return its path."""
    rows = pa.table({"id": range(N_ROWS), "text": TEXTS})
    path = directory / "a.arrow"
    with (pa.ipc.new_stream if streamed else pa.ipc.new_file)(str(path), rows.schema) as sink:
        sink.write_table(rows, 30)
    return path


def delimited() -> bytes:
    """Return the rows as CSV."""
    return ("text,id\n" + "".join(f'"{text}",{i}\n' for i, text in enumerate(TEXTS))).encode()


#: Writers of files that only one task can read.
WHOLE: dict[str, Callable[[Path], Path]] = {
    "jsonl.gz": writer("a.jsonl.gz", lambda: gzip.compress(lines())),
    "jsonl.zst": writer("a.jsonl.zst", lambda: zstd(lines())),
    "jsonl.bz2": writer("a.jsonl.bz2", lambda: bz2.compress(lines())),
    "arrow stream": partial(arrow, streamed=True),
    "csv": writer("a.csv", delimited),
    "csv.gz": writer("a.csv.gz", lambda: gzip.compress(delimited())),
    "tsv": writer("a.tsv", lambda: delimited().replace(b",", b"\t")),
    "jsonl.xz": writer("a.jsonl.xz", lambda: lzma.compress(lines())),
}


#: Writers of files that several tasks can share.
DIVISIBLE: dict[str, Callable[[Path], Path]] = {
    "jsonl": writer("a.jsonl", lines),
    "jsonl, no last line feed": writer("a.jsonl", lambda: lines()[:-1]),
    "jsonl, byte-order mark": writer("a.jsonl", lambda: b"\xef\xbb\xbf" + lines()),
    "txt": plain,
    "parquet": table,
    "arrow": arrow,
}


FORMS = WHOLE | DIVISIBLE


def shard_of(path: Path) -> Shard:
    """Return the only shard of a path."""
    (source,) = resolve(path)
    (shard,) = source.shards
    return shard


def texts(chunk: Chunk) -> list[str]:
    """Return the texts of a chunk."""
    column = chunk.batch().texts.to_pylist()
    return [text.decode() if isinstance(text, bytes) else text for text in column]


def rows(shards: Iterable[Shard]) -> list[tuple[str, str]]:
    """Return each row's text and place, reading the shards as another process would."""
    texts_and_places: list[tuple[str, str]] = []
    for shard in shards:
        for chunk in pickle.loads(pickle.dumps(shard)).chunks():
            texts_and_places += zip(texts(chunk), pickle.loads(pickle.dumps(chunk)).places(), strict=True)
    return texts_and_places
