"""The split-block Bloom filter as a layer of a bundle.

A range of keys is a range of blocks, so each shard holds a range of the blocks. All shards but the last
hold the same number of blocks, so that a division finds the shard of a block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from portrait._native import BloomBits, Keys
from portrait._native import Filter as NativeFilter
from portrait.bundle.pieces import N_KEYS, Piece
from portrait.bundle.tensors import TensorInfo
from portrait.errors import DamagedBundleError
from portrait.filters.probe import SAMPLE_PAGE_BYTES, sample_starts
from portrait.filters.protocols import KeyRange, Part
from portrait.markup.numbers import count
from portrait.sizing import BLOCK_BYTES, LANES, bloom_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Buffer

    from portrait.bundle.manifest import Layer
    from portrait.bundle.reader import Bundle

KIND = "bloom"
TENSOR = "blocks"


class Bloom:
    """A split-block Bloom filter over buffers of its blocks, which it keeps alive.

    Args:
        *buffers: Whole blocks of 32 bytes. All buffers but the last have the same size, and the last is no
            larger.

    Raises:
        ValueError: The buffers have other sizes.
    """

    def __init__(self, *buffers: Buffer) -> None:
        self.native = NativeFilter.bloom(buffers)
        self._buffers = [memoryview(buffer).cast("B") for buffer in buffers]

    def contains(self, keys: Buffer) -> bytes:
        """Return one byte per little-endian key of 8 bytes: 1 if the filter holds it."""
        return self.native.contains(keys)

    def rate(self) -> float:
        """Return the exact false-positive rate for random keys, read off the bits."""
        return self.native.rate()

    def sampled_rate(self) -> float:
        """Return about :meth:`rate`, read off evenly spread pages of filters over 64 MiB."""
        starts = sample_starts(sum(buffer.nbytes for buffer in self._buffers))
        size = self._buffers[0].nbytes
        pages = [self._buffers[at // size][at % size : at % size + SAMPLE_PAGE_BYTES] for at in starts]
        whole = [page for page in pages if page.nbytes == SAMPLE_PAGE_BYTES]
        return NativeFilter.bloom(whole).rate() if whole else self.rate()

    def pieces(self, max_bytes: int) -> Iterator[Piece]:
        """Cut the blocks into as few and as even pieces of at most ``max_bytes`` as possible."""
        n_blocks = sum(buffer.nbytes for buffer in self._buffers) // BLOCK_BYTES
        n_pieces = -(-n_blocks // max(1, max_bytes // BLOCK_BYTES))
        per_piece = -(-n_blocks // n_pieces)
        for first in range(0, n_blocks, per_piece):
            after = min(n_blocks, first + per_piece)
            yield Piece(
                *key_range(first, after, n_blocks),
                [TensorInfo.of(TENSOR, "U32", after - first, LANES)],
                self._bytes(first * BLOCK_BYTES, after * BLOCK_BYTES),
            )

    def _bytes(self, start: int, end: int) -> Sequence[Buffer]:
        """Return the bytes from ``start`` to ``end`` of all buffers, as slices of these."""
        size = self._buffers[0].nbytes
        parts = []
        while start < end:
            i, rest = divmod(start, size)
            part = self._buffers[i][rest : rest + end - start]
            parts.append(part)
            start += part.nbytes
        return parts


def key_range(first: int, after: int, n_blocks: int) -> tuple[int, int]:
    """Return the first and the last key whose blocks are ``first`` to ``after`` − 1."""
    return -(-first * N_KEYS // n_blocks), -(-after * N_KEYS // n_blocks) - 1


class BloomBuilder:
    """A filter of ``n_blocks`` to be filled, or its blocks ``first`` to ``after`` − 1."""

    def __init__(self, n_blocks: int, first: int = 0, after: int | None = None) -> None:
        self.n_blocks = n_blocks
        self._bits = BloomBits(n_blocks, first, after)

    @classmethod
    def for_keys(cls, n_keys: int, fpr: float) -> Self:
        """Return an empty filter sized for ``n_keys`` distinct keys at the rate ``fpr``."""
        return cls(bloom_blocks(n_keys, fpr))

    def insert(self, keys: Keys | Buffer) -> None:
        """Add keys, in any order; a key added twice changes nothing."""
        self._bits.insert(keys)

    @property
    def data(self) -> Buffer:
        """The blocks, end to end. While the buffer is in use, nothing can be inserted."""
        return self._bits

    def finish(self) -> Bloom:
        """Return the filter, which shares its memory with the builder."""
        return Bloom(self._bits)


class BloomLayout:
    """The blocks of a filter; a :class:`portrait.filters.protocols.Layout`. Keys may come in any order."""

    def __init__(self, n_blocks: int) -> None:
        self.n_blocks = n_blocks

    @classmethod
    def for_keys(cls, n_keys: int, fpr: float) -> Self:
        """Return the layout of the fewest blocks that hold ``n_keys`` distinct keys at ``fpr``."""
        return cls(bloom_blocks(n_keys, fpr))

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says about the filter."""
        return {"kind": KIND, "n_blocks": self.n_blocks}

    def ranges(self, n_ranges: int) -> list[KeyRange]:
        """Return all keys, in ranges of the same number of blocks; the last may be shorter."""
        per_range = -(-self.n_blocks // n_ranges)
        return [
            KeyRange(first, after, *key_range(first, after, self.n_blocks))
            for first in range(0, self.n_blocks, per_range)
            for after in [min(self.n_blocks, first + per_range)]
        ]

    def build(self, keys: Iterable[Keys | Buffer], within: KeyRange) -> Part:
        """Fill the blocks of a range of keys. A key that comes twice changes nothing."""
        builder = BloomBuilder(self.n_blocks, within.first, within.after)
        for batch in keys:
            builder.insert(batch)
        return Part((builder.data,), None)

    def assemble(self, parts: Sequence[Part]) -> Bloom:
        """Return the filter made of the parts, end to end."""
        return Bloom(*(part.buffers[0] for part in parts))


def expected(n_keys: int, fpr: float) -> tuple[int, float]:
    """Return how many bytes a filter for ``n_keys`` distinct keys takes at ``fpr``, and its rate."""
    return bloom_blocks(n_keys, fpr) * BLOCK_BYTES, fpr


def open_layer(bundle: Bundle, layer: Layer) -> Bloom:
    """Map a layer's filter.

    Raises:
        DamagedBundleError: Manifest and files contradict each other.
    """
    n_blocks = layer.filter.get("n_blocks")
    if type(n_blocks) is not int or not 0 < n_blocks < N_KEYS // BLOCK_BYTES:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} records {n_blocks!r:.50} blocks: fetch the bundle again"
        )
    buffers: list[memoryview] = []
    first = per_shard = 0
    for i, shard in enumerate(layer.shards):
        tensors = bundle.map_shard(shard)
        info, data = tensors.get(TENSOR) or next(iter(tensors.values()))
        n = info.shape[0] if info.shape else 0
        after = first + n
        if i == 0:
            per_shard = n
        last = i == len(layer.shards) - 1
        fits = len(tensors) == 1 and info == TensorInfo(TENSOR, "U32", (n, LANES), data.nbytes)
        fits &= 0 < n <= per_shard and after == n_blocks if last else n == per_shard and after < n_blocks
        if not fits:
            content = ", ".join(
                f"{one.dtype} {one.name!r:.100} {list(one.shape)}" for one, _ in tensors.values()
            )
            raise DamagedBundleError(
                f"{bundle.path / shard.file}: holds {content:.400} where blocks from {count(first)} of "
                f"{count(n_blocks)} belong: fetch the bundle again"
            )
        if (int(shard.first_key, 16), int(shard.last_key, 16)) != key_range(first, after, n_blocks):
            raise DamagedBundleError(
                f"{bundle.path / shard.file}: holds blocks {count(first)} to {count(after - 1)} of "
                f"{count(n_blocks)}, which are not those of the keys that the manifest names: "
                "fetch the bundle again"
            )
        buffers.append(data)
        first = after
    return Bloom(*buffers)
