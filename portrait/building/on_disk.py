"""A build whose keys lie in files: shards → runs → parts of filters → layers, each step noted.

What is noted is not done again, by whatever process goes on with it; only a shard's runs depend on
text, and only on that of its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from portrait.building.layer import Measured, measure, store_layer
from portrait.building.part_task import PartTask, build_part, open_part
from portrait.building.read_task import ReadTask, read_shard
from portrait.building.reader import require_few_sources, require_text, require_unchanged
from portrait.corpus.provenance import ShardRead, Skipped, corpus_records
from portrait.corpus.shards import expansion
from portrait.errors import SpecError, SpoolError, UnreadableFileError
from portrait.keys.maker import KEY_BYTES, Counts
from portrait.keys.runs import Run, Spool
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.building.reader import ReadOptions
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter
    from portrait.corpus.shards import Shard, Source, Stamp
    from portrait.engines.execution import Execution
    from portrait.engines.task import AnyTask, Engine, Work
    from portrait.progress import Progress
    from portrait.spec import FilterSpec
    from portrait.storage.workdir import WorkDir

#: Text in a task, roughly: enough to make its cost small, little enough to share the work evenly.
_TASK_TEXT_BYTES = 64 << 20
#: Text whose keys make a partition, roughly: its blocks of a Bloom filter fit the cache.
_PARTITION_TEXT_BYTES = 32 << 20
_MIN_PARTITIONS, _MAX_PARTITIONS = 16, 4096
#: Keys of which one task makes a part of a filter, at most, whatever the memory.
_MOST_PART_KEYS = 1 << 23


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What is to be read, in which tasks, and into how many partitions."""

    sources: tuple[Source, ...]
    reading: ReadOptions
    filter: FilterSpec
    shards: tuple[tuple[str, Shard], ...]
    stamps: tuple[list[Stamp], ...]
    n_partitions: int
    request: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """What another build must have in common with this one to go on with it."""
        # With its source: the same files in other sources are another corpus.
        inputs = {
            (source, stamp.path): [*stamp.to_json(), source]
            for (source, _), stamps in zip(self.shards, self.stamps, strict=True)
            for stamp in stamps
        }
        return {
            "version of portrait": __version__,
            "windows": asdict(self.reading.windows),
            "filter": asdict(self.filter),
            "source column": self.reading.source_column,
            **self.request,
            "sources": [source.name for source in self.sources],
            "inputs": list(inputs.values()),
            "tasks": len(self.shards),
            "partitions": self.n_partitions,
        }

    @property
    def resumable(self) -> bool:
        """Whether all of its inputs can be recognised."""
        return all(self.stamps) and not any(shard.read_once for _, shard in self.shards)

    def name(self, number: int) -> str:
        """What the files of a shard's task begin with."""
        return f"read-{number:06}"


def plan(
    sources: Sequence[Source], reading: ReadOptions, spec: FilterSpec, request: dict[str, Any]
) -> ReadPlan:
    """Divide the reading of a corpus into tasks, the same ones whoever does them."""
    text_bytes = sum(source.text_bytes or 0 for source in sources)
    partitions = _MIN_PARTITIONS
    while partitions < _MAX_PARTITIONS and partitions * _PARTITION_TEXT_BYTES < text_bytes:
        partitions *= 2
    # By name, so that a build can be gone on with whatever order the files are given in.
    shards = tuple(
        (source.name, part)
        for source in sources
        for shard in sorted(source.shards, key=lambda shard: shard.label)
        for part in _parts_of(shard)
    )
    stamps = tuple(shard.stamps() for _, shard in shards)
    return ReadPlan(tuple(sources), reading, spec, shards, stamps, partitions, request)


def _parts_of(shard: Shard) -> list[Shard]:
    """The shard in parts of a task each; whole where it cannot be read, which its task will say."""
    try:
        return shard.split(round(_TASK_TEXT_BYTES / expansion(shard)))
    except UnreadableFileError:
        return [shard]


class SpooledBuild:
    """The steps of a build in a work directory, whose tasks an engine runs."""

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
        """How many shards, or parts of them, there are to read."""
        return len(self._plan.shards)

    def read(self, chosen: range | None = None) -> None:
        """Read the shards, or ``chosen`` ones of them, that are not read yet. Raises :class:`CorpusError`."""
        shards = self._plan.shards
        numbers = chosen if chosen is not None else range(len(shards))
        sizes = [shards[i][1].n_bytes for i in numbers]
        self._progress.start(None if None in sizes else sum(size or 0 for size in sizes), "reading")
        try:
            tasks = []
            for i in numbers:
                if self._work.record(self._plan.name(i)) is None:
                    tasks.append(self._read_task(i))
                else:
                    self._progress.advance(shards[i][1].n_bytes or 0)
            # What only this process can read comes first.
            for task in [task for task in tasks if task.shard.read_once]:
                self._work.note(task.name, read_shard(task, self._progress.advance))
            self._do(read_shard, [task for task in tasks if not task.shard.read_once])
        finally:
            self._progress.finish()

    def _read_task(self, number: int) -> ReadTask:
        source, shard = self._plan.shards[number]
        return ReadTask(
            self._plan.name(number),
            source,
            shard,
            self._plan.stamps[number],
            self._plan.reading,
            self._work.data,
            self._plan.n_partitions,
            self._execution.buffer_keys,
        )

    def _do(self, work: Work[AnyTask], tasks: list[AnyTask]) -> None:
        for task, result in self._engine.run(work, tasks, self._progress.advance):
            self._work.note(task.name, result)

    def layers(self, writer: BundleWriter, max_piece_bytes: int) -> list[Layer]:
        """Build and write all layers.

        Raises :class:`SpecError` where shards are not read yet, :class:`CorpusError` where files are no
        longer what they were, :class:`SpoolError`, which leaves what was lost to be done again.
        """
        records = self._records()
        counts: dict[str, Counts] = {}
        runs: dict[str, list[Run]] = {}
        for (_, shard), record in zip(self._plan.shards, records, strict=True):
            for source, counted in record["counts"].items():
                counts.setdefault(source, Counts()).add(Counts.from_dict(counted))
            for source, files in record["runs"].items():
                runs.setdefault(source, []).extend(Run(file, n, shard.label) for file, n in files)
        require_few_sources(len(counts), self._plan.reading)
        require_text(self._plan.sources, counts, self._plan.reading.source_column)
        spec = self._plan.filter
        try:
            made = self._parts(runs)
            # What is left is this process's work, and the others' memory may be wanted for it.
            self._engine.close()
            for (_, shard), stamps in zip(self._plan.shards, self._plan.stamps, strict=True):
                require_unchanged(stamps, shard)
            layers = []
            names_of_all = [name for _, names in made.values() for name in names]
            self._progress.start(sum(sum(self._noted(name)["sizes"]) for name in names_of_all), "writing")
            for source, (measured, names) in made.items():
                parts = [open_part(self._work.data, name, self._noted(name)) for name in names]
                layers.append(
                    store_layer(
                        source, counts[source], measured, spec, parts, writer, max_piece_bytes, self._progress
                    )
                )
            return layers
        except SpoolError:
            self._forget_lost(records)
            raise
        finally:
            self._progress.finish()

    def corpus(self) -> dict[str, Any]:
        """What the manifest says of it."""
        read = [
            ShardRead(
                location,
                [stamp.path for stamp in stamps],
                record["sources"],
                record["digests"],
                {label: Skipped(**one) for label, one in record["skipped"].items()},
            )
            for (location, _), stamps, record in zip(
                self._plan.shards, self._plan.stamps, self._records(), strict=True
            )
        ]
        return corpus_records(self._plan.sources, read, self._plan.reading.source_column)

    def _records(self) -> list[dict[str, Any]]:
        found = [self._work.record(self._plan.name(i)) for i in range(len(self._plan.shards))]
        missing = [self._plan.shards[i][1].label for i, record in enumerate(found) if record is None]
        if missing:
            raise SpecError(
                f"{self._work.path}: {len(missing)} of {len(found)} shards are not read yet, {missing[0]} "
                "among them: run the tasks that read them first"
            )
        return [record for record in found if record is not None]

    def _parts(self, runs: dict[str, list[Run]]) -> dict[str, tuple[Measured, list[str]]]:
        """Of each layer, what was measured of its keys, and the names of its filter's parts, in order."""
        tasks: list[PartTask] = []
        made: dict[str, tuple[Measured, list[str]]] = {}
        keys_at_once = min(_MOST_PART_KEYS, self._execution.sorted_keys)
        n_keys = 0
        for number, source in enumerate(sorted(runs)):
            listed = f"runs-{number:03}"
            self._work.note(listed, {"runs": runs[source]})
            spool = Spool(self._work.data, runs[source], self._plan.n_partitions)
            n_keys += spool.n_keys
            measured = measure(spool)
            n_ranges = max(1, -(-spool.n_keys // keys_at_once))
            if n_ranges > 1:  # as much work for the last worker as for the first
                n_ranges = -(-n_ranges // self._engine.n_workers) * self._engine.n_workers
            ranges = measured.layout(self._plan.filter).ranges(n_ranges)
            names = [f"part-{number:03}-{i:06}-of-{len(ranges):06}" for i in range(len(ranges))]
            made[source] = measured, names
            tasks += [
                PartTask(
                    name,
                    source,
                    self._plan.filter,
                    measured,
                    within,
                    self._work.data,
                    f"{listed}.json",
                    self._plan.n_partitions,
                )
                for name, within in zip(names, ranges, strict=True)
                if self._work.record(name) is None
            ]
        self._progress.start(KEY_BYTES * n_keys, "building")
        self._do(build_part, tasks)
        self._progress.finish()
        return made

    def _noted(self, name: str) -> dict[str, Any]:
        record = self._work.record(name)
        if record is None:
            raise SpoolError(f"{self._work.data / name}: is gone: run the same command again")
        return record

    def _forget_lost(self, records: list[dict[str, Any]]) -> None:
        """Have what is gone or damaged read or made again, next time."""
        for number, record in enumerate(records):
            runs = [Run(file, n, "") for files in record["runs"].values() for file, n in files]
            spool = Spool(self._work.data, runs, self._plan.n_partitions)
            if not _is_whole(spool.check):
                self._work.forget(self._plan.name(number))
        for path in self._work.data.glob("part-*.json"):
            made = self._work.record(path.stem)
            if made is None or not _is_whole(partial(open_part, self._work.data, path.stem, made)):
                self._work.forget(path.stem)


def _is_whole(look: Callable[[], object]) -> bool:
    try:
        look()
    except SpoolError:
        return False
    return True
