"""A build whose keys are in memory, in one process: what is fastest where there are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portrait.errors import CorpusError, SpecError
from portrait.filters import pybloom
from portrait.keymaker import KEY_BYTES, BatchSink, KeyMaker
from portrait.probe import PROBE_WINDOWS, probe_filter, windows_of
from portrait.progress import READING
from portrait.provenance import ShardRead, corpus_records
from portrait.reading import Reader, require_text, require_unchanged
from portrait.reducing import held_layer, layer_record
from portrait.spool import Held

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.corpus import Source
    from portrait.manifest import Layer
    from portrait.progress import Progress
    from portrait.reading import Reading
    from portrait.spec import FilterSpec
    from portrait.writer import BundleWriter


class _InMemory:
    """Reads shards one after the other."""

    def __init__(
        self, sources: Sequence[Source], reading: Reading, spec: FilterSpec, progress: Progress
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
                    paths = [str(stamp[0]) for stamp in stamps]
                    self._read.append(
                        ShardRead(source.name, paths, seen, dict(reader.digests), dict(reader.skipped))
                    )
        finally:
            self._progress.finish()
        counts = {name: sink.counts for name, sink in reader.sinks.items()}
        require_text(self._sources, counts, self._reading.source_column)
        return dict(sorted(reader.sinks.items()))

    def corpus(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return corpus_records(self._sources, self._read, self._reading.source_column)


class HeldBuild(_InMemory):
    """Layers of keys."""

    def read(self) -> None:
        """Read all sources. Raises :class:`CorpusError`."""
        self._makers: dict[str, KeyMaker] = {}

        def make(source: str) -> KeyMaker:
            return self._makers.setdefault(source, KeyMaker(self._reading.windows))

        self._go_through(make)

    def layers(self, writer: BundleWriter, max_piece_bytes: int) -> list[Layer]:
        """Build and write them."""
        layers = []
        self._progress.start(KEY_BYTES * sum(len(maker.keys) for maker in self._makers.values()), "building")
        try:
            for source in sorted(self._makers):
                maker = self._makers.pop(source)
                keys = Held(maker.keys)
                layers.append(held_layer(source, maker.counts, keys, self._spec, writer, max_piece_bytes))
                self._progress.advance(KEY_BYTES * keys.n_keys)
            return layers
        finally:
            self._progress.finish()


class PyBloomBuild(_InMemory):
    """Layers of windows, in pybloom-live's format.

    The corpus is read once to count the distinct windows, and once more to put them in. Their number
    sizes the filter and so chooses its hash; until it is known, nothing can be put in but the windows'
    text, which would take several times the memory of their keys.
    """

    def read(self) -> None:
        """Read all sources, twice. Raises :class:`SpecError`, :class:`CorpusError`."""
        windows = self._reading.windows
        pybloom.require_text(windows)
        for source in self._sources:
            if any(shard.read_once for shard in source.shards):
                raise SpecError(
                    f"source {source.name!r}: a pybloom filter reads its corpus twice, and standard input "
                    "and pipes can be read once: save it to a file first"
                )
        makers: dict[str, KeyMaker] = {}

        def count(source: str) -> KeyMaker:
            return makers.setdefault(source, KeyMaker(windows, documents=False))

        self._go_through(count)
        self._builders = {
            source: pybloom.PyBloomBuilder(windows, maker.keys.sort_unique(), self._spec.fpr)
            for source, maker in sorted(makers.items())
        }
        stored = {source: maker.counts.windows for source, maker in makers.items()}
        makers.clear()
        changed = "must be files that do not change, no pipes"
        try:
            self._go_through(lambda source: self._builders[source].documents, "building")
        except KeyError as error:
            raise CorpusError(
                f"source {error} was not there at the first reading: the corpus {changed}"
            ) from error
        for name, builder in self._builders.items():
            again = builder.documents.counts.windows
            if again != stored[name]:
                raise CorpusError(
                    f"source {name!r}: {stored[name]} windows at the first reading and {again} at the "
                    f"second: a pybloom filter reads its corpus twice, so it {changed}"
                )

    def layers(self, writer: BundleWriter, max_piece_bytes: int) -> list[Layer]:  # noqa: ARG002
        """Write them, a file each."""
        return [self._layer(source, builder, writer) for source, builder in self._builders.items()]

    def _layer(self, source: str, builder: pybloom.PyBloomBuilder, writer: BundleWriter) -> Layer:
        built = builder.finish()
        probe = probe_filter(source, windows_of(built), built.rate(), PROBE_WINDOWS)
        stored = writer.add_file(source, pybloom.SUFFIX, pybloom.TENSOR, builder.data)
        # Windows that are present would be the corpus's own text, so none is recorded.
        n_windows = built.header.count
        counts = builder.documents.counts
        return layer_record(source, counts, n_windows, self._spec, builder.parameters, stored, probe, ())
