"""Asking a filter of 50 MB about every row of a dataset, on one core, reading and writing included.

The rows, of 4 kB, are read from JSON lines and from Parquet: ASCII with `spaces`, many scripts with `loose`.
The bound is scanning the same texts from memory against the same filter, one after the other, without
drawing a verdict or writing.
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
from common import best_seconds, mixed_texts, report, stdlib_texts

import portrait
from portrait.scanning.scan import scan_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.spec import NormalizerName

TEXT_BYTES = 40_000_000
ROW_BYTES = 4000
#: The amount of random text that makes a filter of 50 MB.
CORPUS_BYTES = 1_088_000_000


def corpus() -> Iterator[dict[str, Any]]:
    dice = random.Random(5)
    document_bytes = 4_000_000
    for _ in range(CORPUS_BYTES // document_bytes):
        yield {"text": dice.randbytes(document_bytes // 2).hex()}


def write(where: Path, texts: list[str]) -> None:
    """Write the same rows as JSON lines and as Parquet."""
    with (where / "rows.jsonl").open("w") as file:
        for i, text in enumerate(texts):
            file.write(json.dumps({"id": f"row {i}", "text": text}, ensure_ascii=False) + "\n")
    columns = {"id": [f"row {i}" for i in range(len(texts))], "text": texts}
    pq.write_table(pa.table(columns), where / "rows.parquet")


def measure(normalizer: NormalizerName, texts: list[bytes], target: str) -> None:
    """Scan ``texts``, in rows of :data:`ROW_BYTES`, against a portrait of random text."""
    rows = [text[i : i + ROW_BYTES] for text in texts for i in range(0, len(text), ROW_BYTES)]
    decoded = [row.decode(errors="ignore") for row in rows]
    n_bytes = sum(map(len, rows))
    with tempfile.TemporaryDirectory() as scratch:
        where = Path(scratch)
        source = datasets.IterableDataset.from_generator(corpus)
        spec = portrait.WindowSpec(normalizer=normalizer)
        opened = portrait.build(source, where / "corpus.portrait", windows=spec)
        (shard,) = opened.manifest.layers[0].shards
        write(where, decoded)

        def kernel() -> None:
            for text in decoded:
                opened.evidence(text)

        bound = best_seconds(kernel)
        for name in ("rows.jsonl", "rows.parquet"):
            for keep in ((), ("id",)):

                def scan(name: str = name, keep: tuple[str, ...] = keep) -> None:
                    scan_rows([opened], where / name, where / "answers.jsonl", keep=keep, overwrite=True)

                seconds = best_seconds(scan)
                share = f"{bound / seconds:.2f} of it reached"
                report(
                    f"{name}, {normalizer}, {shard.bytes / 1e6:.0f} MB" + (", an id kept" if keep else ""),
                    f"{n_bytes / seconds / 1e6:.0f} MB/s",
                    target,
                    f"the look-ups alone at {n_bytes / bound / 1e6:.0f} MB/s, {share}",
                )


if __name__ == "__main__":
    measure("spaces", stdlib_texts(TEXT_BYTES), ">= 45 MB/s")
    measure("loose", mixed_texts(TEXT_BYTES), ">= 15 MB/s")
