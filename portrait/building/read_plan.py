"""The division of a corpus into map tasks, the same whoever does them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from portrait.corpus.shards import expansion
from portrait.errors import UnreadableFileError
from portrait.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.building.request import Request
    from portrait.corpus.shards import Shard, Source, Stamp

#: Text of a task, roughly: enough to make its cost small, little enough to share the work evenly.
TASK_TEXT_BYTES = 64 << 20
#: Text whose keys make a partition, roughly: its blocks of a Bloom filter fit the cache.
_PARTITION_TEXT_BYTES = 32 << 20
_MIN_PARTITIONS, _MAX_PARTITIONS = 16, 4096


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What is to be read, in which tasks, and into how many partitions.

    Args:
        sources: The sources.
        request: What is to be built.
        shards: What each task reads: a shard, or a part of one, and the name of its source.
        stamps: The state of each task's files, as :meth:`Shard.stamps` returns it.
        n_partitions: How many partitions each run has.
    """

    sources: tuple[Source, ...]
    request: Request
    shards: tuple[tuple[str, Shard], ...]
    stamps: tuple[list[Stamp], ...]
    n_partitions: int

    def to_json(self) -> dict[str, Any]:
        """Return what another build must have in common with this one to resume it."""
        # With its source: the same files in other sources are another corpus.
        inputs = {
            (source, stamp.path): [*stamp.to_json(), source]
            for (source, _), stamps in zip(self.shards, self.stamps, strict=True)
            for stamp in stamps
        }
        return {
            "version of portrait": __version__,
            "windows": asdict(self.request.windows),
            "filter": asdict(self.request.filter),
            "documents": self.request.reading.documents,
            "source column": self.request.reading.source_column,
            "columns": list(self.request.columns.text),
            "format": self.request.format,
            "sources": [source.name for source in self.sources],
            "inputs": list(inputs.values()),
            "tasks": len(self.shards),
            "partitions": self.n_partitions,
        }

    @property
    def resumable(self) -> bool:
        """Whether another build can recognise and read all inputs."""
        return all(self.stamps) and not any(shard.read_once for _, shard in self.shards)

    def record_name(self, number: int) -> str:
        """Return the name under which the result of a task is recorded."""
        return f"read-{number:06}"


def plan_reading(sources: Sequence[Source], request: Request) -> ReadPlan:
    """Divide the reading of a corpus into tasks."""
    text_bytes = sum(source.text_bytes or 0 for source in sources)
    partitions = _MIN_PARTITIONS
    while partitions < _MAX_PARTITIONS and partitions * _PARTITION_TEXT_BYTES < text_bytes:
        partitions *= 2
    # By name, so that a build can be resumed whatever order the files are given in.
    shards = tuple(
        (source.name, part)
        for source in sources
        for shard in sorted(source.shards, key=lambda shard: shard.label)
        for part in _parts_of(shard)
    )
    stamps = tuple(shard.stamps() for _, shard in shards)
    return ReadPlan(tuple(sources), request, shards, stamps, partitions)


def _parts_of(shard: Shard) -> list[Shard]:
    """Return the shard in parts of a task each, or whole where it cannot be read: its task will say why."""
    try:
        return shard.split(round(TASK_TEXT_BYTES / expansion(shard)))
    except UnreadableFileError:
        return [shard]
