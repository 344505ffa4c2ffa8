"""Filters: what remembers a layer's keys. One module a kind, one protocol, one table of kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from portrait.errors import SpecError, TextError, UnsupportedBundleError
from portrait.filters import bloom, fuse, pybloom, redisbloom

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.bundle.manifest import Layer, ShardRecord
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import Filter, Layout, StoredFilter
    from portrait.spec import FilterSpec, WindowSpec


class Kind(NamedTuple):
    """How a kind of filter is laid out, for so many distinct keys at such a rate, and how it is opened.

    No ``layout``: keys do not suffice to build it. ``whole_file``: the shards are files of another
    format, and this is what digests call their bytes. ``expected``: about how many bytes it takes, and
    the rate that it has, for so many distinct keys where such a rate is asked for.
    """

    layout: Callable[[int, float], Layout] | None
    open_layer: Callable[[Bundle, Layer], StoredFilter]
    whole_file: str | None = None
    expected: Callable[[int, float], tuple[int, float]] | None = None


KINDS = {
    bloom.KIND: Kind(bloom.BloomLayout.for_keys, bloom.open_layer, expected=bloom.expected),
    fuse.KIND: Kind(fuse.FuseLayout.for_keys, fuse.open_layer, expected=fuse.expected),
    pybloom.KIND: Kind(None, pybloom.open_layer, pybloom.TENSOR, pybloom.expected),
    redisbloom.KIND: Kind(None, redisbloom.open_layer, redisbloom.TENSOR),
}


def layout(spec: FilterSpec, n_keys: int) -> Layout:
    """The layout of a filter for ``n_keys`` distinct keys, which may be an estimate.

    Raises :class:`SpecError` for a kind that is made of windows instead.
    """
    make = KINDS[spec.kind].layout
    if make is None:
        raise SpecError(f"a {spec.kind} filter is built of windows, not of keys")
    return make(n_keys, spec.fpr)


def require_windows(kind: str, windows: WindowSpec) -> None:
    """Raise :class:`SpecError` for windows that a kind of filter cannot hold."""
    if kind == pybloom.KIND:
        pybloom.require_text(windows)


def expected(spec: FilterSpec, n_keys: int) -> tuple[int, float]:
    """About how many bytes a filter for ``n_keys`` distinct keys takes, and its false-positive rate.

    Raises :class:`SpecError` for a kind that is not built.
    """
    make = KINDS[spec.kind].expected
    if make is None:
        raise SpecError(f"a {spec.kind} filter is not built, only read")
    return make(n_keys, spec.fpr)


def open_layer(bundle: Bundle, layer: Layer) -> StoredFilter:
    """The filter of a bundle's layer, mapped. Raises :class:`BundleError`'s children."""
    name = layer.filter.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise UnsupportedBundleError(
            f"{bundle.path}: layer {layer.source!r} has an unknown filter {name!r}: upgrade portrait"
        )
    return kind.open_layer(bundle, layer)


def whole_file(layer: Layer) -> str | None:
    """What digests call the bytes of a layer's files, if these are of another format than ours."""
    kind = KINDS.get(str(layer.filter.get("kind")))
    return None if kind is None else kind.whole_file


def tensor_sizes(bundle: Bundle, layer: Layer, shard: ShardRecord) -> list[tuple[str, int]]:
    """The names and lengths of a shard's tensors, which stand end to end at the end of its file."""
    if (name := whole_file(layer)) is not None:
        return [(name, shard.bytes)]
    return [(info.name, info.n_bytes) for info, _ in bundle.map_shard(shard).values()]


def contains_recorded(opened: Filter, vectors: tuple[str, ...]) -> bytes:
    """One byte per test vector as manifests record them: 1 where the filter holds it.

    They are keys, in hexadecimal, or windows where the filter has a hash of its own. Raises
    :class:`ValueError` for what is neither.
    """
    if isinstance(opened, pybloom.PyBloom | redisbloom.RedisBloom):
        try:
            return opened.contains_windows(list(vectors))
        except TextError as error:
            raise ValueError(f"is not a window: {error}") from error
    try:
        keys = b"".join(int(key, 16).to_bytes(8, "little") for key in vectors)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a key of 16 hexadecimal digits") from error
    return opened.contains(keys)
