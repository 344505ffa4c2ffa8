"""Filters of the Python package pybloom-live: as layers of a bundle, and on their own.

The file is what ``BloomFilter.tofile`` writes: a header of 40 bytes, then the bits. See
``docs/pybloom.md``.
"""

from __future__ import annotations

import io
import math
import struct
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from portrait import extras
from portrait._native import Filter as NativeFilter
from portrait._native import PyBloomBits
from portrait.answers.judge import DEFAULT_EVALUE, LayerEvidence, judge, require_evalue
from portrait.bundle.tensors import map_file
from portrait.errors import DamagedBundleError, SpecError
from portrait.keys.maker import BatchSink
from portrait.portraits.scanner import Scanner, surrogate_error
from portrait.sizing import pybloom_slices

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from portrait.answers.answer import Answer
    from portrait.bundle.manifest import Layer
    from portrait.bundle.pieces import Piece
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import Filter
    from portrait.spec import WindowSpec

KIND = "pybloom"
SUFFIX = ".pybloom"
#: Names the whole file where a manifest has digests of tensors.
TENSOR = "bits"
_HEADER = struct.Struct("<dQQQQ")
#: No error rate that a double can hold asks for more; the kernel has the same limit.
_MAX_SLICES = 1024


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its bits; the fields' names and order are the package's."""

    error_rate: float
    num_slices: int
    bits_per_slice: int
    capacity: int
    count: int

    @property
    def n_bytes(self) -> int:
        """The length of the bits that belong to the header."""
        return -(-self.num_slices * self.bits_per_slice // 8)

    def pack(self) -> bytes:
        """The file's first 40 bytes."""
        return _HEADER.pack(*astuple(self))

    @classmethod
    def parse(cls, data: memoryview, where: str) -> Self:
        """The header of a whole file, believed only where it fits the file's length.

        Raises :class:`DamagedBundleError`.
        """

        def damaged(what: str) -> DamagedBundleError:
            return DamagedBundleError(f"{where}: {what}: the file is damaged or not pybloom-live's")

        if len(data) < _HEADER.size:
            raise damaged(f"{len(data)} bytes are too few for a header of {_HEADER.size}")
        header = cls(*_HEADER.unpack_from(data))
        # A comparison with what is no number is false.
        if not 0 < header.error_rate < 1:
            raise damaged(f"the error rate is {header.error_rate}, not between 0 and 1")
        if not 1 <= header.num_slices <= _MAX_SLICES:
            raise damaged(f"{header.num_slices} slices instead of 1 to {_MAX_SLICES}")
        # The package takes the whole number above, but logarithms round.
        if abs(header.num_slices + math.log2(header.error_rate)) > 1.001:
            raise damaged(f"{header.num_slices} slices do not belong to an error rate of {header.error_rate}")
        if header.bits_per_slice < 1 or header.capacity < 1:
            raise damaged(f"slices of {header.bits_per_slice} bits for {header.capacity} keys")
        # The package refuses keys once there are more than the capacity.
        if header.count > header.capacity + 1:
            raise damaged(f"{header.count} keys are counted and {header.capacity} fit")
        if header.n_bytes != len(data) - _HEADER.size:
            raise damaged(
                f"{header.num_slices} slices of {header.bits_per_slice} bits need {header.n_bytes} bytes, "
                f"and {len(data) - _HEADER.size} are there"
            )
        return header


class PyBloom:
    """A pybloom-live filter over a buffer of its bits, which it keeps alive."""

    def __init__(self, header: Header, bits: Buffer) -> None:
        self.header = header
        self.bits = bits
        self.native = NativeFilter.pybloom(bits, header.num_slices, header.bits_per_slice)

    def contains(self, keys: Buffer) -> bytes:
        """Raises ValueError: a window's key does not say where the package puts the window."""
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
        """The exact false-positive rate for random keys, read off the bits."""
        return self.native.rate()

    @property
    def parameters(self) -> dict[str, Any]:
        """What a manifest says of the filter."""
        return _parameters(self.header)

    def pieces(self, max_bytes: int) -> Iterator[Piece]:  # noqa: ARG002  # the protocol's
        """Raises :class:`SpecError`: the format knows no pieces."""
        raise SpecError(f"a {KIND} layer is one file by its format: it cannot be cut into other shards")


class PyBloomBuilder:
    """Fills a filter sized for ``n_windows`` distinct windows at the rate ``fpr``, batch by batch.

    The file is the one that the package writes after ``BloomFilter(max(1, n_windows), fpr)`` and
    ``add(window, skip_check=True)`` for each of the distinct windows.
    """

    def __init__(self, spec: WindowSpec, n_windows: int, fpr: float) -> None:
        require_text(spec)
        capacity = max(1, n_windows)
        self.header = Header(float(fpr), *pybloom_slices(capacity, fpr), capacity, n_windows)
        self._bits = PyBloomBits(self.header.num_slices, self.header.bits_per_slice)
        self.documents = BatchSink(spec, self._bits)

    @property
    def data(self) -> tuple[Buffer, ...]:
        """The file, in pieces; nothing can be added while the bits are in use."""
        return self.header.pack(), self._bits

    @property
    def parameters(self) -> dict[str, Any]:
        """What the manifest says of the filter."""
        return _parameters(self.header)

    def finish(self) -> PyBloom:
        """The filter, to be asked; shares its memory with the builder."""
        return PyBloom(self.header, self._bits)


def _parameters(header: Header) -> dict[str, Any]:
    return {"kind": KIND, "n_slices": header.num_slices, "slice_bits": header.bits_per_slice}


def require_text(spec: WindowSpec) -> None:
    """Raise :class:`SpecError` for windows that may cut a character: the package takes text."""
    if spec.unit == "byte":
        raise SpecError(
            "pybloom-live holds text, and windows of bytes may be none: count in characters or words"
        )


def expected(n_windows: int, fpr: float) -> tuple[int, float]:
    """How many bytes a file for ``n_windows`` distinct windows has at ``fpr``, and that rate."""
    n_slices, slice_bits = pybloom_slices(max(1, n_windows), fpr)
    return _HEADER.size + -(-n_slices * slice_bits // 8), fpr


def open_layer(bundle: Bundle, layer: Layer) -> PyBloom:
    """Map a layer's filter. Raises :class:`DamagedBundleError` where manifest and file differ."""
    if len(layer.shards) != 1:
        raise DamagedBundleError(
            f"{bundle.path}: layer {layer.source!r} has {len(layer.shards)} shards, not 1"
        )
    path = bundle.shard_path(layer.shards[0])
    found = read(path, sequential=bundle.sequential)
    if found.parameters != layer.filter:
        raise DamagedBundleError(
            f"{path}: holds {found.header.num_slices} slices of {found.header.bits_per_slice} bits where "
            f"the manifest speaks of {layer.filter}: fetch the bundle again"
        )
    return found


def read(path: str | os.PathLike[str], *, sequential: bool = False) -> PyBloom:
    """Map a file written by ``BloomFilter.tofile``, or a bundle's layer, which is such a file.

    ``sequential``: it will be read from end to end rather than asked at random.
    Raises :class:`DamagedBundleError` for a file that is none, or cannot be read.
    """
    path = Path(path)
    try:
        # A pipe would block.
        if path.exists() and not path.is_file():
            raise DamagedBundleError(f"{path}: not a file")
        data = map_file(path, sequential=sequential)
    except OSError as error:
        raise DamagedBundleError(f"{path}: {error.strerror}") from error
    return PyBloom(Header.parse(data, str(path)), data[_HEADER.size :])


def from_pybloom(bloom: Any) -> PyBloom:
    """A copy of a live ``pybloom_live.BloomFilter``, as it is now.

    Raises :class:`DamagedBundleError` for one whose numbers contradict its bits.
    """
    header = Header(bloom.error_rate, bloom.num_slices, bloom.bits_per_slice, bloom.capacity, bloom.count)
    try:
        data = header.pack() + bloom.bitarray.tobytes()
    except struct.error as error:
        raise DamagedBundleError(
            f"{type(bloom).__name__}: {error}: not a filter that can be saved"
        ) from error
    header = Header.parse(memoryview(data), type(bloom).__name__)
    return PyBloom(header, memoryview(data)[_HEADER.size :])


def to_pybloom(layer: Filter) -> Any:
    """A live ``pybloom_live.BloomFilter`` with a copy of the layer's bits.

    Raises :class:`SpecError` for a filter of another kind, :class:`MissingExtraError` without the
    package.
    """
    if not isinstance(layer, PyBloom):
        raise SpecError(f"a {type(layer).__name__} has other bits: build with --filter {KIND}")
    package = extras.load("pybloom_live", KIND)
    bloom = package.BloomFilter.fromfile(io.BytesIO(layer.header.pack() + bytes(layer.bits)))
    # Read from a file, a filter has the last byte's spare bits, too, and cannot be united with others.
    del bloom.bitarray[bloom.num_bits :]
    return bloom


class PyBloomLayer:
    """A filter and the windows that its owner put into it: asked like a layer of a portrait.

    ``spec`` must describe how those windows were cut; the filter cannot tell. ``fpr`` is read off
    the bits, all of them, here.
    """

    def __init__(self, bloom: PyBloom, spec: WindowSpec, source: str = KIND) -> None:
        require_text(spec)
        self.spec = spec
        self.source = source
        self.fpr = bloom.rate()
        self._scanner = Scanner(spec, [(bloom, self.fpr)])

    def query(self, text: str, *, evalue: float = DEFAULT_EVALUE) -> Answer:
        """As :meth:`portrait.Portrait.query`, of one text."""
        if not isinstance(text, str):
            raise TypeError(f"a text is a str, not {type(text).__name__}")
        require_evalue(evalue)
        units, windows, (scan,) = self._scanner.scan(text)
        evidence = LayerEvidence(KIND, self.source, self.spec, self.fpr, units, windows, scan)
        return judge(text, [evidence], evalue)

    def hits(self, text: str) -> bytes:
        """A byte per window of ``text`` at stride 1: 1 where the filter holds it."""
        return self._scanner.hits(text)[0]
