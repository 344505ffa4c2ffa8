"""pybloom-live's filters in Python: taken from the package, given back to it, and asked like a layer.

See ``docs/pybloom.md``.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.answers.judge import DEFAULT_EVALUE, judge, require_evalue
from portrait.answers.scan import LayerEvidence
from portrait.errors import DamagedBundleError, SpecError
from portrait.filters.pybloom import HEADER_BYTES, KIND, Header, PyBloom, read, require_text
from portrait.portraits.scanner import Scanner

if TYPE_CHECKING:
    from portrait.answers.answer import Answer
    from portrait.filters.protocols import Filter
    from portrait.spec import WindowSpec

__all__ = ["PyBloomLayer", "from_pybloom", "read", "to_pybloom"]


def from_pybloom(bloom: Any) -> PyBloom:
    """Copy a live ``pybloom_live.BloomFilter`` as it is now.

    Raises:
        DamagedBundleError: The filter's numbers contradict its bits.
    """
    header = Header(bloom.error_rate, bloom.num_slices, bloom.bits_per_slice, bloom.capacity, bloom.count)
    name = type(bloom).__name__
    try:
        data = header.pack() + bloom.bitarray.tobytes()
    except struct.error as error:
        raise DamagedBundleError(f"{name}: {error}: not a filter that can be saved") from error
    return PyBloom(Header.parse(memoryview(data), name), memoryview(data)[HEADER_BYTES:])


def to_pybloom(layer: Filter) -> Any:
    """Return a live ``pybloom_live.BloomFilter`` with a copy of a layer's bits.

    Args:
        layer: A filter as :meth:`portrait.Portrait.filter` returns it.

    Raises:
        SpecError: The filter is of another kind.
        MissingExtraError: The package is not installed.
    """
    if not isinstance(layer, PyBloom):
        raise SpecError(
            f"a {type(layer).__name__} filter has other bits: build the portrait with a {KIND} filter",
            parameter="filter",
        )
    package = extras.load("pybloom_live", KIND)
    bloom = package.BloomFilter.fromfile(io.BytesIO(layer.header.pack() + bytes(layer.bits)))
    # Read from a file, a filter has the last byte's spare bits, too, and cannot be united with others.
    del bloom.bitarray[bloom.num_bits :]
    return bloom


class PyBloomLayer:
    """A filter and the windows that its owner put into it, asked like a layer of a portrait.

    The false-positive rate, ``fpr``, is read off the bits when the layer is made.

    Args:
        bloom: The filter.
        spec: How the filter's owner cut texts into windows; the filter cannot tell.
        source: The name that answers give the layer.

    Raises:
        SpecError: The windows may cut a character, and the package takes text.
    """

    def __init__(self, bloom: PyBloom, spec: WindowSpec, source: str = KIND) -> None:
        require_text(spec)
        self.spec = spec
        self.source = source
        self.fpr = bloom.rate()
        self._scanner = Scanner(spec, [(bloom, self.fpr)])

    def query(self, text: str, *, evalue: float = DEFAULT_EVALUE) -> Answer:
        """Ask about one text, as :meth:`portrait.Portrait.query` does.

        Raises:
            SpecError: The threshold is not a positive number.
            TextError: The text has a lone surrogate.
        """
        if not isinstance(text, str):
            raise TypeError(f"a text is a str, not {type(text).__name__}")
        require_evalue(evalue)
        units, windows, (scan,) = self._scanner.scan(text, threshold=evalue)
        no_document = scan._replace(document=None)  # the format has windows only
        evidence = LayerEvidence(KIND, self.source, self.spec, self.fpr, units, windows, no_document)
        return judge(text, [evidence], evalue)

    def hits(self, text: str) -> bytes:
        """Return one byte per asked window of ``text``: 1 if the filter holds it.

        Raises:
            TextError: The text has a lone surrogate.
        """
        return self._scanner.hits(text)[0]
