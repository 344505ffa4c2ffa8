"""Helpers of the benchmark scripts: texts, random keys, timing and a line of output."""

from __future__ import annotations

import os
import random
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait import _native

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait import WindowSpec
    from portrait.corpus.shards import Shard
    from portrait.engines.task import ProgressCallback

#: Sentences in several scripts, for text in which most characters take two or three bytes.
SENTENCES = [
    "Утром почтальон принёс письмо, которого никто в доме не ждал уже много лет.",
    "Старый мост через реку закрыли на ремонт до конца следующей недели.",
    "清晨的市场里已经挤满了人，卖鱼的老人正在整理他的摊位。",
    "图书馆的窗户朝着河边，下雨的时候听得见水声。",
    "駅前の小さな喫茶店は、雨の日になるといつも満席になる。",
    "도서관 앞의 은행나무가 노랗게 물들면 가을이 온 것이다.",
    "Στο λιμάνι έφτασε χθες το βράδυ ένα πλοίο φορτωμένο με βιβλία.",
    "नदी के किनारे बैठे बच्चे काग़ज़ की नावें बनाकर पानी में छोड़ रहे थे।",
    "وصلت الرسالة متأخرة يومين لأن الطريق كان مغلقا بسبب الثلج.",
    "ตลาดเช้าวันนี้มีคนมากกว่าทุกวันเพราะพรุ่งนี้เป็นวันหยุด",
    "Der Bäcker öffnete früh, und über der Straße hing der Geruch von frischem Brot.",
    "L'été dernier, la forêt près du château a brûlé pendant trois journées entières.",
    "The ferry left an hour late, and nobody on the quay seemed to mind. 🚢",
]


def stdlib_texts(n_bytes: int, *, ascii_only: bool = True) -> list[bytes]:
    """Return source files of the standard library, at most ``n_bytes`` in total."""
    texts: list[bytes] = []
    total = 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        data = path.read_bytes()
        if ascii_only and not data.isascii():
            continue
        if total + len(data) > n_bytes:
            break
        texts.append(data)
        total += len(data)
    return texts


def mixed_texts(n_bytes: int) -> list[bytes]:
    """Return documents of numbered sentences in many scripts, in random order."""
    dice = random.Random(7)
    texts: list[bytes] = []
    total = 0
    while total < n_bytes:
        sentences = (f"{dice.choice(SENTENCES)} {dice.randrange(10**6)}." for _ in range(200))
        texts.append(" ".join(sentences).encode())
        total += len(texts[-1])
    return texts


def best_seconds(
    work: Callable[[], object], *, runs: int = 7, before: Callable[[], object] | None = None
) -> float:
    """Return the shortest of ``runs`` runs; on a shared machine, longer ones measure other processes."""
    best = float("inf")
    for _ in range(runs):
        if before is not None:
            before()
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def random_keys(n_keys: int, seed: int) -> list[bytes]:
    """Return ``n_keys`` random 64-bit keys, in chunks of a million."""
    dice = random.Random(seed)
    chunk = 1_000_000
    return [dice.randbytes(8 * min(chunk, n_keys - i)) for i in range(0, n_keys, chunk)]


def cutter(spec: WindowSpec) -> _native.Windows:
    """Return the kernel's form of a spec, which says where windows begin."""
    sampling = spec.sampling
    return _native.Windows(spec.normalizer, spec.unit, spec.width, sampling.name, sampling.gap)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print("\n| " + " | ".join(header) + " |")
    print("|" + "|".join("---" if i == 0 else "---:" for i in range(len(header))) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def report(what: str, measured: str, target: str, bound: str) -> None:
    """Print one line of a benchmark's table."""
    print(f"{what:<44} {measured:>16}   target {target:<14} bound: {bound}", flush=True)


@dataclass(frozen=True)
class Decoding:
    """A task that reads a shard and discards its rows: the lower bound of any build."""

    name: str
    shard: Shard

    @property
    def label(self) -> str:
        """Return the label of the shard."""
        return self.shard.label


def decode(task: Decoding, report: ProgressCallback) -> dict[str, Any]:
    """Read a shard to its end; return its number of rows."""
    n_rows = 0
    for chunk in task.shard.chunks():
        n_rows += len(chunk.batch().texts)
        report(chunk.read_bytes)
    return {"rows": n_rows}


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and its descendants; shared pages count for each."""
    processes = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        processes[int(path.parent.name)] = int(fields[1]), int(fields[21])
    total, below = 0, {pid}
    while below:
        one = below.pop()
        total += processes.get(one, (0, 0))[1]
        below |= {child for child, (parent, _) in processes.items() if parent == one}
    return total * os.sysconf("SC_PAGE_SIZE")
