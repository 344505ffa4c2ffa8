"""How large portraits are: bytes of all files of a bundle as a share of the text, by sampling and filter.

The text is the source code of Linux 6.1 (see ``kernel_source``): its files named .c, .h, .rst and .txt.
``--small`` measures a twentieth of it.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from common import report
from kernel_source import source_files

import portrait
from portrait import FilterSpec, Minimizer, Stride, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portrait.spec import FilterKind

SUFFIXES = (".c", ".h", ".rst", ".txt")
_BATCH_BYTES = 64_000_000
_SMALL_SHARE = 20


def _texts() -> Iterator[str]:
    for name, data in source_files():
        if name.endswith(SUFFIXES):
            try:
                yield data.decode()
            except UnicodeDecodeError:
                continue


def write_corpus(path: Path, *, is_small: bool) -> int:
    """Write the texts as Parquet; return the number of their bytes."""
    total = 0
    with pq.ParquetWriter(path, pa.schema([("text", pa.large_string())])) as writer:
        batch: list[str] = []
        size = 0
        for i, text in enumerate(_texts()):
            if is_small and i % _SMALL_SHARE:
                continue
            batch.append(text)
            size += len(text.encode())
            if size >= _BATCH_BYTES:
                writer.write_table(pa.table({"text": pa.array(batch, pa.large_string())}))
                total, size, batch = total + size, 0, []
        writer.write_table(pa.table({"text": pa.array(batch, pa.large_string())}))
    return total + size


def measure(corpus: Path, n_bytes: int, windows: WindowSpec, filter_: FilterSpec, target: float) -> None:
    """Build a portrait and print what share of the text it takes."""
    with tempfile.TemporaryDirectory(dir=corpus.parent) as folder:
        begin = time.perf_counter()
        built = portrait.build(corpus, Path(folder) / "p.portrait", windows=windows, filter=filter_)
        seconds = time.perf_counter() - begin
        stored = sum(file.stat().st_size for file in built.path.iterdir())
        (layer,) = built.manifest.layers
        keys = layer.distinct_keys
        assert keys is not None
        report(
            f"{filter_.kind} at {layer.fpr:.3%}, {windows.cut}",
            f"{stored / n_bytes:.3%} of the text",
            f"<= {target:.2%}",
            f"{keys * -math.log2(layer.fpr) / 8 / n_bytes:.3%}, n log2(1/rate) bits; {stored / 1e6:.1f} MB "
            f"of {n_bytes / 1e6:.0f} MB, {keys / n_bytes:.2%} keys, built in {seconds:.0f} s",
        )


def main() -> None:
    """Measure the default, the filter for publishing, and a stride beside them."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "linux.parquet"
        n_bytes = write_corpus(corpus, is_small="--small" in sys.argv)
        kinds: tuple[tuple[FilterKind, float], ...] = (("bloom", 0.0325), ("ribbon", 0.0225))
        for kind, target in kinds:
            measure(corpus, n_bytes, WindowSpec(50, Minimizer(42)), FilterSpec(kind), target)
        for kind, _ in kinds:
            measure(corpus, n_bytes, WindowSpec(50, Stride(25)), FilterSpec(kind), 0.05)


if __name__ == "__main__":
    main()
