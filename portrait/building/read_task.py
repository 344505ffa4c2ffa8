"""A map task: a shard → runs of keys in a work directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.building.reader import Reader, ReadOptions, require_unchanged
from portrait.keys.maker import Counts, KeyMaker
from portrait.keys.runs import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.corpus.shards import Shard, Stamp
    from portrait.engines.task import ProgressCallback


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A shard to be read into runs of keys in a directory; a :class:`portrait.engines.task.Task`.

    ``stamps`` are what its files are expected to be. The runs have ``n_partitions``; as soon as
    ``buffer_keys`` are in memory, they are written.
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
        """The shard's."""
        return self.shard.label


class Spiller:
    """Keys of several sources, written as runs whenever there are too many to hold."""

    def __init__(
        self, reading: ReadOptions, directory: Path, prefix: str, n_partitions: int, buffer_keys: int
    ) -> None:
        self.reader = Reader(reading, self._make, self._spill_if_full)
        self.runs: dict[str, list[tuple[str, int]]] = {}
        self._makers: dict[str, KeyMaker] = {}
        self._windows = reading.windows
        self._directory = directory
        self._prefix = prefix
        self._n_partitions = n_partitions
        self._buffer_keys = buffer_keys

    @property
    def counts(self) -> dict[str, Counts]:
        """What was read of each source."""
        return {name: maker.counts for name, maker in self._makers.items()}

    def _make(self, source: str) -> KeyMaker:
        self.runs[source] = []
        return self._makers.setdefault(source, KeyMaker(self._windows))

    def _spill_if_full(self) -> None:
        if sum(len(maker.keys) for maker in self._makers.values()) >= self._buffer_keys:
            self.spill()

    def spill(self) -> None:
        """Write all keys that are held. Raises :class:`OutputError`."""
        for number, (source, maker) in enumerate(self._makers.items()):
            runs = self.runs[source]
            n_keys = len(maker.keys)
            if n_keys == 0:
                continue
            name = f"{self._prefix}-{number:03}-{len(runs):04}.keys"
            keys, counts = maker.keys.partitioned(self._n_partitions)
            write_run(self._directory / name, keys, counts)
            maker.keys.clear()
            runs.append((name, n_keys))


def read_shard(task: ReadTask, report: ProgressCallback) -> dict[str, Any]:
    """Read a shard into runs of keys; what it returns says where they are and what was read.

    Raises :class:`CorpusError`, :class:`OutputError`.
    """
    require_unchanged(task.stamps, task.shard)
    spiller = Spiller(task.reading, task.directory, task.name, task.n_partitions, task.buffer_keys)
    sources = spiller.reader.read(task.shard, task.source, report)
    spiller.spill()
    require_unchanged(task.stamps, task.shard)
    return {
        "counts": {source: counts.to_dict() for source, counts in spiller.counts.items()},
        "runs": spiller.runs,
        "sources": sorted(sources),
        "digests": spiller.reader.digests,
        "skipped": spiller.reader.skipped,
    }
