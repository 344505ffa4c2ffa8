"""Portraits on a hub: opening one in the cache, and pushing and pulling 1 GB, verified.

The hub is the tests' stand-in, in a process of its own on this machine. The bound of pushing and pulling is
``huggingface_hub`` moving the same files, in turns, each time to a new hub and a new cache; the least of
several runs counts. The bound of opening is opening the same portrait from a directory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import timeit
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from common import report

import portrait
from portrait.bundle.writer import BundleWriter
from portrait.filters.bloom import Bloom
from portrait.sizing import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parents[1] / "tests"
N_BYTES = 1_000_000_000
SHARD_BYTES = 250_000_000
RUNS = 5

SERVE = """
import sys
from support.hub_stand_in import serving
with serving() as hub:
    hub.tokens["token"] = "org"
    print(hub.url, flush=True)
    sys.stdin.read()
"""

#: What is measured, in a process of its own: the arguments are the bundle and the address at a commit.
MEASURE = {
    "push": "import portrait; portrait.push(sys.argv[1], 'org/portrait')",
    "upload_folder": (
        "from huggingface_hub import HfApi; api = HfApi(); api.create_repo('org/portrait'); "
        "api.upload_folder(folder_path=sys.argv[1], repo_id='org/portrait')"
    ),
    "pull": "import portrait; portrait.pull('hf://org/portrait')",
    "snapshot_download": "from huggingface_hub import snapshot_download; snapshot_download('org/portrait')",
}


@contextmanager
def hub(scratch: Path) -> Iterator[dict[str, str]]:
    """Run an empty hub while the block runs, and yield an environment for its users, with an empty cache."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert server.stdout is not None
    url = server.stdout.readline().decode().strip()
    cache = scratch / "cache"
    try:
        yield {
            **os.environ,
            "HF_ENDPOINT": url,
            "HF_HOME": str(cache),
            "HF_TOKEN": "token",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
    finally:
        server.communicate(b"")
        shutil.rmtree(cache, ignore_errors=True)


def write_large(out: Path) -> None:
    """Write a bundle of 1 GB of random blocks in four shards, whose digests are right."""
    text = out.with_name("text.txt")
    text.write_text("One document.")
    small = portrait.build(text, out.with_name("small.portrait"))
    (layer,) = small.manifest.layers
    n_blocks = N_BYTES // BLOCK_BYTES
    filled = Bloom(memoryview(os.urandom(n_blocks * BLOCK_BYTES)))
    with BundleWriter(out) as writer:
        stored = writer.add_layer(layer.source, "bloom", filled.pieces(SHARD_BYTES))
        large = replace(
            layer,
            filter={"kind": "bloom", "n_blocks": n_blocks},
            tensors=stored.tensors,
            shards=stored.shards,
            sketch=None,
        )
        writer.commit(replace(small.manifest, layers=(large,)))


def seconds_of(name: str, bundle: Path, environment: dict[str, str]) -> float:
    """Return how long one of the measured operations takes, without starting Python and importing."""
    imports = "import sys, time, portrait, huggingface_hub, portrait.hub.push, portrait.hub.download\n"
    imports += "from huggingface_hub import HfApi, snapshot_download\n"
    code = f"{imports}start = time.perf_counter()\n{MEASURE[name]}\nprint(time.perf_counter() - start)"
    command = [sys.executable, "-c", code, str(bundle)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    return float(done.stdout.split()[-1])


def measure_transfers(bundle: Path, scratch: Path) -> dict[str, float]:
    """Return the least time of each operation, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in MEASURE}
    for _ in range(RUNS):
        for upload, download in (("push", "pull"), ("upload_folder", "snapshot_download")):
            with hub(scratch) as environment:
                times[upload].append(seconds_of(upload, bundle, environment))
                shutil.rmtree(scratch / "cache", ignore_errors=True)
                times[download].append(seconds_of(download, bundle, environment))
    return {name: min(values) for name, values in times.items()}


def measure_opening(scratch: Path) -> tuple[float, float]:
    """Return how long it takes to open a portrait in the cache, and the same one in a directory."""
    with hub(scratch) as environment:
        os.environ.update(environment)
        address = portrait.push(scratch / "small.portrait", "org/portrait").address
        portrait.open(address)
        places: tuple[str | Path, Path] = (address, scratch / "small.portrait")
        times = [
            [timeit.timeit(partial(portrait.open, place), number=50) / 50 for place in places]
            for _ in range(3 * RUNS)
        ]
    return min(one for one, _ in times), min(other for _, other in times)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        write_large(scratch / "large.portrait")
        cached, local = measure_opening(scratch)
        report(
            "opening an address in the cache",
            f"{cached / local:.2f} x",
            "<= 1.5 x",
            f"{cached * 1e6:.0f} us, from a directory {local * 1e6:.0f} us",
        )
        times = measure_transfers(scratch / "large.portrait", scratch)
        for ours, theirs in (("push", "upload_folder"), ("pull", "snapshot_download")):
            report(
                f"{ours} of 1 GB",
                f"{times[ours] / times[theirs]:.2f} x",
                "<= 1.3 x",
                f"{times[ours]:.2f} s, {theirs} {times[theirs]:.2f} s",
            )
