"""The build that keeps all keys in memory, in one process: the fastest where there are few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.building.layer import build_layer
from portrait.building.passes import CorpusPass
from portrait.keys.maker import KEY_BYTES, KeyMaker
from portrait.keys.runs import KeysInMemory

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter


class InMemoryBuild(CorpusPass):
    """A build with all keys in memory; a :class:`portrait.building.way.Build`."""

    def read(self) -> None:
        """Read all sources.

        Raises:
            CorpusError: A row or a file cannot be read, or a file changes meanwhile.
        """
        self._makers: dict[str, KeyMaker] = {}

        reading = self._request.reading

        def make_sink(source: str) -> KeyMaker:
            return self._makers.setdefault(source, KeyMaker(reading.windows, documents=reading.documents))

        self._read_all(make_sink)

    def layers(self, writer: BundleWriter) -> list[Layer]:
        """Build and write all layers, ordered by source.

        Raises:
            OutputError: A layer cannot be written.
        """
        layers = []
        self._progress.start(KEY_BYTES * sum(len(maker.keys) for maker in self._makers.values()), "building")
        try:
            for source in sorted(self._makers):
                maker = self._makers.pop(source)
                keys = KeysInMemory(maker.keys)
                layers.append(build_layer(source, maker.counts, keys, self._request, writer))
                self._progress.advance(KEY_BYTES * keys.n_keys)
            return layers
        finally:
            self._progress.finish()
