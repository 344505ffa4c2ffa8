"""A build that reads its corpus twice: for filters that are sized before the first window goes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.building.layer import layer_record
from portrait.building.passes import CorpusPass
from portrait.errors import CorpusError, SpecError
from portrait.filters import pybloom
from portrait.filters.probe import PROBE_WINDOWS, probe_filter, windows_of
from portrait.keys.maker import KeyMaker

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter


class PyBloomBuild(CorpusPass):
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
