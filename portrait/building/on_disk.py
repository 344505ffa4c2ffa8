"""The build that keeps its keys in files: shards → runs → parts of filters → layers.

The result of each step is recorded in the work directory, and no later process repeats a recorded step.
Only runs depend on text, each on the text of one shard.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar

from portrait.building.layer import KeySummary, store_layer, summarise
from portrait.building.part_task import PartRecord, PartTask, RunList, build_part, open_part
from portrait.building.read_task import ReadRecord, ReadTask, read_shard
from portrait.building.reader import require_few_sources, require_text, require_unchanged
from portrait.corpus.provenance import ShardRead, corpus_records
from portrait.errors import SpecError, WorkDirError
from portrait.keys.maker import KEY_BYTES, Counts
from portrait.keys.runs import KeysInRuns, Run
from portrait.markup.numbers import count, counted
from portrait.progress import READING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.building.read_plan import ReadPlan
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter
    from portrait.engines.execution import Execution
    from portrait.engines.task import AnyTask, Engine, Work
    from portrait.progress import Progress
    from portrait.storage.workdir import WorkDir

#: Keys from which one task builds a part of a filter, at most, however much memory there is.
_MAX_PART_KEYS = 1 << 23


class _Record(Protocol):
    """The result of a task, which the work directory stores as JSON."""

    def to_json(self) -> dict[str, Any]: ...

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self: ...


_AnyRecord = TypeVar("_AnyRecord", bound=_Record)


class _Parts(NamedTuple):
    """A layer's filter in parts: the summary of its keys, and the names of its tasks, in order."""

    summary: KeySummary
    names: list[str]


class OnDiskBuild:
    """A build in a work directory; a :class:`portrait.building.way.Build`.

    Args:
        plan: What is to be read, in which tasks.
        work: The work directory, which this build has entered.
        engine: Runs the tasks.
        execution: How much memory each worker has.
        progress: Receives the progress.
    """

    def __init__(
        self, plan: ReadPlan, work: WorkDir, engine: Engine, execution: Execution, progress: Progress
    ) -> None:
        self._plan = plan
        self._work = work
        self._engine = engine
        self._execution = execution
        self._progress = progress

    @property
    def n_shards(self) -> int:
        """How many shards, or parts of shards, there are to read."""
        return len(self._plan.shards)

    def read(self, numbers: range | None = None) -> None:
        """Read the shards that no record says are read.

        Args:
            numbers: Which shards to consider; by default all.

        Raises:
            CorpusError: A row or a file cannot be read, or a file changes meanwhile.
            OutputError: The work directory cannot be written.
            WorkerError: A worker process died, again and again.
        """
        shards = self._plan.shards
        numbers = numbers if numbers is not None else range(len(shards))
        sizes = [shards[i][1].n_bytes for i in numbers]
        self._progress.start(None if None in sizes else sum(size or 0 for size in sizes), READING)
        try:
            tasks = []
            for i in numbers:
                if self._read_record(i) is None:
                    tasks.append(self._read_task(i))
                else:
                    self._progress.advance(shards[i][1].n_bytes or 0)
            # First the shards that only this process can read.
            for task in [task for task in tasks if task.shard.read_once]:
                self._work.note(task.name, read_shard(task, self._progress.advance).to_json())
            self._run(read_shard, [task for task in tasks if not task.shard.read_once])
        finally:
            self._progress.finish()

    def layers(self, writer: BundleWriter) -> list[Layer]:
        """Build and write all layers, ordered by source.

        Raises:
            SpecError: Some shards are not read yet.
            CorpusError: Files have changed since they were read, or hold no text.
            WorkDirError: Files of the work directory are gone or damaged. Resuming the build repeats only the
                work that was lost with them; the message says how much that is.
            OutputError: A file cannot be written.
            WorkerError: A worker process died, again and again.
        """
        records = self._read_records()
        counts: dict[str, Counts] = {}
        runs: dict[str, list[Run]] = {}
        for record in records:
            for source, some in record.counts.items():
                counts.setdefault(source, Counts()).add(some)
            for source, listed in record.runs.items():
                runs.setdefault(source, []).extend(listed)
        reading = self._plan.request.reading
        require_few_sources(len(counts), reading)
        skipped = [
            (location, one)
            for (location, _), record in zip(self._plan.shards, records, strict=True)
            for one in record.skipped.values()
        ]
        require_text(self._plan.sources, counts, reading.source_column, skipped)
        try:
            parts = self._build_parts(runs)
            # The rest is this process's work, which may need the workers' memory.
            self._engine.close()
            for (_, shard), stamps in zip(self._plan.shards, self._plan.stamps, strict=True):
                require_unchanged(stamps, shard)
            return self._store(parts, counts, writer)
        except WorkDirError as error:
            raise WorkDirError(f"{error} ({self._discard_damaged(records)})") from error
        finally:
            self._progress.finish()

    def corpus(self) -> dict[str, Any]:
        """Return the manifest's record of the corpus.

        Raises:
            SpecError: Some shards are not read yet.
        """
        shards_read = [
            ShardRead(
                location,
                [stamp.path for stamp in stamps],
                record.sources,
                record.digests,
                record.skipped,
            )
            for (location, _), stamps, record in zip(
                self._plan.shards, self._plan.stamps, self._read_records(), strict=True
            )
        ]
        return corpus_records(self._plan.sources, shards_read, self._plan.request.reading.source_column)

    def _read_task(self, number: int) -> ReadTask:
        source, shard = self._plan.shards[number]
        return ReadTask(
            self._plan.record_name(number),
            source,
            shard,
            self._plan.stamps[number],
            self._plan.request.reading,
            self._work.data,
            self._plan.n_partitions,
            self._execution.buffer_keys,
        )

    def _run(self, work: Work[AnyTask, _Record], tasks: Sequence[AnyTask]) -> None:
        """Run tasks, and record the result of each."""
        for task, record in self._engine.run(work, tasks, self._progress.advance):
            self._work.note(task.name, record.to_json())

    def _recorded(self, kind: type[_AnyRecord], name: str) -> _AnyRecord | None:
        """Return the record of a task; nothing where there is none, or none that makes sense."""
        content = self._work.record(name)
        if content is not None:
            with suppress(LookupError, TypeError, ValueError, AttributeError):
                return kind.from_json(content)
        return None

    def _read_record(self, number: int) -> ReadRecord | None:
        return self._recorded(ReadRecord, self._plan.record_name(number))

    def _read_records(self) -> list[ReadRecord]:
        """Return the records of all map tasks."""
        records = [self._read_record(i) for i in range(self.n_shards)]
        missing = [self._plan.shards[i][1].label for i, record in enumerate(records) if record is None]
        if missing:
            raise SpecError(
                f"{self._work.path}: {count(len(missing))} of {counted(len(records), 'shard')} are not read "
                f"yet, {missing[0]} among them: read their shares first",
                parameter="share",
            )
        return [record for record in records if record is not None]

    def _part_record(self, name: str) -> PartRecord:
        record = self._recorded(PartRecord, name)
        if record is None:
            raise WorkDirError(
                f"{self._work.data / name}: its record is gone: re-run the same call, which builds it again"
            )
        return record

    def _build_parts(self, runs: dict[str, list[Run]]) -> dict[str, _Parts]:
        """Build the parts of all layers' filters that no record says are built."""
        tasks: list[PartTask] = []
        parts: dict[str, _Parts] = {}
        spec = self._plan.request.filter
        n_keys = 0
        for number, source in enumerate(sorted(runs)):
            list_name = f"runs-{number:03}"
            self._work.note(list_name, RunList(tuple(runs[source])).to_json())
            keys = KeysInRuns(self._work.data, runs[source], self._plan.n_partitions)
            n_keys += keys.n_keys
            summary = summarise(keys)
            ranges = summary.layout(spec).ranges(self._n_ranges(keys.n_keys))
            names = [f"part-{number:03}-{i:06}-of-{len(ranges):06}" for i in range(len(ranges))]
            parts[source] = _Parts(summary, names)
            tasks += [
                PartTask(
                    name,
                    source,
                    spec,
                    summary.n_keys,
                    within,
                    self._work.data,
                    f"{list_name}.json",
                    self._plan.n_partitions,
                )
                for name, within in zip(names, ranges, strict=True)
                if self._recorded(PartRecord, name) is None
            ]
        self._progress.start(KEY_BYTES * n_keys, "building")
        self._run(build_part, tasks)
        self._progress.finish()
        return parts

    def _n_ranges(self, n_keys: int) -> int:
        """Return into how many ranges to divide a layer's keys so that each fits into a worker's memory."""
        n_ranges = max(1, -(-n_keys // min(_MAX_PART_KEYS, self._execution.sorted_keys)))
        if n_ranges > 1:  # as much work for the last worker as for the first
            n_ranges = -(-n_ranges // self._engine.n_workers) * self._engine.n_workers
        return n_ranges

    def _store(
        self, parts: dict[str, _Parts], counts: dict[str, Counts], writer: BundleWriter
    ) -> list[Layer]:
        """Write the layers whose filters are built."""
        names = [name for layer in parts.values() for name in layer.names]
        self._progress.start(sum(self._part_record(name).n_bytes for name in names), "writing")
        return [
            store_layer(
                source,
                counts[source],
                layer.summary,
                [open_part(self._work.data, name, self._part_record(name)) for name in layer.names],
                self._plan.request,
                writer,
                self._progress,
            )
            for source, layer in parts.items()
        ]

    def _discard_damaged(self, records: list[ReadRecord]) -> str:
        """Remove the records of all that is gone or damaged, and return how much will be done again."""
        runs = [[run for some in record.runs.values() for run in some] for record in records]
        n_keys = sum(run.n_keys for some in runs for run in some)
        self._progress.start(KEY_BYTES * n_keys, "checking")
        n_shards = 0
        for number, some in enumerate(runs):
            keys = KeysInRuns(self._work.data, some, self._plan.n_partitions)
            if not _is_whole(keys.check):
                self._work.forget(self._plan.record_name(number))
                n_shards += 1
            self._progress.advance(KEY_BYTES * keys.n_keys)
        names = sorted(path.stem for path in self._work.data.glob("part-*.json"))
        n_parts = 0
        for name in names:
            part = self._recorded(PartRecord, name)
            if part is None or not _is_whole(partial(open_part, self._work.data, name, part)):
                self._work.forget(name)
                n_parts += 1
        again = []
        if n_shards:
            again.append(f"{count(n_shards)} of {counted(len(records), 'shard')} to read again")
        if n_parts:
            again.append(f"{count(n_parts)} of {counted(len(names), 'part')} of filters to build again")
        return ", ".join(again) or "nothing else is lost"


def _is_whole(look: Callable[[], object]) -> bool:
    try:
        look()
    except WorkDirError:
        return False
    return True
