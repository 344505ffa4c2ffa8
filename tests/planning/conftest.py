"""A real corpus as files of every format."""

from __future__ import annotations

import gzip
import json
import random
import sysconfig
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the standard library, in no order, as files of every format."""
    where = tmp_path_factory.mktemp("corpus")
    library = Path(sysconfig.get_path("stdlib"))
    names = sorted([*library.glob("*.py"), *library.glob("[a-l]*/*.py"), *library.glob("test/test_*.py")])
    random.Random(3).shuffle(names)
    texts = [text for name in names[:1200] if (text := _text(name))]
    (where / "txt").mkdir()
    for i, text in enumerate(texts):
        (where / "txt" / f"{i:04}.txt").write_text(text)
    third = len(texts) // 3
    rows = [json.dumps({"text": text, "set": "odd" if i % 2 else "even"}) for i, text in enumerate(texts)]
    (where / "all.jsonl").write_text("\n".join(rows))
    (where / "gz").mkdir()
    for i in range(3):
        part = "".join(f"{row}\n" for row in rows[i * third : (i + 1) * third]).encode()
        (where / "gz" / f"{i}.jsonl.gz").write_bytes(gzip.compress(part))
    table = pa.table({"text": texts, "set": ["odd" if i % 2 else "even" for i in range(len(texts))]})
    pq.write_table(table, where / "all.parquet", compression="zstd", row_group_size=50)
    pq.write_table(table.slice(0, third), where / "third.parquet", compression="none")
    return where


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").replace("\0", "")
    except UnicodeDecodeError:
        return ""
