"""Whole builds of real text from files, against the lower bound: decoding the same files.

``python build.py`` runs every section, ``python build.py ratios memory`` some of them: ``ratios`` (builds
against decoding, and one process against two), ``growth`` (the cost per GB as the corpus grows), ``ways``
(keys in memory or on disk), ``memory`` (4 GB of text with ``--memory 1GB``), ``resume`` (the same, killed
twice), ``ray``, ``peers``. The files are those of :mod:`kernel_source`; a first run that is not counted
brings them into the page cache, so that the disk plays no part.

What a build does beyond decoding, for each GB on one core: normalise, choose windows and hash (about
1.6 s), partition keys and write them (0.2 s), read them again, and either insert them (0.2 s) or sort them
(0.6 s) and build a ribbon filter of the distinct ones (2.3 s). The last step, digests and the probe of the
finished filter, runs in one process.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import xxhash
from common import Decoding, decode, report, resident_bytes
from kernel_source import corpora
from pybloom_live import BloomFilter
from rbloom import Bloom

import portrait
from portrait import Execution, FilterSpec
from portrait.corpus.resolve import resolve
from portrait.engines.local import LocalEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portrait.engines.task import Engine
    from portrait.spec import FilterKind

GB = 1_000_000_000
KINDS: list[FilterKind] = ["bloom", "ribbon"]
RUNS = 3
WIDTH, STRIDE, FPR = 50, 25, 0.01


def seconds_of(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def best(*works: Callable[[], object], runs: int = RUNS) -> list[float]:
    """Return the shortest time of each, run in turns, so that load from elsewhere affects all alike."""
    for work in works:
        work()
    return [
        min(times) for times in zip(*([seconds_of(work) for work in works] for _ in range(runs)), strict=True)
    ]


def build(source: Path, out: Path, workers: int = 2, kind: FilterKind = "bloom") -> portrait.Portrait:
    return portrait.build(
        str(source), out, filter=FilterSpec(kind, FPR), overwrite=True, execution=Execution(workers=workers)
    )


def decoding(source: Path, engine: Engine) -> None:
    (dataset,) = resolve(str(source))
    tasks = [Decoding(shard.label, shard) for shard in dataset.shards]
    assert sum(1 for _ in engine.run(decode, tasks, lambda *_: None)) == len(tasks)


def decode_all(source: Path, workers: int) -> None:
    engine = LocalEngine(workers)
    decoding(source, engine)
    engine.close()


def text_bytes(built: portrait.Portrait) -> int:
    return sum(layer.text_bytes or 0 for layer in built.manifest.layers)


def ratios(directory: Path) -> None:
    for kind, most in (("parquet", 3.0), ("jsonl.zst", 2.2)):
        source = corpora(GB)[kind]
        n_bytes = text_bytes(build(source, directory / "out"))
        bound, bloom, ribbon, one = best(
            partial(decode_all, source, 2),
            partial(build, source, directory / "out"),
            partial(build, source, directory / "out", kind="ribbon"),
            partial(build, source, directory / "out", 1),
        )
        against = f"decoding alone, {bound:.2f} s"
        report(
            f"bloom, {kind}: {n_bytes / bloom / 1e6:.0f} MB/s",
            f"{bloom / bound:.2f} x",
            f"<= {most} x",
            against,
        )
        report(
            f"ribbon, {kind}: {n_bytes / ribbon / 1e6:.0f} MB/s", f"{ribbon / bound:.2f} x", "<= 6 x", against
        )
        report(f"two workers, bloom, {kind}", f"{one / bloom:.2f} x", ">= 1.6 x", f"one worker, {one:.2f} s")


def growth(directory: Path) -> None:
    """Compare the cost per GB of 4 GB with smaller corpora, where starting processes weighs more."""
    seconds = {}
    for n_bytes in (GB // 4, GB, 4 * GB):
        source = corpora(n_bytes)["parquet"]
        for kind in KINDS:
            (taken,) = best(partial(build, source, directory / "out", kind=kind))
            seconds[kind, n_bytes] = taken / text_bytes(portrait.open(directory / "out")) * GB
    for kind in KINDS:
        large = seconds[kind, 4 * GB]
        for n_bytes in (GB // 4, GB):
            small = seconds[kind, n_bytes]
            bound = f"a GB of {n_bytes / GB:g}, {small:.2f} s"
            report(f"{kind}: a GB of 4, {large:.2f} s", f"{large / small - 1:+.0%}", "< +10 %", bound)
    source = corpora(4 * GB)["parquet"]
    one, two = best(*(partial(build, source, directory / "out", workers) for workers in (1, 2)), runs=2)
    report(
        "two workers, bloom, 4 GB of parquet", f"{one / two:.2f} x", ">= 1.6 x", f"one worker, {one:.2f} s"
    )


def ways(directory: Path) -> None:
    """Compare builds with keys in memory, in one process, with builds that keep keys on disk."""
    source = corpora(GB // 4)["parquet"]
    files = sorted(source.iterdir())
    for n_files in (1, 2, 4):
        some = [str(file) for file in files[:n_files]]
        enough = 4 * GB

        def built(execution: Execution, some: list[str] = some) -> portrait.Portrait:
            return portrait.build(some, directory / "out", overwrite=True, execution=execution)

        in_memory, on_disk, two = best(
            partial(built, Execution(workers=1, memory_bytes=enough)),
            partial(built, Execution(workers=1, memory_bytes=enough, work_dir=directory / "work")),
            partial(built, Execution(workers=2, memory_bytes=enough, work_dir=directory / "work")),
        )
        n_bytes = text_bytes(portrait.open(directory / "out"))
        report(
            f"{n_bytes / 1e6:.0f} MB: keys in memory, {in_memory:.2f} s",
            f"{on_disk / in_memory:.2f} x",
            "printed",
            f"on disk; {two / in_memory:.2f} x by two processes",
        )


def command(source: Path, out: Path, *options: str) -> list[str]:
    base = [
        sys.executable,
        "-m",
        "portrait",
        "build",
        str(source),
        "-o",
        str(out),
        "--quiet",
        "--workers",
        "2",
    ]
    return [*base, *options]


def watch(arguments: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a command; until it ends, yield its process and the resident bytes of it and its children."""
    with subprocess.Popen(arguments) as process:
        while process.poll() is None:
            yield process, resident_bytes(process.pid)
            time.sleep(0.01)


def memory(directory: Path) -> None:
    source = corpora(4 * GB)["parquet"]
    for kind in KINDS:
        arguments = command(source, directory / kind, "--memory", "1GB", "--filter", kind, "--overwrite")
        peak = max(used for _, used in watch(arguments))
        n_bytes = text_bytes(portrait.open(directory / kind))
        report(
            f"{kind}: peak of {n_bytes / GB:.1f} GB with --memory 1GB",
            f"{peak / 1e6:.0f} MB",
            "<= 1300 MB",
            "the flag",
        )


def resume(directory: Path) -> None:
    source = corpora(4 * GB)["parquet"]
    for kind in KINDS:
        options = ("--memory", "1GB", "--filter", kind, "--work-dir", str(directory / "work"))
        arguments = command(source, directory / "killed", *options)
        for share in (0.3, 0.7):
            n_shards = len(list(source.iterdir()))
            for process, _ in watch(arguments):
                if len(list(directory.glob("work/data/read-*.json"))) >= share * n_shards:
                    process.send_signal(signal.SIGKILL)
        kept = len(list(directory.glob("work/data/read-*.json")))
        subprocess.run(arguments, check=True)
        plain = (
            portrait.open(directory / kind)
            if (directory / kind).exists()
            else build(source, directory / kind, kind=kind)
        )
        same = portrait.open(directory / "killed").manifest.layers == plain.manifest.layers
        report(
            f"{kind}: 4 GB, killed at 30 and 70 %",
            "the same" if same else "OTHER",
            "the same",
            f"{kept} shards kept",
        )
        shutil.rmtree(directory / "killed")


def ray(directory: Path) -> None:
    import ray as library

    source = corpora(GB)["parquet"]
    (local,) = best(partial(build, source, directory / "local"))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Start Ray and its workers before timing, as on a cluster that is already running.
    library.init(
        "local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
    )
    execution = Execution("ray", workers=2)
    (on_ray,) = best(
        partial(portrait.build, str(source), directory / "ray", overwrite=True, execution=execution)
    )
    library.shutdown()
    same = portrait.open(directory / "ray").manifest.id == portrait.open(directory / "local").manifest.id
    assert same
    report("Ray, bloom, parquet", f"{local / on_ray:.2f} x", ">= 0.75 x", f"local engine, {local:.2f} s")


def rows_of(source: Path) -> list[str]:
    """Return the texts of one of the files as Python strings."""
    texts: list[str] = pq.read_table(min(source.iterdir()), columns=["text"]).column("text").to_pylist()
    return texts


def windows_of(texts: list[str]) -> Iterator[str]:
    """Fold white space and cut windows, as a Python programmer would."""
    for text in texts:
        spaced = " ".join(text.split())
        for start in range(0, len(spaced) - WIDTH + 1, STRIDE):
            yield spaced[start : start + WIDTH]


def with_pybloom(source: Path, n_keys: int) -> None:
    bloom = BloomFilter(capacity=n_keys, error_rate=FPR)
    for window in windows_of(rows_of(source)):
        bloom.add(window, skip_check=True)


def stable_hash(window: str) -> int:
    """Hash a window the same way in every process, which rbloom requires of a filter that is saved."""
    return xxhash.xxh3_128_intdigest(window.encode()) - (1 << 127)


def with_rbloom(source: Path, n_keys: int) -> None:
    bloom = Bloom(n_keys, FPR, stable_hash)
    for window in windows_of(rows_of(source)):
        bloom.add(window)


def peers(directory: Path) -> None:
    """Compare with peers, which get one file only: a minute is enough to measure their speed."""
    source = corpora(GB)["parquet"]
    n_bytes = sum(len(text.encode()) for text in rows_of(source))
    ours = text_bytes(build(source, directory / "out")) / best(partial(build, source, directory / "out"))[0]
    for name, peer, least in (("pybloom-live", with_pybloom, 30), ("rbloom", with_rbloom, 6)):
        speed = n_bytes / seconds_of(partial(peer, source, n_bytes // STRIDE))
        bound = f"its {speed / 1e6:.1f} MB/s; {ours / 2 / speed:.0f} x on a core each"
        report(f"two processes, against Python + {name}", f"{ours / speed:.0f} x", f">= {least} x", bound)


SECTIONS = {one.__name__: one for one in (ratios, growth, ways, memory, resume, ray, peers)}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        for section in sys.argv[1:] or SECTIONS:
            SECTIONS[section](Path(temporary))
