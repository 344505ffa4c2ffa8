"""Safetensors files, written reproducibly and read with suspicion.

The format (https://github.com/huggingface/safetensors): eight bytes with the header's length, the
header, which is a JSON object, then the tensors' data, end to end and without gaps. The writer is
our own because the bytes must be the same wherever they are written, and every tensor must begin on
a 64-byte boundary, so that a mapped block never straddles two cache lines. Spaces after the JSON align
the first tensor; as the format allows no gaps, every tensor but the last must itself be a multiple of
64 bytes long, and filters store such tensors only.
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from portrait import strict_json
from portrait.errors import DamagedBundleError
from portrait.markup.numbers import count, counted
from portrait.storage.mapping import open_bytes
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from portrait.storage.mapping import Access

ALIGNMENT = 64
#: More than a header of ours takes, whatever the source's name, so that the rest of a file of a given size is
#: certain to be free for data.
HEADER_RESERVE_BYTES = 2048
_PREFIX = struct.Struct("<Q")
#: Headers of ours have a few hundred bytes; a longer one is not worth reading.
_MAX_HEADER_BYTES = 1 << 20
_ITEM_BYTES = {"U8": 1, "U32": 4, "U64": 8}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What a file's header says of one of its tensors."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    n_bytes: int

    @classmethod
    def of(cls, name: str, dtype: str, *shape: int) -> Self:
        """Return the description of a tensor of that type and shape, whose length follows from them."""
        return cls(name, dtype, shape, _n_bytes(dtype, shape))


def _n_bytes(dtype: str, shape: Sequence[int]) -> int:
    n_bytes = _ITEM_BYTES[dtype]
    for n in shape:
        n_bytes *= n
    return n_bytes


def header(tensors: Sequence[TensorInfo], metadata: Mapping[str, str]) -> bytes:
    """Return the bytes in front of the tensors' data; their number is a multiple of 64.

    Args:
        tensors: The tensors, in the order of their data.
        metadata: What else the header says.

    Raises:
        ValueError: A tensor after the first would not begin at a multiple of 64, or two have one name.
    """
    content: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for tensor in tensors:
        if at % ALIGNMENT:
            raise ValueError(f"tensor {tensor.name!r} would begin at byte {at} of the data")
        offsets = [at, at + tensor.n_bytes]
        content[tensor.name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        at += tensor.n_bytes
    if len(content) != len(tensors) + 1:
        raise ValueError("two tensors of a file have the same name")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(_PREFIX.size + len(text)) % ALIGNMENT)
    return _PREFIX.pack(len(text)) + text


def map_tensors(path: Path, access: Access = "random") -> dict[str, tuple[TensorInfo, memoryview]]:
    """Open the tensors of a file, read-only; mapped, in time independent of its size.

    Nothing in the header is believed before it is compared with the file's size.

    Args:
        path: The file.
        access: How the tensors are reached.

    Returns:
        Each tensor's description and data, by name, in the order of the data.

    Raises:
        DamagedBundleError: The file contradicts the format or itself.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        tensors = _read_header(path, file, size)
        return _cut(tensors, open_bytes(file, size, access))


def read_tensors(path: Path, content: bytes) -> dict[str, tuple[TensorInfo, memoryview]]:
    """Return the tensors of a file that has been read, as :func:`map_tensors` does.

    Args:
        path: The file, for messages.
        content: All of its bytes.

    Raises:
        DamagedBundleError: The file contradicts the format or itself.
    """
    return _cut(_read_header(path, io.BytesIO(content), len(content)), memoryview(content))


def _read_header(path: Path, file: BinaryIO, size: int) -> list[TensorInfo]:
    """Return the tensors of a file of ``size`` bytes in the order of their data, which ends the file."""
    if size < _PREFIX.size:
        raise DamagedBundleError(f"{path}: has {counted(size, 'byte')}, too few for a safetensors file")
    (header_bytes,) = _PREFIX.unpack(file.read(_PREFIX.size))
    if header_bytes > min(_MAX_HEADER_BYTES, size - _PREFIX.size):
        raise DamagedBundleError(f"{path}: the header's length, {count(header_bytes)}, does not fit the file")
    return _parse(path, file.read(header_bytes), size - _PREFIX.size - header_bytes)


def _cut(tensors: Sequence[TensorInfo], file: memoryview) -> dict[str, tuple[TensorInfo, memoryview]]:
    """Return each tensor with its data, of which the last ends the file."""
    at = len(file) - sum(tensor.n_bytes for tensor in tensors)
    data = {}
    for tensor in tensors:
        data[tensor.name] = (tensor, file[at : at + tensor.n_bytes])
        at += tensor.n_bytes
    return data


def _parse(path: Path, text: bytes, data_bytes: int) -> list[TensorInfo]:
    """Return the tensors of a header in the order of their data, which they cover from end to end."""

    def damaged(what: str) -> DamagedBundleError:
        return DamagedBundleError(f"{path}: {what}: the file is damaged or not a portrait's")

    try:
        content: Any = strict_json.loads(text)
    except JsonError as error:
        raise damaged(f"the header is {error}") from error
    names = [name for name in content if name != "__metadata__"] if isinstance(content, dict) else []
    if not names or not all(isinstance(content[name], dict) for name in names):
        raise damaged("the header does not describe tensors")
    placed: list[tuple[int, int, TensorInfo]] = []
    for name in names:
        entry = content[name]
        dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
        if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
            raise damaged(f"{name!r:.100}: unexpected dtype {dtype!r:.100}")
        if not isinstance(shape, list) or len(shape) > 4 or not all(type(n) is int and n >= 0 for n in shape):
            raise damaged(f"{name!r:.100}: unexpected shape {shape!r:.200}")
        if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(n) is int for n in offsets):
            raise damaged(f"{name!r:.100}: the shape and the data's offsets disagree")
        n_bytes = _n_bytes(dtype, shape)
        if offsets[1] - offsets[0] != n_bytes:
            raise damaged(f"{name!r:.100}: the shape and the data's offsets disagree")
        placed.append((*offsets, TensorInfo(name, dtype, tuple(shape), n_bytes)))
    placed.sort(key=lambda place: place[:2])
    if placed[0][0] != 0 or any(end != start for (_, end, _), (start, _, _) in pairwise(placed)):
        raise damaged("the data's offsets disagree: they leave gaps or overlap")
    announced = placed[-1][1]
    if announced != data_bytes:
        raise damaged(
            f"the header announces {count(announced):.30} bytes of data, and {count(data_bytes)} follow"
        )
    return [tensor for _, _, tensor in placed]
