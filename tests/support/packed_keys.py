"""Keys in the form that the kernel takes and returns: unsigned 64-bit integers, little-endian, end to end."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from portrait import _native

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The largest key.
LAST_KEY = (1 << 64) - 1


def pack(keys: Sequence[int]) -> bytes:
    """Return the bytes of ``keys``, eight for each."""
    return struct.pack(f"<{len(keys)}Q", *keys)


def unpack(buffer: object) -> list[int]:
    """Return the keys in ``buffer``, which is packed bytes or one of the kernel's key lists."""
    return list(memoryview(buffer).cast("B").cast("Q"))  # type: ignore[arg-type]


def key_list(keys: Sequence[int]) -> _native.Keys:
    """Return ``keys`` as one of the kernel's key lists."""
    result = _native.Keys()
    result.extend(pack(keys))
    return result
