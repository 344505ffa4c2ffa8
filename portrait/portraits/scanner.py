"""All layers of a portrait, asked about a text in one pass: the kernel's answers as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait._native import Scanner as NativeScanner
from portrait._native import Windows as NativeWindows
from portrait.answers.judge import DEFAULT_EVALUE
from portrait.answers.scan import Chain, LayerScan, Stretch, TextScan
from portrait.errors import TextError
from portrait.evidence import evalue, significant_chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait._native import Scan as NativeScan
    from portrait.filters.protocols import Filter
    from portrait.spec import WindowSpec


class Scanner:
    """The layers of a portrait, ready to be asked.

    Args:
        spec: How texts become windows.
        filters: The layers' filters, each with its false-positive rate.
    """

    def __init__(self, spec: WindowSpec, filters: Sequence[tuple[Filter, float]]) -> None:
        windows = NativeWindows(spec.normalizer, spec.unit, spec.width, spec.sampling.name, spec.sampling.gap)
        self._windows = windows
        self._rates = [fpr for _, fpr in filters]
        self._native = NativeScanner(windows, [(layer.native, fpr) for layer, fpr in filters])

    def scan(self, text: str, *, n_layers: int | None = None, threshold: float = DEFAULT_EVALUE) -> TextScan:
        """Ask the windows of a text that its sampling chooses.

        Args:
            text: The text as given.
            n_layers: The number of layers in the whole question that cut text alike; by default, the
                scanner's own.
            threshold: The E-value up to which a chain is significant.

        Raises:
            TextError: The text has a lone surrogate.
        """
        try:
            scan = self._native.scan(text)
        except UnicodeEncodeError as error:
            raise TextError.lone_surrogate(error) from None
        n_windows = scan.n_windows
        if n_layers is None:
            n_layers = len(self._rates)
        layers = []
        for i, (hits, document, longest, distinct, stretch) in enumerate(scan.layers()):
            fpr = self._rates[i]
            chains: tuple[Chain, ...] = ()
            # The best chain decides whether to look at any: in most texts none is significant.
            if distinct and evalue(n_windows, n_layers, fpr, distinct) <= threshold:
                chains = _chains(scan, i, significant_chain(n_windows, n_layers, fpr, threshold))
            best = None if stretch is None else Stretch(*stretch)
            layers.append(LayerScan(hits, document, longest, distinct, best, chains))
        return TextScan(scan.n_units, n_windows, layers)

    def hits(self, text: str) -> list[bytes]:
        """Return, for each layer, one byte per asked window of a text: 1 if the filter holds it.

        Raises:
            TextError: The text has a lone surrogate.
        """
        try:
            return self._native.hits(text)
        except UnicodeEncodeError as error:
            raise TextError.lone_surrogate(error) from None

    def asked(self, text: str) -> list[int]:
        """Return the offsets, in units of the normalised text, of the windows that are asked.

        Raises:
            TextError: The text has a lone surrogate.
        """
        try:
            return self._windows.asked(text)
        except UnicodeEncodeError as error:
            raise TextError.lone_surrogate(error) from None

    def normalize(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """Return the normalised text, and the origin [start, end) of each of its characters.

        Raises:
            TextError: The text has a lone surrogate.
        """
        try:
            return self._windows.normalize(text)
        except UnicodeEncodeError as error:
            raise TextError.lone_surrogate(error) from None


def _chains(scan: NativeScan, layer: int, shortest: int | None) -> tuple[Chain, ...]:
    """Return a layer's significant chains; none if no chain of any length is."""
    if shortest is None:
        return ()
    return tuple([Chain(*chain) for chain in scan.chains(layer, shortest)])
