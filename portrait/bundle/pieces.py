"""What lies between a filter and the shards of its layer: pieces of its content, by ranges of keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

    from portrait.bundle.tensors import TensorInfo

#: Keys are the whole numbers below this.
N_KEYS = 1 << 64

#: A layer's sketch holds its smallest keys: so many, or all if there are fewer.
MAX_SKETCH_KEYS = 1 << 14

#: The shards of a bundle's layers together, at most: a process may have 65,530 maps, whoever made them.
MAX_SHARDS = 10_000


@dataclass(frozen=True, slots=True)
class Piece:
    """The content of one shard: what a filter knows of the keys from first to last.

    ``buffers`` are the tensors' data, end to end; where one buffer ends and where one tensor does
    need not agree.
    """

    first_key: int
    last_key: int
    tensors: Sequence[TensorInfo]
    buffers: Sequence[Buffer]
