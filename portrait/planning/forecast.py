"""From the expected counts of a corpus to what its build takes: sizes, memory and time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from portrait.building.read_plan import plan_reading
from portrait.engines.execution import BYTES_PER_SORTED_KEY
from portrait.errors import SpecError
from portrait.filters import kinds as filters
from portrait.keys.maker import KEY_BYTES, Keys
from portrait.planning.counts import planned_sources
from portrait.planning.ratio import Range
from portrait.planning.strata import likeness
from portrait.sizing import keys_to_hold
from portrait.spec import FilterSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.building.request import Request
    from portrait.building.way import Way
    from portrait.corpus.shards import Source
    from portrait.engines.execution import Execution
    from portrait.planning.sample import Sample
    from portrait.planning.strata import Stratum
    from portrait.spec import FilterKind

#: The size of the header of a layer's file, about.
_HEADER_BYTES = 192
#: The memory of a process with Python, Arrow and the text being read.
_PROCESS_BYTES = 160_000_000
#: The number of keys whose filter is built to measure the time.
_TIMED_KEYS = 1 << 20
#: The times to start processes, and to measure and probe a layer, about.
_START_SECONDS, _LAYER_SECONDS = 0.8, 0.08
#: The time to look up a file several times and to record it in the manifest.
_FILE_SECONDS = 50e-6
#: The rates at which keys are spilled to files and read again, and layers hashed, written and synced, about.
_SPILL_BYTES_PER_SECOND, _WRITE_BYTES_PER_SECOND = 500e6, 300e6


class Forecast:
    """What a build is expected to take if it goes one ``way``, extrapolated from a sample of its sources."""

    def __init__(
        self,
        request: Request,
        sources: Sequence[Source],
        execution: Execution,
        way: Way,
        sample: Sample,
    ) -> None:
        self._request = request
        self._execution = execution
        self._way = way
        self.sample = sample
        self._read_plan = plan_reading(sources, request) if way == "disk" else None
        self.n_tasks = len(self._read_plan.shards) if self._read_plan else 1
        self.n_workers = min(execution.n_workers, self.n_tasks)
        self._strata = {(one.source, one.kind, one.suffix): one for one in sample.strata}
        self.sources = planned_sources(
            sample,
            by_column=request.reading.source_column is not None,
            document_keys=request.reading.documents,
        )
        #: The number of keys of all sources, repeated ones included.
        self.n_keys = sum(one.keys for one in self.sources)

    def bundle_bytes(self, kind: FilterKind) -> int | None:
        """Return the size of all layers with a filter of this kind; ``None`` if it cannot be built."""
        try:
            spec = FilterSpec(kind, self._request.filter.fpr)
            filters.require_windows(kind, self._request.windows)
        except SpecError:
            return None
        return sum(_layer_bytes(spec, one.distinct_keys) for one in self.sources)

    def bundle_bytes_range(self, kind: FilterKind) -> Range:
        """Return the interval that holds the size of all layers with a filter of this kind."""
        spec = FilterSpec(kind, self._request.filter.fpr)
        return Range(
            sum(_layer_bytes(spec, one.distinct_keys_range.low) for one in self.sources),
            sum(_layer_bytes(spec, one.distinct_keys_range.high) for one in self.sources),
        )

    def work_dir_bytes(self, bundle_bytes: int) -> int:
        """Return the size of the work directory at most: keys, and parts of filters."""
        if self._read_plan is None:
            return 0
        heads = self.n_tasks * 2 * KEY_BYTES * self._read_plan.n_partitions
        return self.n_keys * KEY_BYTES + heads + bundle_bytes

    def memory_bytes(self, bundle_bytes: int) -> int:
        """Return the memory of all processes at a time, at most."""
        if self._read_plan is None:
            is_sorted = self._request.filter.kind == "ribbon" or self._way == "two_pass"
            # A growing buffer is allocated half as large again as its content.
            per_key = BYTES_PER_SORTED_KEY if is_sorted else KEY_BYTES * 3 // 2
            return _PROCESS_BYTES + self.n_keys * per_key + bundle_bytes
        # Reading takes less: a worker buffers no more keys than it sorts later, and in less memory.
        making = BYTES_PER_SORTED_KEY * min(self.n_keys // self.n_workers, self._execution.sorted_keys)
        first = _PROCESS_BYTES if self.n_workers > 1 else 0
        return first + self.n_workers * (_PROCESS_BYTES + making)

    def seconds(self, bundle_bytes: int) -> float:
        """Return about how long the build takes, at the speed at which the sample was read and hashed."""
        whole = sum(self._read_seconds(one, one.n_bytes) for one in self.sample.strata)
        filling = self._filling_seconds()
        n_files = sum(one.n_files for one in self.sample.strata)
        fixed = len(self.sources) * _LAYER_SECONDS + n_files * _FILE_SECONDS
        fixed += bundle_bytes / _WRITE_BYTES_PER_SECOND
        if self._read_plan is None:
            return fixed + filling + whole * (2 if self._way == "two_pass" else 1)
        longest = max(seconds for _, seconds in self.task_seconds)
        spilling = 2 * self.n_keys * KEY_BYTES / _SPILL_BYTES_PER_SECOND
        shared = max(longest, whole / self.n_workers) + (spilling + filling) / self.n_workers
        return fixed + shared + (_START_SECONDS if self.n_workers > 1 else 0.0)

    def _read_seconds(self, stratum: Stratum, n_bytes: int | None) -> float:
        if n_bytes is None:  # What has an unknown size was read whole.
            return stratum.seconds
        if stratum.read_bytes:
            return stratum.seconds * n_bytes / stratum.read_bytes
        others = [one for one in self.sample.strata if one.read_bytes]
        total = sum(one.text_bytes for one in others)
        return sum(one.seconds for one in others) * n_bytes * stratum.expansion / max(1, total)

    @property
    def task_seconds(self) -> list[tuple[str, float]]:
        """The shards that read tasks read, and about how long each takes; none if there are no tasks."""
        shards = self._read_plan.shards if self._read_plan else ()
        return [
            (shard.label, self._read_seconds(self._strata[source, *likeness(shard)], shard.n_bytes))
            for source, shard in shards
        ]

    def _filling_seconds(self) -> float:
        """Return the time to build the filters, at the speed at which one for the sample's keys is built."""
        if self._way == "two_pass":
            windows = sum(one.windows for one in self.sample.counts.values())
            return self.sample.filter_seconds * self.n_keys / max(1, windows)
        some = Keys()
        for keys in (one for places in self.sample.keys.values() for one in places):
            if len(some) < _TIMED_KEYS:
                some.extend(keys)
        if not len(some):
            return 0.0
        layout = filters.layout(self._request.filter, len(some))
        (within,) = layout.ranges(1)
        began = time.perf_counter()
        layout.build([some], within)
        return (time.perf_counter() - began) * self.n_keys / len(some)


def _layer_bytes(spec: FilterSpec, n_distinct: int) -> int:
    """Return the size of the file of a layer with so many distinct keys."""
    return filters.expected(spec, keys_to_hold(n_distinct))[0] + _HEADER_BYTES
