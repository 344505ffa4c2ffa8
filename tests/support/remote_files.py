"""The same rows in files of every format, to be served at URLs."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import portrait
from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from portrait.corpus.shards import Source


TEXTS = [f"{i}: {os.urandom(80).hex()} é🦀" for i in range(3000)]


TABLE = pa.table({"id": range(len(TEXTS)), "text": TEXTS})


def parquet() -> bytes:
    """Return the rows as a Parquet file in row groups of 500."""
    out = io.BytesIO()
    pq.write_table(TABLE, out, row_group_size=500)
    return out.getvalue()


def arrow() -> bytes:
    """Return the rows as an Arrow file in batches of 500."""
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


#: Names of the files that are read from their beginning to their end.
STREAMS = {name for name in FILES if name not in ("a.parquet", "a.arrow")}


def texts(source: Source) -> list[str]:
    """Return all texts of a source, read from pickled shards as another process would."""
    column = []
    for shard in source.shards:
        for chunk in pickle.loads(pickle.dumps(shard)).chunks():
            column += chunk.batch().texts.to_pylist()
    return [text.decode() if isinstance(text, bytes) else text for text in column]


def paths(source: Source) -> list[str]:
    """Return the paths of a source's files."""
    return [file.path for file in source.files]


def refused(location: str, error: type[portrait.PortraitError] = portrait.UnreadableFileError) -> str:
    """Read a location that must be refused, and return the error's message without the location."""
    with pytest.raises(portrait.PortraitError) as caught:
        texts(resolve(location)[0])
    assert caught.type is error
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{location}: ")
    return message.removeprefix(f"{location}: ")
