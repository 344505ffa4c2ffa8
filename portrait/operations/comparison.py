"""What a comparison of two portraits says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from portrait.operations.estimates import KeyOverlap

#: Where a source is: in one portrait only, or in both, with the same filter or another one.
Presence = Literal["dropped", "added", "identical", "changed"]


@dataclass(frozen=True, slots=True)
class PortraitSize:
    """What a portrait is, and how much it holds.

    Numbers are the sums over its layers: ``distinct_keys`` counts a key once for each layer that holds it,
    and ``bytes`` are those of the filters' files. A number is ``None`` where one layer's is unknown.
    """

    path: str
    name: str
    id: str
    layers: int
    documents: int | None
    text_bytes: int | None
    distinct_keys: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose values, as in the manifests, differ; ``None`` where one has no such field."""

    field: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class SourceComparison:
    """A source, where it is, and in what its layers differ if both portraits have one.

    ``dropped`` is in A only, ``added`` in B only; ``identical`` layers have the same filter bit for bit.
    """

    source: str
    presence: Presence
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class LayerOverlap:
    """The overlap of a layer of A with one of B."""

    a: str
    b: str
    overlap: KeyOverlap


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two portraits, A and B, have in common, and what not.

    Attributes:
        a: The first portrait.
        b: The second one.
        same_id: Whether both give the same answers, bit for bit.
        differences: The fields of the windows, and of licence and models, that differ.
        sources: All sources, by name.
        overlap: The overlap of the keys of all layers together; ``None`` if it cannot be estimated.
        reason: Why it cannot be estimated.
        layers: The overlap of pairs of layers: those of one source, and those that share keys in their
            samples; the largest share of one layer's keys that are in the other first.
    """

    a: PortraitSize
    b: PortraitSize
    same_id: bool
    differences: tuple[Difference, ...]
    sources: tuple[SourceComparison, ...]
    overlap: KeyOverlap | None
    reason: str | None
    layers: tuple[LayerOverlap, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        return asdict(self)
