"""From a sample of a corpus to what its build takes: counts, sizes, memory, time, and what to beware of."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.building.read_plan import plan_reading
from portrait.bundle.pieces import N_KEYS
from portrait.engines.execution import BYTES_PER_SORTED_KEY
from portrait.errors import SpecError
from portrait.filters import kinds as filters
from portrait.keys.maker import KEY_BYTES, Counts, Keys, keys_within
from portrait.planning.sample import likeness
from portrait.sizing import keys_to_hold
from portrait.spec import FilterSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portrait.building.request import Request
    from portrait.building.way import Way
    from portrait.corpus.shards import Shard, Source
    from portrait.engines.execution import Execution
    from portrait.planning.sample import Sample, Stratum
    from portrait.spec import FilterKind

#: About what the header of a layer's file takes.
_HEADER_BYTES = 192
#: Python, Arrow with all that it loads, and the text under way take in a process.
_PROCESS_BYTES = 160_000_000
#: Keys of which the building of a filter is timed.
_TIMED_KEYS = 1 << 20
#: Processes start, a layer is measured and probed: about so fast.
_START_SECONDS, _LAYER_SECONDS = 0.8, 0.08
#: A file is looked at several times, and recorded in the manifest.
_FILE_SECONDS = 50e-6
#: A task that takes no longer keeps nobody waiting; and files that are named in warnings, at most.
_LONG_TASK_SECONDS, _MOST_NAMED = 2.0, 5
#: Keys are written to files and read again; layers are hashed, written and synced: about so fast.
_SPOOL_BYTES_PER_SECOND, _WRITE_BYTES_PER_SECOND = 500e6, 300e6


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """What is expected of a source: ``windows`` are those stored, ``distinct_keys`` an upper estimate."""

    source: str
    documents: int
    text_bytes: int
    windows: int
    distinct_keys: int


class Forecast:
    """What follows from a sample for a build that goes one ``way``."""

    def __init__(
        self,
        request: Request,
        found: Sequence[Source],
        execution: Execution,
        out: Path,
        way: Way,
        sample: Sample,
    ) -> None:
        self._request = request
        self._execution = execution
        self._out = out
        self._way = way
        self._sample = sample
        self._divided = plan_reading(found, request) if way == "spool" else None
        self.n_tasks = len(self._divided.shards) if self._divided else 1
        self.n_workers = max(1, min(execution.n_workers, self.n_tasks)) if self._divided else 1
        self._strata = {(one.source, one.kind, one.suffix): one for one in sample.strata}
        self.sources = self._all_sources()
        #: Of all sources, with repetitions; a pybloom filter has none of whole documents.
        self.n_keys = sum(one.windows + (way != "twice") * one.documents for one in self.sources)

    def _all_sources(self) -> tuple[PlannedSource, ...]:
        totals: dict[str, list[float]] = {}
        for stratum in self._sample.strata:
            for source, counted in self._expected(stratum).items():
                total = totals.setdefault(source, [0.0] * len(counted))
                totals[source] = [a + b for a, b in zip(total, counted, strict=True)]
        return tuple(
            PlannedSource(
                source,
                round(documents),
                round(text),
                round(windows),
                self._distinct(source, documents, windows),
            )
            for source, (documents, text, windows) in sorted(totals.items())
        )

    def _expected(self, stratum: Stratum) -> dict[str, tuple[float, float, float]]:
        """Documents, bytes of text and windows of each source that a stratum holds."""
        factor, counts = stratum.factor, stratum.counts
        if factor is None:
            # Nothing was read of it: what others hold, for as much text as is usual in such files.
            others = self._sample.counts
            text_bytes = sum(one.text_bytes for one in others.values())
            factor = (stratum.n_bytes or 0) * stratum.expansion / max(1, text_bytes)
            if self._request.reading.source_column is None:
                united = Counts()
                for one in others.values():
                    united.add(one)
                others = {stratum.source: united}
            counts = others
        files = stratum.n_files if stratum.kind == "txt" and not stratum.whole else None
        return {
            source: (
                one.documents * factor if files is None else float(files),
                one.text_bytes * factor,
                one.windows * factor,
            )
            for source, one in counts.items()
        }

    def _distinct(self, source: str, documents: float, windows: float) -> int:
        """Different keys of a source, if they repeat as often as those of the sample do among themselves."""
        keys = self._sample.keys.get(source)
        n_keys = windows + (documents if self._way != "twice" else 0)
        if keys is None or not len(keys):
            return round(n_keys)
        unique = keys_within(keys, 0, N_KEYS - 1)
        return round(n_keys * unique.sort_unique() / len(keys))

    def bundle_bytes(self, kind: FilterKind) -> int | None:
        """The size of all layers with a filter of this kind; nothing where it cannot be had."""
        try:
            spec = FilterSpec(kind, self._request.filter.fpr)
            filters.require_windows(kind, self._request.windows)
        except SpecError:
            return None
        return sum(
            filters.expected(spec, keys_to_hold(one.distinct_keys))[0] + _HEADER_BYTES for one in self.sources
        )

    def spool_bytes(self, bundle_bytes: int) -> int:
        """What lies in the work directory at most: keys, and parts of filters."""
        if self._divided is None:
            return 0
        heads = self.n_tasks * 2 * KEY_BYTES * self._divided.n_partitions
        return self.n_keys * KEY_BYTES + heads + bundle_bytes

    def memory_bytes(self, bundle_bytes: int) -> int:
        """What all processes have at a time, at most."""
        if self._divided is None:
            sorted_ = self._request.filter.kind == "fuse" or self._way == "twice"
            # What grows is allocated half as large again as it is.
            per_key = BYTES_PER_SORTED_KEY if sorted_ else KEY_BYTES * 3 // 2
            return _PROCESS_BYTES + self.n_keys * per_key + bundle_bytes
        per_task = self.n_keys // self.n_tasks
        reading = 2 * KEY_BYTES * min(per_task, self._execution.buffer_keys)
        making = BYTES_PER_SORTED_KEY * min(self.n_keys // self.n_workers, self._execution.sorted_keys)
        first = _PROCESS_BYTES if self.n_workers > 1 else 0
        return first + self.n_workers * (_PROCESS_BYTES + max(reading, making))

    def seconds(self, bundle_bytes: int) -> float:
        """How long it takes, about, as fast as the sample was read, cut and hashed."""
        whole = sum(self._read_seconds(one, one.n_bytes or 0) for one in self._sample.strata)
        filling = self._filling_seconds()
        n_files = sum(one.n_files for one in self._sample.strata)
        seconds = len(self.sources) * _LAYER_SECONDS + n_files * _FILE_SECONDS
        seconds += bundle_bytes / _WRITE_BYTES_PER_SECOND
        if self._divided is None:
            return seconds + filling + whole * (2 if self._way == "twice" else 1)
        longest = max(self._task_seconds(source, shard) for source, shard in self._divided.shards)
        spooling = 2 * self.n_keys * KEY_BYTES / _SPOOL_BYTES_PER_SECOND
        shared = max(longest, whole / self.n_workers) + (spooling + filling) / self.n_workers
        return seconds + shared + (_START_SECONDS if self.n_workers > 1 else 0.0)

    def _read_seconds(self, stratum: Stratum, n_bytes: int) -> float:
        if stratum.read_bytes:
            return stratum.seconds * n_bytes / stratum.read_bytes
        if stratum.whole:  # of no known size
            return stratum.seconds
        known = [one for one in self._sample.strata if one.read_bytes]
        total = sum(one.text_bytes for one in known)
        return sum(one.seconds for one in known) * n_bytes * stratum.expansion / max(1, total)

    def _task_seconds(self, source: str, shard: Shard) -> float:
        return self._read_seconds(self._strata[source, *likeness(shard)], shard.n_bytes or 0)

    def _filling_seconds(self) -> float:
        """Building the filters, as fast as one for the sample's keys is built."""
        if self._way == "twice":
            windows = sum(one.windows for one in self._sample.counts.values())
            return self._sample.filter_seconds * self.n_keys / max(1, windows)
        some = Keys()
        for keys in self._sample.keys.values():
            if len(some) < _TIMED_KEYS:
                some.extend(keys)
        if not len(some):
            return 0.0
        layout = filters.layout(self._request.filter, len(some))
        (within,) = layout.ranges(1)
        began = time.perf_counter()
        layout.build([some], within)
        return (time.perf_counter() - began) * self.n_keys / len(some)

    def warnings(self, bundle_bytes: int, spool_bytes: int, memory_bytes: int) -> Iterator[str]:
        """What may go wrong, a sentence each."""
        yield from self._bad_rows()
        yield from self._long_tasks()
        if memory_bytes > self._execution.total_bytes and self._way == "twice":
            yield (
                f"a pybloom filter is built in memory: about {_mb(memory_bytes)}, and "
                f"{_mb(self._execution.total_bytes)} are allowed"
            )
        yield from self._full_disks(bundle_bytes, spool_bytes)

    def _bad_rows(self) -> Iterator[str]:
        n_bad = self._sample.n_bad_rows
        if n_bad:
            n_good = sum(one.documents for one in self._sample.counts.values())
            fails = self._request.reading.on_error == "fail"
            then = "the build stops there unless bad rows are skipped" if fails else "they are left out"
            yield (
                f"{n_bad:,} of {n_bad + n_good:,} rows of the sample cannot be read "
                f"({self._sample.first_bad_row}): {then}"
            )

    def _long_tasks(self) -> Iterator[str]:
        if self._divided is None or self._execution.n_workers == 1:
            return
        seconds = {shard.label: self._task_seconds(source, shard) for source, shard in self._divided.shards}
        share = sum(self._task_seconds(*one) for one in self._divided.shards) / self._execution.n_workers
        for label, longest in sorted(seconds.items(), key=lambda item: -item[1])[:_MOST_NAMED]:
            if longest > max(share, _LONG_TASK_SECONDS):
                yield (
                    f"{label}: cannot be divided, and is more than a worker's share of the corpus: "
                    f"{self._execution.n_workers} workers will wait for one; divide the file"
                )

    def _full_disks(self, bundle_bytes: int, spool_bytes: int) -> Iterator[str]:
        needs: dict[int, tuple[Path, int, str]] = {}
        wanted = [(self._out.parent, bundle_bytes, "the portrait")]
        if spool_bytes:
            wanted.append((self._execution.work_path(self._out), spool_bytes, "the keys meanwhile"))
        for path, n_bytes, what in wanted:
            there = next((p for p in (path, *path.absolute().parents) if p.exists()), None)
            if there is None:
                continue
            device = there.stat().st_dev
            _, before, names = needs.get(device, (there, 0, ""))
            needs[device] = (there, before + n_bytes, f"{names} and {what}" if names else what)
        for there, n_bytes, what in needs.values():
            free = shutil.disk_usage(there).free
            if n_bytes > free:
                yield (
                    f"{there}: {what} take about {_mb(n_bytes)} there, and {_mb(free)} are free: make room, "
                    "or choose another place"
                )


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"
