"""Strata: the shards of a corpus that are alike, and what was read of each.

Shards of one source, one format and one compression form a stratum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from portrait.corpus.shards import expansion
from portrait.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.shards import Shard, Source
    from portrait.keys.maker import Counts

#: The number of places in a stratum whose shards can be divided. Smaller ones are not worth opening.
_N_PLACES = 32
#: The fractional part of the golden ratio: its multiples, modulo 1, are spread evenly.
_GOLDEN = 0.6180339887498949


@dataclass(slots=True)
class Stratum:
    """Shards that are alike, and the counts of what was read in some places of them.

    The shards have ``n_bytes`` bytes, of which ``read_bytes`` were read in ``seconds``. ``n_whole`` of the
    ``n_places`` places were read to their ends; ``places`` are still to be read.
    """

    source: str
    kind: str
    suffix: str
    expansion: float
    n_bytes: int | None
    n_files: int
    places: list[Shard]
    n_places: int
    n_whole: int = 0
    read_bytes: int = 0
    seconds: float = 0.0
    counts: dict[str, Counts] = field(default_factory=dict)

    @property
    def text_bytes(self) -> int:
        """The number of bytes of text that were read."""
        return sum(counts.text_bytes for counts in self.counts.values())

    @property
    def whole(self) -> bool:
        """Whether all of the stratum was read."""
        return self.n_whole == self.n_places

    @property
    def factor(self) -> float | None:
        """The ratio of the whole to what was read; ``None`` if nothing was read."""
        if self.whole:
            return 1.0
        if self.n_bytes is None or not self.read_bytes or not self.text_bytes:
            return None
        return max(1.0, self.n_bytes / self.read_bytes)

    @property
    def share(self) -> float:
        """The share of the text that was read, by the usual size of text in such files."""
        return self.text_bytes / max(1.0, (self.n_bytes or 0) * self.expansion)


def likeness(shard: Shard) -> tuple[str, str]:
    """Return what the shards of one stratum of a source share: format and suffix.

    Files of plain text are read many at a time, whatever their suffixes.
    """
    return shard.kind, "" if shard.kind == "txt" else Path(shard.label).suffix.lower()


def strata(sources: Sequence[Source]) -> Iterator[Stratum]:
    """Yield the strata of some sources, with places spread evenly over each.

    Raises:
        SpecError: A source can be read only once.
    """
    for source in sources:
        alike: dict[tuple[str, str], list[Shard]] = {}
        for shard in source.shards:
            if shard.read_once:
                raise SpecError(
                    f"{shard.label}: can be read only once, so planning would use it up: plan files instead"
                )
            alike.setdefault(likeness(shard), []).append(shard)
        for (kind, suffix), shards in alike.items():
            sizes = [shard.n_bytes for shard in shards]
            n_bytes = None if None in sizes else sum(size or 0 for size in sizes)
            size = max(1, (n_bytes or 0) // _N_PLACES)
            places = [
                part
                for shard in shards
                for part in (shard.split(size) if n_bytes and (shard.n_bytes or 0) > size else [shard])
            ]
            # The list is used up from its end.
            order = sorted(range(len(places)), key=lambda i: i * _GOLDEN % 1, reverse=True)
            n_files = sum(len(shard.files) for shard in shards)
            ordered = [places[i] for i in order]
            yield Stratum(
                source.name,
                kind,
                suffix,
                expansion(shards[0]),
                n_bytes,
                n_files,
                places=ordered,
                n_places=len(places),
            )
