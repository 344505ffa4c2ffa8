"""The map task: a shard → runs of keys in the work directory, and a record of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from portrait.building.reader import Reader, ReadOptions, require_unchanged
from portrait.corpus.provenance import Skipped
from portrait.keys.maker import Counts, KeyMaker
from portrait.keys.runs import Run, write_run

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.corpus.shards import Shard, Stamp
    from portrait.engines.task import ProgressCallback


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A shard to read into runs of keys; a :class:`portrait.engines.task.Task`.

    Args:
        name: The name of the record, and the beginning of the runs' names.
        source: The source of the shard's rows, unless a column names them.
        shard: The shard.
        stamps: What the shard's files are expected to be.
        reading: How the shard is read.
        directory: Where the runs go.
        n_partitions: How many partitions each run has.
        buffer_keys: How many keys are in memory when they are written as runs.
    """

    name: str
    source: str
    shard: Shard
    stamps: list[Stamp]
    reading: ReadOptions
    directory: Path
    n_partitions: int
    buffer_keys: int

    @property
    def label(self) -> str:
        """The shard's label."""
        return self.shard.label


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """What a map task leaves for the rest of the build.

    Args:
        counts: The counts of each source's documents.
        runs: The runs of each source.
        sources: The sources of the shard's rows.
        digests: The digest of each file, by its path.
        skipped: What was left out, by the label of the shard.
    """

    counts: dict[str, Counts]
    runs: dict[str, tuple[Run, ...]]
    sources: tuple[str, ...]
    digests: dict[str, str]
    skipped: dict[str, Skipped]

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "counts": {source: counts.to_dict() for source, counts in self.counts.items()},
            "runs": {source: [run.to_json() for run in runs] for source, runs in self.runs.items()},
            "sources": list(self.sources),
            "digests": self.digests,
            "skipped": {label: asdict(skipped) for label, skipped in self.skipped.items()},
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Return the record of :meth:`to_json`.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: ``content`` is something else.
        """
        return cls(
            counts={source: Counts.from_dict(counts) for source, counts in content["counts"].items()},
            runs={source: tuple(map(Run.from_json, runs)) for source, runs in content["runs"].items()},
            sources=tuple(content["sources"]),
            digests=dict(content["digests"]),
            skipped={label: Skipped(**skipped) for label, skipped in content["skipped"].items()},
        )


def read_shard(task: ReadTask, report: ProgressCallback) -> ReadRecord:
    """Read a shard into runs of keys.

    Args:
        task: The task.
        report: Receives the progress.

    Returns:
        Where the runs are, and what was read.

    Raises:
        CorpusError: The shard cannot be read, or its files change meanwhile.
        OutputError: A run cannot be written.
    """
    require_unchanged(task.stamps, task.shard)
    spiller = _Spiller(task)
    reader = Reader(task.reading, spiller.make_sink, spiller.spill_if_full)
    sources = reader.read(task.shard, task.source, report)
    spiller.spill()
    require_unchanged(task.stamps, task.shard)
    return ReadRecord(
        counts={source: sink.counts for source, sink in reader.sinks.items()},
        runs={source: tuple(runs) for source, runs in spiller.runs.items()},
        sources=tuple(sorted(sources)),
        digests=reader.digests,
        skipped=reader.skipped,
    )


class _Spiller:
    """The keys of several sources, written as runs whenever the buffer is full."""

    def __init__(self, task: ReadTask) -> None:
        self.runs: dict[str, list[Run]] = {}
        self._makers: dict[str, KeyMaker] = {}
        self._task = task

    def make_sink(self, source: str) -> KeyMaker:
        """Return the collector of a source's keys."""
        self.runs[source] = []
        reading = self._task.reading
        return self._makers.setdefault(source, KeyMaker(reading.windows, documents=reading.documents))

    def spill_if_full(self) -> None:
        """Write all keys if the buffer is full."""
        if sum(len(maker.keys) for maker in self._makers.values()) >= self._task.buffer_keys:
            self.spill()

    def spill(self) -> None:
        """Write all keys in memory, a run for each source."""
        for number, (source, maker) in enumerate(self._makers.items()):
            runs = self.runs[source]
            n_keys = len(maker.keys)
            if n_keys == 0:
                continue
            name = f"{self._task.name}-{number:03}-{len(runs):04}.keys"
            keys, counts = maker.keys.partitioned(self._task.n_partitions)
            write_run(self._task.directory / name, keys, counts)
            maker.keys.clear()
            runs.append(Run(name, n_keys, self._task.label))
