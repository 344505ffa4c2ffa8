"""Strata: the shards of a corpus that are alike, and what was read of each shard.

Shards of one source, one format and one compression form a stratum. A shard is read at places spread evenly
over it, and as many shards as the sample has room for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from portrait.corpus.shards import expansion, total_bytes
from portrait.errors import SpecError
from portrait.keys.maker import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portrait.corpus.shards import Shard, Source

T = TypeVar("T")

#: The number of places in a stratum whose shards can be divided. Smaller ones are not worth opening.
_N_PLACES = 32
#: Shards of more than this share of a stratum are read in any case, and first.
_LARGE_SHARE = 1 / 16
#: The fractional part of the golden ratio: its multiples, modulo 1, are spread evenly.
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class PlaceRead:
    """What was read at a place: bytes of the shard, and the counts of each source's documents."""

    n_bytes: int
    counts: dict[str, Counts]


@dataclass(slots=True)
class SampledShard:
    """A shard of ``n_bytes``, its places that are still to be read, the last one next, and the others.

    ``n_whole`` of its ``n_places`` places were read to their ends.
    """

    n_bytes: int | None
    n_files: int
    places: list[Shard]
    n_places: int
    n_whole: int = 0
    reads: list[PlaceRead] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether all of the shard was read."""
        return self.n_whole == self.n_places

    @property
    def read_bytes(self) -> int:
        """The number of bytes that were read."""
        return sum(one.n_bytes for one in self.reads)

    @property
    def read_share(self) -> float:
        """The share of the shard that was read."""
        return self.read_bytes / (self.n_bytes or 1)

    def is_larger(self, n_bytes: float) -> bool:
        """Return whether the shard is known to be larger than ``n_bytes``."""
        return self.n_bytes is not None and self.n_bytes > n_bytes


@dataclass(slots=True)
class Stratum:
    """Shards that are alike, in the order in which they are to be read first.

    ``seconds`` it took so far. ``first_bad_row`` is the error of the first row that cannot be read, if any.
    """

    source: str
    kind: str
    suffix: str
    expansion: float
    shards: list[SampledShard]
    seconds: float = 0.0
    first_bad_row: str = ""

    @property
    def n_bytes(self) -> int | None:
        """The number of bytes of all shards, if known."""
        return total_bytes(shard.n_bytes for shard in self.shards)

    @property
    def n_files(self) -> int:
        """The number of files."""
        return sum(shard.n_files for shard in self.shards)

    @property
    def n_places(self) -> int:
        """The number of places, read or not."""
        return sum(shard.n_places for shard in self.shards)

    @property
    def read_bytes(self) -> int:
        """The number of bytes that were read."""
        return sum(shard.read_bytes for shard in self.shards)

    @property
    def counts(self) -> dict[str, Counts]:
        """The counts of each source's documents that were read."""
        totals: dict[str, Counts] = {}
        for shard in self.shards:
            for read in shard.reads:
                for source, counts in read.counts.items():
                    totals.setdefault(source, Counts()).add(counts)
        return totals

    @property
    def text_bytes(self) -> int:
        """The number of bytes of text that were read."""
        return sum(counts.text_bytes for counts in self.counts.values())

    @property
    def whole(self) -> bool:
        """Whether all of the stratum was read."""
        return all(shard.whole for shard in self.shards)

    @property
    def share(self) -> float:
        """The share of the text that was read, by the usual size of text in such files."""
        return self.text_bytes / max(1.0, (self.n_bytes or 0) * self.expansion)

    def next_shard(self) -> SampledShard | None:
        """Return the shard to read next: one of which nothing was read, or the one of which least was."""
        left = [shard for shard in self.shards if shard.places]
        return min(left, key=lambda shard: shard.read_share, default=None)


def likeness(shard: Shard) -> tuple[str, str]:
    """Return what the shards of one stratum of a source share: format and suffix.

    Files of plain text are read many at a time, whatever their suffixes.
    """
    return shard.kind, "" if shard.kind == "txt" else Path(shard.label).suffix.lower()


def strata(sources: Sequence[Source]) -> Iterator[Stratum]:
    """Yield the strata of some sources, with places spread evenly over each shard.

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
            n_bytes = total_bytes(shard.n_bytes for shard in shards)
            size = max(1, n_bytes // _N_PLACES) if n_bytes else None
            sampled = [_sampled(shard, size) for shard in shards]
            large_bytes = _LARGE_SHARE * n_bytes if n_bytes else math.inf
            first = _spread([one for one in sampled if one.is_larger(large_bytes)])
            rest = _spread([one for one in sampled if not one.is_larger(large_bytes)])
            yield Stratum(source.name, kind, suffix, expansion(shards[0]), [*first, *rest])


def _sampled(shard: Shard, place_bytes: int | None) -> SampledShard:
    places = [shard]
    if place_bytes is not None and shard.n_bytes is not None and shard.n_bytes > place_bytes:
        places = shard.split(place_bytes)
    # The list is used up from its end.
    return SampledShard(shard.n_bytes, len(shard.files), _spread(places)[::-1], len(places))


def _spread(items: Sequence[T]) -> list[T]:
    """Return items in an order whose beginning, wherever it is cut off, is spread evenly over all."""
    return [items[i] for i in sorted(range(len(items)), key=lambda i: i * _GOLDEN % 1)]
