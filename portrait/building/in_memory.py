"""A build whose keys are in memory, in one process: what is fastest where there are few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait.building.layer import held_layer
from portrait.building.passes import CorpusPass
from portrait.keys.maker import KEY_BYTES, KeyMaker
from portrait.keys.runs import Held

if TYPE_CHECKING:
    from portrait.bundle.manifest import Layer
    from portrait.bundle.writer import BundleWriter


class HeldBuild(CorpusPass):
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
