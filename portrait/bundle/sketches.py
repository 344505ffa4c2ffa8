"""Sketches: the smallest keys of each layer, by which portraits are compared.

Keys are hashes, so the smallest ones are a random sample, and the same one in every portrait: a key that two
layers share and that is small enough for both sketches is in both (the bottom-k sketch of Cohen and Kaplan,
*Summarizing Data Using Bottom-k Sketches*, PODC 2007).
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

import xxhash

from portrait.bundle.manifest import FORMAT, FORMAT_VERSION, SketchRecord
from portrait.bundle.pieces import MAX_SKETCH_KEYS, N_KEYS, Piece
from portrait.bundle.shard_writer import ShardWriter
from portrait.bundle.tensors import HEADER_RESERVE_BYTES, TensorInfo, read_tensors
from portrait.errors import DamagedBundleError
from portrait.markup.numbers import counted
from portrait.storage.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.bundle.reader import Bundle

_TENSOR = "keys"
_KEY_BYTES = 8
#: A file that is larger is not a sketch; ours have a header of a few hundred bytes.
_MAX_BYTES = HEADER_RESERVE_BYTES + MAX_SKETCH_KEYS * _KEY_BYTES


def write_sketch(path: Path, keys: Sequence[int], source: str) -> SketchRecord:
    """Write a sketch to a new file.

    Args:
        path: The file.
        keys: Distinct keys in ascending order.
        source: The source of the layer.

    Raises:
        OSError: The file exists or cannot be written.
    """
    data = array("Q", keys)
    if sys.byteorder == "big":
        data.byteswap()
    piece = Piece(0, N_KEYS - 1, [TensorInfo.of(_TENSOR, "U64", len(data))], [data])
    metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "source": source}
    written = ShardWriter().write_piece(path, piece, metadata)
    return SketchRecord(written.file, len(data), written.bytes, written.sha256, written.xxh3_128)


def read_sketch(bundle: Bundle, record: SketchRecord) -> array[int]:
    """Read all keys of a sketch, and compare every byte with its record.

    Args:
        bundle: The bundle.
        record: The record of the sketch in its manifest.

    Returns:
        The keys in ascending order.

    Raises:
        DamagedBundleError: The file is missing, or is not what its record says.
    """
    path = bundle.file_path(record)
    try:
        content = read_regular(path, _MAX_BYTES)
    except OSError as error:
        raise DamagedBundleError(f"{path}: {error.strerror}") from error
    digests = hashlib.sha256(content).hexdigest(), xxhash.xxh3_128_hexdigest(content)
    if digests != (record.sha256, record.xxh3_128):
        raise DamagedBundleError(f"{path}: its digest is not the recorded one: fetch the bundle again")
    tensors = read_tensors(path, content)
    expected = TensorInfo.of(_TENSOR, "U64", record.n_keys)
    if [info for info, _ in tensors.values()] != [expected]:
        raise DamagedBundleError(
            f"{path}: must hold one tensor {_TENSOR!r} with the {counted(record.n_keys, 'key')} of the sketch"
        )
    keys = array("Q")
    keys.frombytes(tensors[_TENSOR][1])
    if sys.byteorder == "big":
        keys.byteswap()
    if any(key >= following for key, following in pairwise(keys)):
        raise DamagedBundleError(f"{path}: its keys do not ascend: the file is damaged or not a portrait's")
    return keys
