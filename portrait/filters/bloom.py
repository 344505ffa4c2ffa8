"""The split-block Bloom filter as a layer of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from portrait import _native
from portrait.errors import DamagedBundleError
from portrait.sizing import BLOCK_BYTES, LANES, bloom_blocks
from portrait.tensors import TensorInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from portrait.bundle import Bundle
    from portrait.manifest import Layer

KIND = "bloom"
TENSOR = "blocks"


class Bloom:
    """A split-block Bloom filter over a buffer of whole 32-byte blocks, which it keeps alive."""

    def __init__(self, blocks: Buffer) -> None:
        self.native = _native.Filter.bloom(blocks)

    def contains(self, keys: Buffer) -> bytes:
        """One byte per key (little-endian, 8 bytes each): 1 where the filter holds it."""
        return self.native.contains(keys)

    def rate(self) -> float:
        """The exact false-positive rate for random keys, read off the bits."""
        return self.native.rate()


class BloomBuilder:
    """Fills a filter sized for ``n_keys`` distinct keys at the rate ``fpr``."""

    def __init__(self, n_blocks: int) -> None:
        self.n_blocks = n_blocks
        self._bits = _native.BloomBits(n_blocks)

    @classmethod
    def for_keys(cls, n_keys: int, fpr: float) -> Self:
        """An empty filter of the fewest blocks that hold ``n_keys`` distinct keys at ``fpr``."""
        return cls(bloom_blocks(n_keys, fpr))

    def insert(self, keys: _native.Keys | Buffer) -> None:
        """Add keys; a key added twice changes nothing."""
        self._bits.insert(keys)

    @property
    def data(self) -> Buffer:
        """The blocks, end to end; nothing can be inserted while it is in use."""
        return self._bits

    @property
    def tensor(self) -> TensorInfo:
        """How the blocks stand in a safetensors file."""
        return TensorInfo(TENSOR, "U32", (self.n_blocks, LANES), self.n_blocks * BLOCK_BYTES)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says of the filter."""
        return {"kind": KIND, "n_blocks": self.n_blocks}

    def finish(self) -> Bloom:
        """The filter, to be asked; shares its memory with the builder."""
        return Bloom(self._bits)


def open_layer(bundle: Bundle, layer: Layer) -> Bloom:
    """Map a layer's filter. Raises :class:`DamagedBundleError` where manifest and file differ."""
    if len(layer.shards) != 1:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} has {len(layer.shards)} shards, not 1"
        )
    shard = layer.shards[0]
    info, data = bundle.map_shard(shard)
    n_blocks = layer.filter.get("n_blocks")
    expected = type(n_blocks) is int and n_blocks > 0 and info.shape == (n_blocks, LANES)
    if not expected or info.name != TENSOR or info.dtype != "U32":
        raise DamagedBundleError(
            f"{bundle.path / shard.file}: holds {info.dtype} {info.name!r} {list(info.shape)} where the "
            f"manifest speaks of {n_blocks} blocks: fetch the bundle again"
        )
    return Bloom(data)
