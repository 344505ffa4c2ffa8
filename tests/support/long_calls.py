"""Calls of the kernel that take long, each in a process of its own, for a signal to interrupt."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import caught_sigint

#: What every call starts with.
BEGINNING = """
import array, os, random, time
from itertools import starmap
from portrait import _native

random.seed(1)
n_calls = 1
windows = _native.Windows("spaces", "char", 50, "stride", 25)
words = _native.Windows("none", "word", 5, "stride", 1)
sampled = _native.Windows("spaces", "char", 50, "minimizer", 42)
bloom = _native.Filter.bloom([bytes(1 << 20)])

def arguments(*values):
    return values

def keys(n):
    return random.randbytes(8 * n)

def kept(data, times=1):
    made = _native.Keys()
    for _ in range(times):
        made.extend(data)
    return made

def batch(text, n_rows):
    data = text.encode()
    offsets = array.array("q", [i * len(data) for i in range(n_rows + 1)])
    return offsets, 8, data * n_rows, None, 0, n_rows

text = "The quick brown fox jumps over the lazy dog, again and again.\\n" * 40
"""

#: For each call that can take long: what is prepared, the function, and its arguments.
CALLS: dict[str, tuple[str, str, str]] = {
    "a scan": (
        "big = text * 100_000; scanner = _native.Scanner(windows, [(bloom, 0.01)])",
        "scanner.scan",
        "big",
    ),
    "hits": (
        "big = text * 40_000; scanner = _native.Scanner(windows, [(bloom, 0.01)])",
        "scanner.hits",
        "big",
    ),
    "a scan of a text without ASCII": (
        (
            "big = '天地玄黃\\u3000' * 20_000_000; scanner = _native.Scanner(words, [(bloom, 0.01)])\n"
            # Python itself turns a text into UTF-8 before a call, once.
            "bloom.contains_windows([big])"
        ),
        "scanner.scan",
        "big",
    ),
    "normalising marks": (
        (
            "big = 'a' + '\\u0301\\u0323' * 20_000_000;"
            " w = _native.Windows('loose', 'char', 1_000_000, 'stride', 1);"
            " scanner = _native.Scanner(w, [(bloom, 0.01)])\n"
            "bloom.contains_windows([big])"
        ),
        "scanner.scan",
        "big",
    ),
    "normalising with origins": (
        "big = text * 10_000",
        "windows.normalize",
        "big",
    ),
    "keys of a batch": (
        "some = batch(text, 150_000); made = _native.Keys()",
        "made.add_batch",
        "windows, *some",
    ),
    "keys of a text": (
        "big = text * 200_000; made = _native.Keys()",
        "made.add_text",
        "windows, big",
    ),
    "keys of words": (
        "big = text * 40_000; made = _native.Keys()",
        "made.add_text",
        "words, big",
    ),
    "keys of sampled windows": (
        "big = text * 200_000; made = _native.Keys()",
        "made.add_text",
        "sampled, big",
    ),
    "keys of sampled windows without ASCII": (
        (
            "big = '天地玄黃宇宙洪荒' * 20_000_000; made = _native.Keys();"
            " w = _native.Windows('none', 'char', 50, 'minimizer', 42)\n"
            "bloom.contains_windows([big])"
        ),
        "made.add_text",
        "w, big",
    ),
    "keys of sampled words": (
        (
            "big = text * 100_000; made = _native.Keys();"
            " w = _native.Windows('none', 'word', 10, 'minimizer', 8)"
        ),
        "made.add_text",
        "w, big",
    ),
    "keys of wide contexts": (
        (
            "big = text * 100_000; made = _native.Keys();"
            " w = _native.Windows('none', 'char', 50, 'minimizer', 100_000)"
        ),
        "made.add_text",
        "w, big",
    ),
    "a scan of sampled windows": (
        "big = text * 200_000; scanner = _native.Scanner(sampled, [(bloom, 0.01)])",
        "scanner.scan",
        "big",
    ),
    "the offsets of sampled windows": (
        "big = text * 200_000",
        "sampled.asked",
        "big",
    ),
    "keys of wide windows": (
        (
            "w = _native.Windows('none', 'byte', 1_000_000, 'stride', 1); big = text * 4_000;"
            " made = _native.Keys()"
        ),
        "made.add_text",
        "w, big",
    ),
    "pybloom's bits": (
        "some = batch(text, 10_000); made = _native.PyBloomBits(7, 1 << 28)",
        "made.add_batch",
        "words, *some",
    ),
    "sorting": (
        "made = kept(keys(1 << 22), 12)",
        "made.sort_unique",
        "",
    ),
    "partitioning": (
        "made = kept(keys(1 << 22), 12)",
        "made.partitioned",
        "1 << 16",
    ),
    "a sketch": (
        "made = kept(keys(1 << 22), 12); sketch = _native.Sketch(1 << 22)",
        "sketch.add",
        "made",
    ),
    "inserting keys": (
        "made = kept(keys(1 << 22), 12); builder = _native.BloomBits(1 << 19)",
        "builder.insert",
        "made",
    ),
    "inserting a buffer": (
        "n_calls = 5; made = keys(1 << 22) * 4; builder = _native.BloomBits(1 << 19)",
        "builder.insert",
        "made",
    ),
    "a ribbon filter": (
        "made = kept(keys(4 << 20)); made.sort_unique()",
        "_native.build_ribbon",
        "made, 7, 128",
    ),
    "a ribbon filter of keys in one place": (
        "made = kept(array.array('Q', range(4 << 20)))",
        "_native.build_ribbon",
        "made, 7, 1",
    ),
    "a ribbon filter without keys": (
        "made = b''",
        "_native.build_ribbon",
        "made, 32, 1 << 18",
    ),
    "the rate of a ribbon filter": (
        (
            "n_blocks = 1 << 20; columns = random.randbytes(1 << 20) * 256\n"
            "f = _native.Filter.ribbon([(columns, array.array('Q', [n_blocks]))], 32)"
        ),
        "f.rate",
        "",
    ),
    "asking keys": (
        "made = keys(1 << 22) * 10",
        "bloom.contains",
        "made",
    ),
    "asking windows": (
        (
            "some = ['x' * 1000 + str(i) for i in range(1000)] * 300\n"
            "f = _native.Filter.pybloom(bytes(128 * 1024), 1024, 1024)"
        ),
        "f.contains_windows",
        "some",
    ),
    "a rate": (
        "f = _native.Filter.bloom([bytes(1 << 29)] * 4)",
        "f.rate",
        "",
    ),
    "fills": (
        "bits = bytes(60 << 20); f = _native.Filter.redisbloom([([bits], len(bits) * 8, 1)] * 60, True)",
        "f.fills",
        "",
    ),
}

#: Nothing here runs Python code between the calls: an interruption that leaves out some of the results was
#: noticed by the kernel, in the middle of its work.
END = """
print("ready", flush=True)
results = []
try:
    results.extend(starmap({function}, [arguments({arguments})] * n_calls))
except KeyboardInterrupt:
    print(len(results) < n_calls, time.process_time(), flush=True)
    os._exit(0)
print(False, time.process_time(), flush=True)
os._exit(0)
"""


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def interrupt(prepare: str, function: str, arguments: str, seconds: float = 0.1) -> tuple[bool, float]:
    """Send a signal to a process that has spent some seconds of processor time in a call.

    Returns:
        Whether the call ended early, and the seconds of processor time from the signal to its end, to about
        a hundredth.
    """
    code = "\n".join([BEGINNING, prepare, END.format(function=function, arguments=arguments)])
    with (
        caught_sigint(),
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        start = processor_seconds(process.pid)
        while (now := processor_seconds(process.pid)) < start + seconds and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        early, end = process.stdout.readline().split()
        return early == "True", float(end) - now
