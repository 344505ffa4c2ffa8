"""The table of kinds: everything in which one kind of filter differs from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.errors import SpecError, TextError, UnsupportedBundleError
from portrait.filters import bloom, pybloom, redisbloom, ribbon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.bundle.manifest import Layer, ShardRecord
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import Filter, Layout, StoredFilter
    from portrait.spec import FilterSpec, WindowSpec


def _any_windows(windows: WindowSpec) -> None:
    """Accept windows of every spec."""


def _contains_keys(opened: Filter, vectors: Sequence[str]) -> bytes:
    try:
        keys = b"".join(int(key, 16).to_bytes(8, "little") for key in vectors)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a key of 16 hexadecimal digits") from error
    return opened.contains(keys)


def _contains_windows(opened: Filter, vectors: Sequence[str]) -> bytes:
    try:
        return opened.native.contains_windows(list(vectors))
    except UnicodeEncodeError as error:
        raise ValueError(f"is not a window: {TextError.lone_surrogate(error)}") from error


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of filter.

    Attributes:
        open_layer: Maps the filter of a bundle's layer.
        layout: Makes the layout for a number of distinct keys and a false-positive rate; ``None`` if the
            kind cannot be built from keys.
        expected: Returns about how many bytes a filter takes for a number of distinct keys and a
            false-positive rate, and the rate that it then has; ``None`` if the kind is only read.
        whole_file: What digests call the bytes of a layer's files if these are files of another format;
            ``None`` if the files are shards with tensors.
        require_windows: Raises :class:`SpecError` for windows that the kind cannot hold.
        contains_vectors: Asks a filter for test vectors in the form in which manifests record them: keys
            in hexadecimal, or windows. Raises :class:`ValueError` for anything else.
    """

    open_layer: Callable[[Bundle, Layer], StoredFilter]
    layout: Callable[[int, float], Layout] | None = None
    expected: Callable[[int, float], tuple[int, float]] | None = None
    whole_file: str | None = None
    require_windows: Callable[[WindowSpec], None] = _any_windows
    contains_vectors: Callable[[Filter, Sequence[str]], bytes] = _contains_keys


KINDS = {
    bloom.KIND: Kind(bloom.open_layer, bloom.BloomLayout.for_keys, bloom.expected),
    ribbon.KIND: Kind(ribbon.open_layer, ribbon.RibbonLayout.for_keys, ribbon.expected),
    pybloom.KIND: Kind(
        pybloom.open_layer,
        expected=pybloom.expected,
        whole_file=pybloom.TENSOR,
        require_windows=pybloom.require_text,
        contains_vectors=_contains_windows,
    ),
    redisbloom.KIND: Kind(
        redisbloom.open_layer, whole_file=redisbloom.TENSOR, contains_vectors=_contains_windows
    ),
}


def layout(spec: FilterSpec, n_keys: int) -> Layout:
    """Return the layout of a filter for ``n_keys`` distinct keys, which may be an estimate.

    Raises:
        SpecError: The kind of filter is built from windows instead.
    """
    make = KINDS[spec.kind].layout
    if make is None:
        raise SpecError(f"a {spec.kind} filter is built from windows, not from keys", parameter="filter")
    return make(n_keys, spec.fpr)


def require_windows(kind: str, windows: WindowSpec) -> None:
    """Check that a kind of filter can hold such windows.

    Raises:
        SpecError: The kind cannot hold these windows.
    """
    KINDS[kind].require_windows(windows)


def expected(spec: FilterSpec, n_keys: int) -> tuple[int, float]:
    """Return about how many bytes a filter for ``n_keys`` distinct keys takes, and its false-positive rate.

    Raises:
        SpecError: The kind of filter cannot be built.
    """
    make = KINDS[spec.kind].expected
    if make is None:
        raise SpecError(f"a {spec.kind} filter can only be read, not built", parameter="filter")
    return make(n_keys, spec.fpr)


def open_layer(bundle: Bundle, layer: Layer) -> StoredFilter:
    """Map the filter of a bundle's layer.

    Raises:
        DamagedBundleError: Manifest and files contradict each other.
        UnsupportedBundleError: This version does not know the kind of filter.
    """
    return _kind(bundle, layer).open_layer(bundle, layer)


def tensor_sizes(bundle: Bundle, layer: Layer, shard: ShardRecord) -> list[tuple[str, int]]:
    """Return the names and lengths of a shard's tensors, which are end to end at the end of its file."""
    if (name := _kind(bundle, layer).whole_file) is not None:
        return [(name, shard.bytes)]
    return [(info.name, info.n_bytes) for info, _ in bundle.map_shard(shard).values()]


def contains_vectors(bundle: Bundle, layer: Layer, opened: Filter, vectors: Sequence[str]) -> bytes:
    """Return one byte per test vector of a layer's record: 1 if the filter holds it.

    Args:
        bundle: The bundle.
        layer: The layer's record in its manifest.
        opened: The layer's filter.
        vectors: Keys in hexadecimal, or windows if the filter has a hash function of its own.

    Raises:
        ValueError: A vector is neither.
    """
    return _kind(bundle, layer).contains_vectors(opened, vectors)


def _kind(bundle: Bundle, layer: Layer) -> Kind:
    """Return the kind of a layer's filter. Raises :class:`UnsupportedBundleError` if it is unknown."""
    name = layer.filter.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise UnsupportedBundleError(
            f"{bundle.path}: layer {layer.source!r} has an unknown filter {name!r}: upgrade portrait"
        )
    return kind
