"""The same rows in every format that files can have."""

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
    """Return each row's text and place, reading the shards as another process would."""
    found: list[tuple[str, str]] = []
    for shard in shards:
        for chunk in pickle.loads(pickle.dumps(shard)).chunks():
            found += zip(texts(chunk), pickle.loads(pickle.dumps(chunk)).places(), strict=True)
    return found
