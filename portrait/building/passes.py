"""A pass over a corpus in one process: one shard after the other, into sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait.building.reader import Reader, require_text, require_unchanged
from portrait.corpus.provenance import ShardRead, corpus_records
from portrait.progress import READING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.building.request import Request
    from portrait.corpus.shards import Source
    from portrait.keys.maker import BatchSink
    from portrait.progress import Progress


class CorpusPass:
    """The part of a build in one process that reads the corpus."""

    def __init__(self, sources: Sequence[Source], request: Request, progress: Progress) -> None:
        self._sources = sources
        self._request = request
        self._progress = progress
        self._shards_read: list[ShardRead] = []

    def _read_all(self, make_sink: Callable[[str], BatchSink], stage: str = READING) -> None:
        """Put all rows into sinks, one for each source.

        Raises:
            CorpusError: A row or a file cannot be read, or a file changes meanwhile.
        """
        sizes = [source.n_bytes for source in self._sources]
        self._shards_read.clear()
        reader = Reader(self._request.reading, make_sink)
        self._progress.start(None if None in sizes else sum(size or 0 for size in sizes), stage)
        try:
            for source in self._sources:
                for shard in source.shards:
                    stamps = shard.stamps()
                    reader.skipped.clear()
                    reader.digests.clear()
                    names = reader.read(shard, source.name, self._progress.advance)
                    require_unchanged(stamps, shard)
                    paths = [stamp.path for stamp in stamps]
                    self._shards_read.append(
                        ShardRead(source.name, paths, names, dict(reader.digests), dict(reader.skipped))
                    )
        finally:
            self._progress.finish()
        counts = {name: sink.counts for name, sink in reader.sinks.items()}
        skipped = [(shard.location, one) for shard in self._shards_read for one in shard.skipped.values()]
        require_text(self._sources, counts, self._request.reading.source_column, skipped)

    def corpus(self) -> dict[str, Any]:
        """Return the manifest's record of the corpus."""
        return corpus_records(self._sources, self._shards_read, self._request.reading.source_column)
