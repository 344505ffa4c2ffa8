"""How often a plan's intervals hold: mixed corpora, planned from a sample and then built.

Each corpus is another mixture of formats, compressions, unequal files, duplicates and sources. The script
prints how often the build's size lies in the plan's interval and how far the estimates are off, and fails if
an interval holds in fewer than 90 % of the cases.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from common import SENTENCES, stdlib_texts, table

import portrait
from portrait.engines.execution import Execution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The share of the corpus that a sample reads.
SAMPLE_SHARES = (0.05, 0.1, 0.3)
#: The compressions of JSON lines.
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, 1),
    ".bz2": lambda data: bz2.compress(data, 1),
    ".xz": lambda data: lzma.compress(data, preset=0),
}


def texts_of(kind: str, n_bytes: int, dice: random.Random, library: Sequence[str]) -> list[str]:
    """Return documents of one kind: code, sentences in many scripts, long numbers, or short lines."""
    texts: list[str] = []
    total = 0
    while total < n_bytes:
        if kind == "code":
            text = dice.choice(library)
            # A part of it, so that few documents are the same.
            start = dice.randrange(len(text))
            text = text[start : start + dice.randrange(200, 20_000)]
        elif kind == "scripts":
            text = " ".join(f"{dice.choice(SENTENCES)} {dice.randrange(10**6)}." for _ in range(40))
        elif kind == "numbers":
            text = "\n".join(str(dice.getrandbits(200)) for _ in range(dice.randrange(5, 60)))
        else:
            text = " ".join(str(dice.randrange(10**5)) for _ in range(dice.randrange(1, 30)))
        texts.append(text or "x")
        total += len(texts[-1].encode())
    return texts


def write_file(path: Path, texts: Sequence[str], sets: Sequence[str], kind: str) -> Path:
    """Write documents as a file of one format; ``sets`` names the source of each row."""
    if kind == "parquet":
        path = path.with_suffix(".parquet")
        rows = pa.table({"text": list(texts), "set": list(sets)})
        pq.write_table(rows, path, compression="zstd", row_group_size=200)
        return path
    if kind == "txt":
        path.mkdir()
        for i, text in enumerate(texts):
            (path / f"{i}.txt").write_text(text, encoding="utf-8")
        return path
    path = path.with_name(f"{path.name}.jsonl{kind}")
    lines = [json.dumps({"text": text, "set": name}) + "\n" for text, name in zip(texts, sets, strict=True)]
    path.write_bytes(COMPRESSIONS[kind]("".join(lines).encode()))
    return path


def corpus(
    where: Path, dice: random.Random, n_bytes: int, library: Sequence[str]
) -> tuple[dict[str, list[Path]], int]:
    """Write a mixed corpus; return its files by source, and about how much text it holds."""
    n_sources = dice.randint(1, 4)
    sources: dict[str, list[Path]] = {f"source{i}": [] for i in range(n_sources)}
    n_files = dice.choice((n_sources, 2 * n_sources, 12, 40))
    # A few files hold most of the text.
    sizes = [dice.paretovariate(1.1) for _ in range(max(n_files, n_sources))]
    scale = n_bytes / sum(sizes)
    total = 0
    for i, size in enumerate(sizes):
        kind = dice.choice(("code", "code", "scripts", "numbers", "lines"))
        texts = texts_of(kind, max(2000, round(size * scale)), dice, library)
        if dice.random() < 0.2:  # half of the file repeats
            texts = texts[: len(texts) // 2 + 1] * 2
        format_ = dice.choice(("", "", ".gz", ".bz2", ".xz", "parquet", "parquet", "txt"))
        if format_ == "txt":
            texts = texts[:300]
        sets = dice.choices(["a", "b", "c"], k=len(texts))
        name = f"source{i % n_sources}"
        sources[name].append(write_file(where / f"{i:03}", texts, sets, format_))
        if dice.random() < 0.05:  # the file is there twice
            sources[name].append(write_file(where / f"{i:03}again", texts, sets, format_))
        total += sum(len(text.encode()) for text in texts)
    return sources, total


def measure(n_corpora: int, n_bytes: int) -> bool:
    """Plan and build mixed corpora; return whether each interval holds in 90 % of the cases or more."""
    library = [text.decode() for text in stdlib_texts(20_000_000) if text]
    names = ("text", "distinct keys", "portrait")
    hits: dict[str, list[bool]] = {name: [] for name in names}
    errors: dict[str, list[float]] = {name: [] for name in names}
    widths: dict[str, list[float]] = {name: [] for name in names}
    began = time.monotonic()
    for number in range(n_corpora):
        dice = random.Random(number)
        with tempfile.TemporaryDirectory() as scratch:
            where = Path(scratch, "corpus")
            where.mkdir()
            size = round(n_bytes * dice.uniform(0.3, 2))
            sources, text_bytes = corpus(where, dice, size, library)
            sample_bytes = round(text_bytes * dice.choice(SAMPLE_SHARES))
            filter_ = portrait.FilterSpec(dice.choice(("bloom", "ribbon")))
            planned = portrait.plan(sources, filter=filter_, sample_text_bytes=max(1, sample_bytes))
            built = portrait.build(
                sources, Path(scratch, "out"), filter=filter_, execution=Execution(workers=1)
            )
            layers = built.manifest.layers
            true = {
                "text": sum(layer.text_bytes or 0 for layer in layers),
                "distinct keys": sum(layer.distinct_keys for layer in layers),
                "portrait": sum(shard.bytes for layer in layers for shard in layer.shards),
            }
        kind = filter_.kind
        made = {
            "text": (planned.text_bytes, planned.text_bytes_range),
            "distinct keys": (planned.distinct_keys, planned.distinct_keys_range),
            "portrait": (planned.bundle_bytes[kind], planned.bundle_bytes_ranges[kind]),
        }
        for name, (value, (low, high)) in made.items():
            # The size of a filter is known to 2 % even where the number of keys is exact.
            slack = 0.02 * true[name] if name == "portrait" else 0
            hits[name].append(low - slack <= true[name] <= high + slack)
            errors[name].append(value / true[name] - 1)
            widths[name].append((high - low) / 2 / true[name])
        if "--verbose" in sys.argv[1:]:
            shown = [f"{hits[n][-1]:d} {errors[n][-1]:+.2f} ±{widths[n][-1]:.2f}" for n in names]
            print(
                number,
                f"{time.monotonic() - began:.0f} s",
                planned.sampled_shards,
                planned.shards,
                shown,
                file=sys.stderr,
            )
    rows = []
    for name in names:
        sizes = sorted(abs(error) for error in errors[name])
        ninth = sizes[min(len(sizes) - 1, round(0.9 * len(sizes)))]
        shares = (
            statistics.fmean(hits[name]),
            statistics.median(sizes),
            ninth,
            statistics.median(widths[name]),
        )
        rows.append((name, *(f"{share:.0%}" for share in shares)))
    print(f"## {n_corpora} mixed corpora, of which a sample of 5 to 30 % is read")
    table(("", "in the interval", "median error", "error of nine in ten", "half the interval"), rows)
    return all(statistics.fmean(hits[name]) >= 0.9 for name in names)


if __name__ == "__main__":
    small = "--small" in sys.argv[1:]
    kept = measure(10 if small else 100, 1_000_000 if small else 3_000_000)
    print("Every interval holds in 90 % of the cases or more." if kept else "An interval holds too rarely.")
    sys.exit(not kept)
