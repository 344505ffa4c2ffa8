"""The filter of the Python package pybloom-live, as a layer of a bundle or on its own.

The file is the one that ``BloomFilter.tofile`` writes: a header of 40 bytes, then the bits. See
``docs/pybloom.md``.
"""

from __future__ import annotations

import math
import struct
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from portrait._native import Filter as NativeFilter
from portrait._native import PyBloomBits
from portrait.errors import DamagedBundleError, SpecError, TextError
from portrait.filters.probe import SAMPLE_PAGE_BYTES, sample_starts
from portrait.keys.maker import BatchSink
from portrait.markup.numbers import count, counted
from portrait.sizing import pybloom_slices
from portrait.storage.mapping import open_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from portrait.bundle.manifest import Layer
    from portrait.bundle.pieces import Piece
    from portrait.bundle.reader import Bundle
    from portrait.spec import WindowSpec
    from portrait.storage.mapping import Access

KIND = "pybloom"
SUFFIX = ".pybloom"
#: What a manifest calls the whole file among its digests of tensors.
TENSOR = "bits"
_HEADER = struct.Struct("<dQQQQ")
HEADER_BYTES = _HEADER.size
#: No error rate that a double can hold needs more; the kernel has the same limit.
_MAX_SLICES = 1024


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about its bits; the fields' names and order are the package's."""

    error_rate: float
    num_slices: int
    bits_per_slice: int
    capacity: int
    count: int

    @property
    def n_bytes(self) -> int:
        """The length of the bits that follow the header."""
        return -(-self.num_slices * self.bits_per_slice // 8)

    @property
    def layout(self) -> str:
        """The slices and their bits, in words."""
        return f"{counted(self.num_slices, 'slice')} of {counted(self.bits_per_slice, 'bit')}"

    def pack(self) -> bytes:
        """Return the file's first 40 bytes."""
        return _HEADER.pack(*astuple(self))

    @classmethod
    def parse(cls, data: memoryview, where: str) -> Self:
        """Read the header of a whole file.

        Args:
            data: The whole file.
            where: What error messages call it.

        Raises:
            DamagedBundleError: The header contradicts itself or the file's length.
        """

        def damaged(what: str) -> DamagedBundleError:
            return DamagedBundleError(f"{where}: {what}: the file is damaged or not pybloom-live's")

        if len(data) < HEADER_BYTES:
            raise damaged(f"{counted(len(data), 'byte')} are too few for a header of {HEADER_BYTES}")
        header = cls(*_HEADER.unpack_from(data))
        # Every comparison with NaN is false.
        if not 0 < header.error_rate < 1:
            raise damaged(f"the error rate is {header.error_rate}, not between 0 and 1")
        if not 1 <= header.num_slices <= _MAX_SLICES:
            raise damaged(f"{counted(header.num_slices, 'slice')} instead of 1 to {count(_MAX_SLICES)}")
        # The package takes the whole number above, but logarithms round.
        if abs(header.num_slices + math.log2(header.error_rate)) > 1.001:
            raise damaged(
                f"an error rate of {header.error_rate} does not need {counted(header.num_slices, 'slice')}"
            )
        if header.bits_per_slice < 1 or header.capacity < 1:
            bits, keys = counted(header.bits_per_slice, "bit"), counted(header.capacity, "key")
            raise damaged(f"slices of {bits} for {keys}")
        # The package refuses keys once there are more than the capacity.
        if header.count > header.capacity + 1:
            raise damaged(
                f"the header counts {counted(header.count, 'key')}, but only {count(header.capacity)} fit"
            )
        if header.n_bytes != len(data) - HEADER_BYTES:
            raise damaged(
                f"{header.layout} need {counted(header.n_bytes, 'byte')}, but the file has "
                f"{count(len(data) - HEADER_BYTES)}"
            )
        return header


class PyBloom:
    """A pybloom-live filter over a buffer of its bits, which it keeps alive."""

    def __init__(self, header: Header, bits: Buffer) -> None:
        self.header = header
        self.bits = bits
        self.native = NativeFilter.pybloom(bits, header.num_slices, header.bits_per_slice)

    def contains(self, keys: Buffer) -> bytes:
        """Raise :class:`ValueError`: a window's key does not say where the package puts the window."""
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
        """Return the exact false-positive rate for random keys, read off the bits."""
        return self.native.rate()

    def sampled_rate(self) -> float:
        """Return about :meth:`rate`, read off evenly spread pages of filters over 64 MiB."""
        bits = memoryview(self.bits).cast("B")
        starts = sample_starts(bits.nbytes)
        if not starts:
            return self.rate()
        n_set = sum(int.from_bytes(bits[at : at + SAMPLE_PAGE_BYTES]).bit_count() for at in starts)
        fill = n_set / (8 * SAMPLE_PAGE_BYTES * len(starts))
        return float(fill**self.header.num_slices)

    @property
    def parameters(self) -> dict[str, Any]:
        """What a manifest says about the filter."""
        return _parameters(self.header)

    def pieces(self, max_bytes: int) -> Iterator[Piece]:  # noqa: ARG002  # the protocol's
        """Raise :class:`SpecError`: the format is one file."""
        raise SpecError(f"a {KIND} layer is one file by its format: it cannot be cut into other shards")


class PyBloomBuilder:
    """A filter that is filled batch by batch.

    The file is the one that the package writes after ``BloomFilter(max(1, n_windows), fpr)`` and
    ``add(window, skip_check=True)`` for each of the distinct windows.

    Args:
        spec: How texts become windows.
        n_windows: The number of distinct windows.
        fpr: The false-positive rate that the filter is sized for.

    Raises:
        SpecError: The windows may cut a character.
    """

    def __init__(self, spec: WindowSpec, n_windows: int, fpr: float) -> None:
        require_text(spec)
        capacity = max(1, n_windows)
        self.header = Header(float(fpr), *pybloom_slices(capacity, fpr), capacity, n_windows)
        self._bits = PyBloomBits(self.header.num_slices, self.header.bits_per_slice)
        self.documents = BatchSink(spec, self._bits)

    @property
    def data(self) -> tuple[Buffer, ...]:
        """The file in pieces. While the bits are in use, nothing can be added."""
        return self.header.pack(), self._bits

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says about the filter."""
        return _parameters(self.header)

    def finish(self) -> PyBloom:
        """Return the filter, which shares its memory with the builder."""
        return PyBloom(self.header, self._bits)


def _parameters(header: Header) -> dict[str, Any]:
    return {"kind": KIND, "n_slices": header.num_slices, "slice_bits": header.bits_per_slice}


def require_text(spec: WindowSpec) -> None:
    """Check that windows are text, which the package takes.

    Raises:
        SpecError: The windows may cut a character.
    """
    if spec.unit == "byte":
        raise SpecError(
            "pybloom-live takes text, and windows of bytes may cut a character: count in characters or words",
            parameter="unit",
        )


def expected(n_windows: int, fpr: float) -> tuple[int, float]:
    """Return how many bytes a file for ``n_windows`` distinct windows has at ``fpr``, and that rate."""
    n_slices, slice_bits = pybloom_slices(max(1, n_windows), fpr)
    return HEADER_BYTES + -(-n_slices * slice_bits // 8), fpr


def open_layer(bundle: Bundle, layer: Layer) -> PyBloom:
    """Map a layer's filter.

    Raises:
        DamagedBundleError: Manifest and file contradict each other.
    """
    if len(layer.shards) != 1:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} has {counted(len(layer.shards), 'shard')}, not 1"
        )
    path = bundle.file_path(layer.shards[0])
    opened = read(path, access=bundle.access)
    if opened.parameters != layer.filter:
        raise DamagedBundleError(
            f"{path}: holds {opened.header.layout}, but the manifest records {layer.filter}: "
            "fetch the bundle again"
        )
    return opened


def read(path: str | os.PathLike[str], *, access: Access = "random") -> PyBloom:
    """Map a file written by ``BloomFilter.tofile``, or a bundle's layer, which is such a file.

    Args:
        path: The file.
        access: How its bytes are reached: mapped, to be read at ``random`` or ``sequential``, or read into
            ``memory``.

    Raises:
        DamagedBundleError: The file cannot be read, or is not pybloom-live's.
    """
    path = Path(path)
    try:
        # A pipe would block.
        if path.exists() and not path.is_file():
            raise DamagedBundleError(f"{path}: not a file")
        data = open_file(path, access)
    except OSError as error:
        raise DamagedBundleError(f"{path}: {error.strerror}") from error
    return PyBloom(Header.parse(data, str(path)), data[HEADER_BYTES:])
