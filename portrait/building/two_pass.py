"""The build that reads its corpus twice, for a filter that is sized before its first window goes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.building.layer import layer_record
from portrait.building.passes import CorpusPass
from portrait.errors import CorpusError, SpecError
from portrait.filters import pybloom
from portrait.filters.probe import PROBE_WINDOWS, probe_filter, windows_of
from portrait.keys.maker import KeyMaker
from portrait.markup.numbers import count, counted

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter


class TwoPassBuild(CorpusPass):
    """A build of layers in pybloom-live's format; a :class:`portrait.building.way.Build`.

    The first pass counts the distinct windows, the second one puts them in. Their number sizes the filter and
    so chooses its hash; before it is known, only the windows' text could be stored, which would take several
    times the memory of their keys.
    """

    def read(self) -> None:
        """Read all sources, twice.

        Raises:
            SpecError: A source can be read only once, or the windows are not of text.
            CorpusError: A row or a file cannot be read, or the passes differ.
        """
        windows = self._request.windows
        pybloom.require_text(windows)
        for source in self._sources:
            if any(shard.read_once for shard in source.shards):
                raise SpecError(
                    f"source {source.name!r}: a pybloom filter reads its corpus twice, and standard input "
                    "and pipes can be read once: save it to a file first"
                )
        makers: dict[str, KeyMaker] = {}

        def make_counter(source: str) -> KeyMaker:
            return makers.setdefault(source, KeyMaker(windows, documents="none"))

        self._read_all(make_counter)
        self._builders = {
            source: pybloom.PyBloomBuilder(windows, maker.keys.sort_unique(), self._request.filter.fpr)
            for source, maker in sorted(makers.items())
        }
        first_pass = {source: maker.counts.windows for source, maker in makers.items()}
        makers.clear()
        unchanging = "a pybloom filter reads its corpus twice: give files that do not change, not pipes"
        try:
            self._read_all(lambda source: self._builders[source].documents, "building")
        except KeyError as error:
            raise CorpusError(f"source {error} is new in the second pass: {unchanging}") from error
        for name, builder in self._builders.items():
            second_pass = builder.documents.counts.windows
            if second_pass != first_pass[name]:
                raise CorpusError(
                    f"source {name!r}: {counted(first_pass[name], 'window')} in the first pass and "
                    f"{count(second_pass)} in the second: {unchanging}"
                )

    def layers(self, writer: BundleWriter) -> list[Layer]:
        """Write all layers, ordered by source, a file each.

        Raises:
            OutputError: A layer cannot be written.
        """
        return [self._layer(source, builder, writer) for source, builder in self._builders.items()]

    def _layer(self, source: str, builder: pybloom.PyBloomBuilder, writer: BundleWriter) -> Layer:
        built = builder.finish()
        probe = probe_filter(source, windows_of(built), built.rate(), PROBE_WINDOWS)
        stored = writer.add_file(source, pybloom.SUFFIX, pybloom.TENSOR, builder.data)
        n_windows = built.header.count
        counts = builder.documents.counts
        # Present windows would be the corpus's own text, so none is recorded.
        return layer_record(source, counts, n_windows, self._request, builder.parameters, stored, probe, ())
