"""Safetensors files, written reproducibly and read with suspicion.

The format (https://github.com/huggingface/safetensors): eight bytes with the header's length, the
header, which is a JSON object, then the data. Ours have one tensor each. The writer is our own
because the bytes must be the same wherever they are written, and the data must begin on a 64-byte
boundary, so that a mapped block never straddles two cache lines; spaces after the JSON see to that.
"""

from __future__ import annotations

import json
import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from portrait.errors import DamagedBundleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ALIGNMENT = 64
_PREFIX = struct.Struct("<Q")
#: Headers of ours are a few hundred bytes; a longer one is not worth reading.
_MAX_HEADER_BYTES = 1 << 20
_ITEM_BYTES = {"U8": 1, "U32": 4, "U64": 8}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What a file's header says of its one tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    n_bytes: int


def header(info: TensorInfo, metadata: Mapping[str, str]) -> bytes:
    """The bytes that stand before the tensor's data, a multiple of 64 of them."""
    content = {
        "__metadata__": dict(metadata),
        info.name: {"dtype": info.dtype, "shape": list(info.shape), "data_offsets": [0, info.n_bytes]},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(_PREFIX.size + len(text)) % ALIGNMENT)
    return _PREFIX.pack(len(text)) + text


def map_tensor(path: Path) -> tuple[TensorInfo, memoryview]:
    """Map the one tensor of a file, read-only, in time independent of its size.

    Nothing is believed before it is compared with the file's size. Raises
    :class:`DamagedBundleError`.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < _PREFIX.size:
            raise DamagedBundleError(f"{path}: {size} bytes are too few for a safetensors file")
        file.seek(0)
        (header_bytes,) = _PREFIX.unpack(file.read(_PREFIX.size))
        if header_bytes > min(_MAX_HEADER_BYTES, size - _PREFIX.size):
            raise DamagedBundleError(f"{path}: the header's length, {header_bytes}, does not fit the file")
        info = _parse(path, file.read(header_bytes), size - _PREFIX.size - header_bytes)
        return info, _mapped(file)[_PREFIX.size + header_bytes :]


def map_file(path: Path) -> memoryview:
    """Map a whole file of another format, read-only; an empty one is no bytes."""
    with path.open("rb") as file:
        return _mapped(file) if file.seek(0, 2) else memoryview(b"")


def _mapped(file: BinaryIO) -> memoryview:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    # Filters are asked at random: reading ahead would only fill memory with pages nobody asked for.
    mapped.madvise(mmap.MADV_RANDOM)
    return memoryview(mapped)


def _parse(path: Path, text: bytes, data_bytes: int) -> TensorInfo:
    def damaged(what: str) -> DamagedBundleError:
        return DamagedBundleError(f"{path}: {what}: the file is damaged or not a portrait's")

    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged("the header is not JSON") from error
    names = [name for name in content if name != "__metadata__"] if isinstance(content, dict) else []
    if len(names) != 1 or not isinstance(content[names[0]], dict):
        raise damaged("the header does not describe one tensor")
    entry = content[names[0]]
    dtype, shape = entry.get("dtype"), entry.get("shape")
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise damaged(f"unexpected dtype {dtype!r}")
    if not isinstance(shape, list) or len(shape) > 4 or not all(type(n) is int and n >= 0 for n in shape):
        raise damaged(f"unexpected shape {shape!r:.200}")
    n_bytes = _ITEM_BYTES[dtype]
    for n in shape:
        n_bytes *= n
    if entry.get("data_offsets") != [0, n_bytes]:
        raise damaged("the shape and the data's offsets disagree")
    if n_bytes != data_bytes:
        raise damaged(f"{n_bytes} bytes of data are announced and {data_bytes} there")
    return TensorInfo(names[0], dtype, tuple(shape), n_bytes)
