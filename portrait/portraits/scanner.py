"""Asking all windows of a text of all layers of a portrait, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait._native import Scan as NativeScan
from portrait._native import Scanner as NativeScanner
from portrait._native import Windows as NativeWindows
from portrait.answers.scan import Chain, LayerScan, Stretch, TextScan
from portrait.errors import TextError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portrait.filters.protocols import Filter
    from portrait.spec import WindowSpec


class Scanner:
    """All layers of a portrait, ready to be asked."""

    def __init__(self, spec: WindowSpec, filters: Sequence[tuple[Filter, float]]) -> None:
        """Each filter comes with its false-positive rate."""
        windows = NativeWindows(spec.normalizer, spec.unit, spec.width, spec.stride)
        self._windows = windows
        self._native = NativeScanner(windows, [(layer.native, fpr) for layer, fpr in filters])

    def scan(self, text: str) -> TextScan:
        """Ask every window of ``text``. Raises :class:`TextError` for lone surrogates."""
        try:
            found = self._native.scan(text)
        except UnicodeEncodeError as error:
            raise surrogate_error(text, error) from None
        return TextScan(
            found.n_units,
            found.n_windows,
            [_layer(found, i, *layer) for i, layer in enumerate(found.layers())],
        )

    def hits(self, text: str) -> list[bytes]:
        """For each layer, a byte per window of ``text``: 1 where the filter holds it."""
        try:
            return self._native.hits(text)
        except UnicodeEncodeError as error:
            raise surrogate_error(text, error) from None

    def normalize(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """``text`` as windows are cut from it, and the origin [start, end) of each character."""
        try:
            return self._windows.normalize(text)
        except UnicodeEncodeError as error:
            raise surrogate_error(text, error) from None


def _layer(
    found: NativeScan,
    i: int,
    hits: int,
    document: bool,
    longest: int,
    distinct: int,
    stretch: tuple[int, int, int, float, int, int] | None,
) -> LayerScan:
    best = None if stretch is None else Stretch(*stretch)
    return LayerScan(hits, document, longest, distinct, best, _chains(found, i))


def _chains(found: NativeScan, layer: int) -> Callable[[int], list[Chain]]:
    return lambda n_distinct: [Chain(*chain) for chain in found.chains(layer, n_distinct)]


def surrogate_error(text: str, error: UnicodeEncodeError) -> TextError:
    """The error that names the lone surrogate which cannot be encoded."""
    return TextError(
        f"the text is not valid Unicode: lone surrogate U+{ord(text[error.start]):04X} at character "
        f"{error.start}: decode it with the right encoding first"
    )
