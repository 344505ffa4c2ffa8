"""Asking every row of a data set on one core, reading and writing included, filter of 50 MB.

Rows of 4 kB out of JSON lines and Parquet. The bound is the kernel's part of it: the same texts, held in
memory, asked of the same filter one after the other, and nothing concluded or written.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from common import best_seconds, report, stdlib_texts

import portrait
from portrait.scanning import scan_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT_BYTES = 40_000_000
ROW_BYTES = 4000
#: So much random text makes a filter of 50 MB.
CORPUS_BYTES = 960_000_000


def corpus() -> Iterator[dict[str, Any]]:
    dice = random.Random(5)
    document_bytes = 4_000_000
    for _ in range(CORPUS_BYTES // document_bytes):
        yield {"text": dice.randbytes(document_bytes // 2).hex()}


if __name__ == "__main__":
    whole = [text.decode() for text in stdlib_texts(TEXT_BYTES)]
    texts = [text[i : i + ROW_BYTES] for text in whole for i in range(0, len(text), ROW_BYTES)]
    n_bytes = sum(map(len, texts))
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch)
        rows = datasets.IterableDataset.from_generator(corpus)
        asked = portrait.build(rows, where / "corpus.portrait")
        (shard,) = asked.manifest.layers[0].shards
        with (where / "rows.jsonl").open("w") as file:
            for i, text in enumerate(texts):
                file.write(json.dumps({"id": f"row {i}", "text": text}) + "\n")
        pq.write_table(
            pa.table({"id": [f"row {i}" for i in range(len(texts))], "text": texts}), where / "rows.parquet"
        )

        def kernel() -> None:
            for text in texts:
                asked.evidence(text)

        bound = best_seconds(kernel)
        for source in ("rows.jsonl", "rows.parquet"):
            for keep in ((), ("id",)):

                def scan(source: str = source, keep: tuple[str, ...] = keep) -> None:
                    scan_rows([asked], where / source, where / "found.jsonl", keep=keep, overwrite=True)

                seconds = best_seconds(scan)
                share = f"{bound / seconds:.2f} of it reached"
                report(
                    f"{source}, {shard.bytes / 1e6:.0f} MB filter" + (", an id kept" if keep else ""),
                    f"{n_bytes / seconds / 1e6:.0f} MB/s",
                    ">= 45 MB/s",
                    f"the look-ups alone at {n_bytes / bound / 1e6:.0f} MB/s, {share}",
                )
