"""A filter of RedisBloom over mapped files: its header, its links, and its place in a bundle.

The bytes are those that ``BF.SCANDUMP`` gives: a header, then the bits of the links, oldest first
(RedisBloom, ``src/sb.c``). A layer's shards are files that hold them end to end.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait._native import Filter as NativeFilter
from portrait.bundle.tensors import map_file
from portrait.errors import DamagedBundleError, SpecError
from portrait.portraits.scanner import surrogate_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

    from portrait.bundle.manifest import Layer
    from portrait.bundle.pieces import Piece
    from portrait.bundle.reader import Bundle

KIND = "redisbloom"
#: Names all files of a layer, end to end, where a manifest has digests of tensors.
TENSOR = "dump"

_MAX_LINKS = 1024
_CHAIN = struct.Struct("<QIII")
_LINK = struct.Struct("<QQQddIQB")
_LN2 = 0.693147180559945

# What a header's options say, bit by bit.
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
        """What positions are taken modulo: a power of two, unless rounding was turned off."""
        return 1 << self.log2_bits if self.log2_bits else self.bits


@dataclass(frozen=True, slots=True)
class ScalingChain:
    """The header: how many windows were put in, and the links that hold them."""

    entries: int
    options: int
    growth: int
    links: tuple[Link, ...]

    @property
    def wide(self) -> bool:
        """Whether the hashes have 64 bits; those of the first versions have 32."""
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
        """Raise :class:`ValueError`: the filter has a hash of its own, so it knows no keys."""
        return self.native.contains(keys)

    def contains_windows(self, windows: list[str]) -> bytes:
        """One byte per window, each a piece of normalised text: 1 where the filter holds it.

        Raises :class:`TextError` for lone surrogates.
        """
        try:
            return self.native.contains_windows(windows)
        except UnicodeEncodeError as error:
            raise surrogate_error(str(error.object), error) from None

    def rate(self) -> float:
        """The false-positive rate, read off the bits; off a sample of them in links over 64 MiB."""
        return self.native.rate()

    def pieces(self, max_bytes: int) -> Iterator[Piece]:  # noqa: ARG002  # the protocol's
        """Raises :class:`SpecError`: the files are another program's."""
        raise SpecError(f"a {KIND} layer keeps the files it came in: it cannot be cut into other shards")

    @property
    def parameters(self) -> dict[str, Any]:
        """What a manifest says of the filter."""
        return {"kind": KIND, "n_links": len(self.chain.links), "hash": self.chain.hash_name}


def of_files(files: Sequence[tuple[Path, memoryview]], header_bytes: int | None = None) -> RedisBloom:
    """The filter that stands in mapped files end to end, its header at the beginning of the first.

    ``header_bytes``: how long something else says that the header is. Raises
    :class:`DamagedBundleError`.
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
            f"{path}: the header speaks of {n_bytes} bytes of bits, and {n_there} are there: {_REFETCH}"
        )
    return RedisBloom(chain, _split(pieces, [link.n_bytes for link in chain.links]))


def open_layer(bundle: Bundle, layer: Layer) -> RedisBloom:
    """Map a layer's filter. Raises :class:`DamagedBundleError` where manifest and files differ."""
    paths = [bundle.shard_path(shard) for shard in layer.shards]
    try:
        found = of_files([(path, map_file(path, sequential=bundle.sequential)) for path in paths])
    except OSError as error:
        raise DamagedBundleError(f"{error.filename or bundle.path}: {error.strerror}") from error
    if found.parameters != layer.filter:
        raise DamagedBundleError(
            f"{paths[0]}: holds {found.parameters} where the manifest speaks of {layer.filter}: "
            "fetch the bundle again"
        )
    return found


def _parse_header(path: Path, data: memoryview) -> ScalingChain:
    def damaged(what: str) -> DamagedBundleError:
        return DamagedBundleError(f"{path}: {what}: {_REFETCH}")

    if len(data) < _CHAIN.size:
        raise damaged(f"{len(data)} bytes are too few for a header of {_CHAIN.size}")
    entries, n_links, options, growth = _CHAIN.unpack_from(data)
    if not 1 <= n_links <= _MAX_LINKS:
        raise damaged(f"the header speaks of {n_links} links")
    expected = _CHAIN.size + n_links * _LINK.size
    if len(data) != expected:
        raise damaged(f"the header has {len(data)} bytes, and {expected} for {n_links} links")
    if options & ~_KNOWN_OPTIONS:
        raise damaged(f"unknown options {options:#x} in the header")
    links = tuple(Link(*fields) for fields in _LINK.iter_unpack(data[_CHAIN.size :]))
    for i, link in enumerate(links):
        if (what := _wrong_with(link)) is not None:
            raise damaged(f"link {i} of the header {what}")
    if sum(link.entries for link in links) != entries:
        raise damaged(f"the links' entries do not add up to the {entries} of the header")
    return ScalingChain(entries, options, growth, links)


def _wrong_with(link: Link) -> str | None:
    """What contradicts itself in a link's record: the conditions RedisBloom sets, and none less."""
    if link.n_bytes < 1 or link.bits < 1 or link.bits > 8 * link.n_bytes:
        return f"has {link.bits} bits in {link.n_bytes} bytes"
    if link.log2_bits > 62 or link.bits_in_use > link.bits:
        return f"has 2^{link.log2_bits} bits in use, of {link.bits}"
    if not 0 < link.error < 1 or not 0 < link.bits_per_entry < 1e4:
        return f"aims at a rate of {link.error} with {link.bits_per_entry} bits per entry"
    if link.hashes != math.ceil(_LN2 * link.bits_per_entry):
        return f"has {link.hashes} hashes for {link.bits_per_entry} bits per entry"
    return None


def _split(pieces: list[memoryview], sizes: list[int]) -> list[list[memoryview]]:
    """Cut the bytes of ``pieces``, taken end to end, into runs of these sizes."""
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
