"""A pass over a corpus in one process: its shards, one after the other, into sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait.building.reader import Reader, require_text, require_unchanged
from portrait.corpus.provenance import ShardRead, Skipped, corpus_records
from portrait.progress import READING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.building.reader import ReadOptions
    from portrait.corpus.shards import Source
    from portrait.keys.maker import BatchSink
    from portrait.progress import Progress
    from portrait.spec import FilterSpec


class CorpusPass:
    """Reads shards one after the other."""

    def __init__(
        self, sources: Sequence[Source], reading: ReadOptions, spec: FilterSpec, progress: Progress
    ) -> None:
        self._sources = sources
        self._reading = reading
        self._spec = spec
        self._progress = progress
        self._read: list[ShardRead] = []

    def _go_through(self, make: Callable[[str], BatchSink], stage: str = READING) -> dict[str, BatchSink]:
        """Put all text into sinks, by source."""
        sizes = [source.n_bytes for source in self._sources]
        self._read.clear()
        reader = Reader(self._reading, make)
        self._progress.start(None if None in sizes else sum(size or 0 for size in sizes), stage)
        try:
            for source in self._sources:
                for shard in source.shards:
                    stamps = shard.stamps()
                    reader.skipped.clear()
                    reader.digests.clear()
                    seen = reader.read(shard, source.name, self._progress.advance)
                    require_unchanged(stamps, shard)
                    paths = [stamp.path for stamp in stamps]
                    skipped = {label: Skipped(**one) for label, one in reader.skipped.items()}
                    self._read.append(ShardRead(source.name, paths, seen, dict(reader.digests), skipped))
        finally:
            self._progress.finish()
        counts = {name: sink.counts for name, sink in reader.sinks.items()}
        require_text(self._sources, counts, self._reading.source_column)
        return dict(sorted(reader.sinks.items()))

    def corpus(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return corpus_records(self._sources, self._read, self._reading.source_column)
