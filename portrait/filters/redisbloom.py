"""A filter of RedisBloom over mapped files: its header, its links, and its place in a bundle.

The bytes are the ones that ``BF.SCANDUMP`` returns: a header, then the bits of the links, oldest first
(RedisBloom, ``src/sb.c``). The files of a layer's shards, end to end, are these bytes.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait._native import Filter as NativeFilter
from portrait.errors import DamagedBundleError, SpecError, TextError
from portrait.markup.numbers import count, counted
from portrait.storage.mapping import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

    from portrait.bundle.manifest import Layer
    from portrait.bundle.pieces import Piece
    from portrait.bundle.reader import Bundle

KIND = "redisbloom"
#: What a manifest calls all files of a layer, end to end, among its digests of tensors.
TENSOR = "dump"

#: What a window may cost. RedisBloom starts a link when the last one is full: by default with twice its
#: capacity, so that 64 links hold more windows than there are keys, and with half its error rate, which is
#: one hash more; a rate below 2^-128 is less than the chance that two windows have the same two hashes.
_MAX_LINKS = 64
_MAX_HASHES = 128
#: The hashes of all links: 30 links that begin at an error rate of 1e-4 have 855.
_MAX_PROBES = 2048
_CHAIN = struct.Struct("<QIII")
_LINK = struct.Struct("<QQQddIQB")
_LN2 = 0.693147180559945

# The bits of a header's options.
_FORCE64 = 4
_KNOWN_OPTIONS = 1 | 2 | _FORCE64 | 8  # no rounding, entries are bits, 64-bit hashes, no scaling
_REFETCH = "fetch it again"


@dataclass(frozen=True, slots=True)
class Link:
    """One plain Bloom filter of the chain, as the header describes it."""

    n_bytes: int
    bits: int
    entries: int
    error: float
    bits_per_entry: float
    hashes: int
    capacity: int
    log2_bits: int

    @property
    def bits_in_use(self) -> int:
        """The modulus of positions: a power of two, unless rounding was turned off."""
        return 1 << self.log2_bits if self.log2_bits else self.bits


@dataclass(frozen=True, slots=True)
class ScalingChain:
    """The header: the number of windows in the filter, and the links that hold them."""

    entries: int
    options: int
    growth: int
    links: tuple[Link, ...]

    @property
    def wide(self) -> bool:
        """Whether hashes have 64 bits, as in all but the first versions, which had 32."""
        return bool(self.options & _FORCE64)

    @property
    def hash_name(self) -> str:
        """The hash function's usual name."""
        return "murmur64a" if self.wide else "murmur2"


class RedisBloom:
    """A chain of links over mapped files, which it keeps alive."""

    def __init__(self, chain: ScalingChain, data: list[list[memoryview]]) -> None:
        self.chain = chain
        links: list[tuple[list[Buffer], int, int]] = [
            (list(pieces), link.bits_in_use, link.hashes)
            for link, pieces in zip(chain.links, data, strict=True)
        ]
        self.native = NativeFilter.redisbloom(links, chain.wide)

    def contains(self, keys: Buffer) -> bytes:
        """Raise :class:`ValueError`: the filter has a hash function of its own and does not know keys."""
        return self.native.contains(keys)

    def contains_windows(self, windows: list[str]) -> bytes:
        """Return one byte per window, a piece of normalised text: 1 if the filter holds it.

        Raises:
            TextError: A window has a lone surrogate.
        """
        try:
            return self.native.contains_windows(windows)
        except UnicodeEncodeError as error:
            raise TextError.lone_surrogate(error) from None

    def rate(self) -> float:
        """Return the false-positive rate, read off the bits, or off a sample in links over 64 MiB."""
        return self.native.rate()

    def sampled_rate(self) -> float:
        """Return :meth:`rate`, which is read off a sample anyway."""
        return self.rate()

    def pieces(self, max_bytes: int) -> Iterator[Piece]:  # noqa: ARG002  # the protocol's
        """Raise :class:`SpecError`: the files belong to another program."""
        raise SpecError(f"a {KIND} layer keeps the files it came in: it cannot be cut into other shards")

    @property
    def parameters(self) -> dict[str, Any]:
        """What a manifest says about the filter."""
        return {"kind": KIND, "n_links": len(self.chain.links), "hash": self.chain.hash_name}


def of_files(files: Sequence[tuple[Path, memoryview]], header_bytes: int | None = None) -> RedisBloom:
    """Return the filter in mapped files that hold it end to end.

    Args:
        files: The files; the first begins with the header.
        header_bytes: The length of the header, if an index states it.

    Raises:
        DamagedBundleError: The header contradicts itself, the index or the files' length.
    """
    (path, first), *others = files
    if header_bytes is None:
        n_links = _CHAIN.unpack_from(first)[1] if len(first) >= _CHAIN.size else 0
        header_bytes = _CHAIN.size + min(n_links, _MAX_LINKS) * _LINK.size
    chain = _parse_header(path, first[:header_bytes])
    pieces = [first[header_bytes:], *(data for _, data in others)]
    n_bytes = sum(link.n_bytes for link in chain.links)
    n_there = sum(map(len, pieces))
    if n_bytes != n_there:
        raise DamagedBundleError(
            f"{path}: the header announces {counted(n_bytes, 'byte')} of bits, but there are "
            f"{count(n_there)}: {_REFETCH}"
        )
    return RedisBloom(chain, _split(pieces, [link.n_bytes for link in chain.links]))


def open_layer(bundle: Bundle, layer: Layer) -> RedisBloom:
    """Map a layer's filter.

    Raises:
        DamagedBundleError: Manifest and files contradict each other.
    """
    paths = [bundle.file_path(shard) for shard in layer.shards]
    try:
        opened = of_files([(path, open_file(path, bundle.access)) for path in paths])
    except OSError as error:
        raise DamagedBundleError(f"{error.filename or bundle.path}: {error.strerror}") from error
    if opened.parameters != layer.filter:
        raise DamagedBundleError(
            f"{paths[0]}: holds {opened.parameters}, but the manifest records {layer.filter}: "
            "fetch the bundle again"
        )
    return opened


def _parse_header(path: Path, data: memoryview) -> ScalingChain:
    def damaged(what: str) -> DamagedBundleError:
        return DamagedBundleError(f"{path}: {what}: {_REFETCH}")

    if len(data) < _CHAIN.size:
        raise damaged(f"{counted(len(data), 'byte')} are too few for a header of {_CHAIN.size}")
    entries, n_links, options, growth = _CHAIN.unpack_from(data)
    if not 1 <= n_links <= _MAX_LINKS:
        raise damaged(f"the header has {counted(n_links, 'link')} instead of 1 to {count(_MAX_LINKS)}")
    expected = _CHAIN.size + n_links * _LINK.size
    if len(data) != expected:
        raise damaged(
            f"the header has {counted(len(data), 'byte')}, but {counted(n_links, 'link')} take "
            f"{count(expected)}"
        )
    if options & ~_KNOWN_OPTIONS:
        raise damaged(f"unknown options {options:#x} in the header")
    links = tuple(Link(*fields) for fields in _LINK.iter_unpack(data[_CHAIN.size :]))
    for i, link in enumerate(links):
        if (what := _wrong_with(link)) is not None:
            raise damaged(f"link {i} of the header {what}")
    if (n_probes := sum(link.hashes for link in links)) > _MAX_PROBES:
        raise damaged(
            f"{counted(n_links, 'link')} with {count(n_probes)} hashes, of {count(_MAX_PROBES)} at most"
        )
    if sum(link.entries for link in links) != entries:
        raise damaged(f"the links' entries do not add up to the {count(entries)} of the header")
    return ScalingChain(entries, options, growth, links)


def _wrong_with(link: Link) -> str | None:
    """Return what is wrong with a link's record by RedisBloom's own conditions, or ``None``."""
    if link.n_bytes < 1 or link.bits < 1 or link.bits > 8 * link.n_bytes:
        return f"has {counted(link.bits, 'bit')} in {counted(link.n_bytes, 'byte')}"
    if link.log2_bits > 62 or link.bits_in_use > link.bits:
        return f"has 2^{link.log2_bits} bits in use, of {count(link.bits)}"
    if not 0 < link.error < 1 or not 0 < link.bits_per_entry < 1e4:
        return f"aims at a rate of {link.error} with {link.bits_per_entry} bits per entry"
    if link.hashes != math.ceil(_LN2 * link.bits_per_entry):
        return f"has {count(link.hashes)} hashes for {link.bits_per_entry} bits per entry"
    if link.hashes > _MAX_HASHES:
        return f"has {count(link.hashes)} hashes, of {_MAX_HASHES} at most"
    return None


def _split(pieces: list[memoryview], sizes: list[int]) -> list[list[memoryview]]:
    """Cut the bytes of ``pieces``, taken end to end, into runs of the given sizes."""
    rest = [piece for piece in reversed(pieces) if len(piece)]
    runs = []
    for size in sizes:
        run: list[memoryview] = []
        while size:
            piece = rest.pop()
            run.append(piece[:size])
            if len(piece) > size:
                rest.append(piece[size:])
            size -= len(run[-1])
        runs.append(run)
    return runs
