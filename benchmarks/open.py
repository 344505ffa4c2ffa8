"""Opening a bundle of 4 GB and asking it once: the time, and the resident memory afterwards.

The blocks are a hole in a sparse file, which opening does not read. The bound is opening a bundle of one
block, because the time does not depend on the size. The first bundle that a process opens takes longer: what
opens it is loaded then. Memory is that of the whole process, most of it Python's own, so the memory after the
import alone is shown beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from common import report

import portrait
from portrait.bundle.tensors import TensorInfo, header
from portrait.filters.bloom import TENSOR
from portrait.sizing import BLOCK_BYTES, LANES

N_BLOCKS = 4_000_000_000 // BLOCK_BYTES
RUNS = 11

MEASURE = """
import json, sys, time
import portrait
def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) * 1024
before = resident()
start = time.perf_counter()
portrait.open(sys.argv[1])
first = time.perf_counter() - start
start = time.perf_counter()
opened = portrait.open(sys.argv[2])
seconds = time.perf_counter() - start
assert opened.query("A passage that nobody has written before, long enough to be asked. " * 3).matches == ()
print(json.dumps([seconds, first, resident(), before]))
"""


def write_huge(small: portrait.Portrait, out: Path) -> None:
    """Write a bundle like ``small`` with 4 GB of empty blocks."""
    (layer,) = small.manifest.layers
    (shard,) = layer.shards
    head = header([TensorInfo.of(TENSOR, "U32", N_BLOCKS, LANES)], {})
    out.mkdir()
    with (out / shard.file).open("wb") as file:
        file.write(head)
        file.truncate(len(head) + N_BLOCKS * BLOCK_BYTES)
    shard = replace(shard, bytes=len(head) + N_BLOCKS * BLOCK_BYTES)
    # Of empty blocks the rate is 0, which a service compares with the bits.
    layer = replace(layer, fpr=0.0, filter={**layer.filter, "n_blocks": N_BLOCKS}, shards=(shard,))
    (out / "portrait.json").write_bytes(replace(small.manifest, layers=(layer,)).to_json())


def measure(first: Path, path: Path) -> tuple[float, float, int, int]:
    """Measure opening a bundle in a process that has opened another one.

    Returns:
        The time, that of the other one, and the memory after and before, each the least of several processes.
    """
    command = [sys.executable, "-c", MEASURE, str(first), str(path)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
    seconds, other, resident, before = (min(run[i] for run in runs) for i in range(4))
    return seconds, other, resident, before


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch, "text.txt")
        text.write_text("One document.")
        small = portrait.build(text, Path(scratch, "small.portrait"))
        huge = Path(scratch, "huge.portrait")
        write_huge(small, huge)
        bound, _, _, _ = measure(small.path, small.path)
        seconds, first, resident, before = measure(small.path, huge)
        report(
            "opening a bundle of 4 GB",
            f"{seconds * 1e3:.1f} ms",
            "<= 10 ms",
            f"a bundle of one block {bound * 1e3:.1f} ms; the first of a process {first * 1e3:.0f} ms",
        )
        report(
            "resident after opening it and one query",
            f"{resident / 1e6:.1f} MB",
            "< 20 MB",
            f"after import portrait alone {before / 1e6:.1f} MB",
        )
