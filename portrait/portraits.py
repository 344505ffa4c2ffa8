"""Portrait: open a bundle and ask it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, overload

from portrait import bundle as bundles
from portrait.answer import DEFAULT_EVALUE, Answer, LayerEvidence, judge, require_evalue
from portrait.errors import SpecError
from portrait.filters import Scanner, open_layer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from portrait.bundle import Bundle
    from portrait.filters.base import Filter
    from portrait.manifest import Manifest
    from portrait.spec import WindowSpec


class Portrait:
    """An open portrait: read-only, memory-mapped, safe to share between threads.

    Opening takes time independent of the portrait's size; asking reads only what it needs. Made by
    :func:`open` and :func:`portrait.build`.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._layers = bundle.manifest.layers
        self._filters = [open_layer(bundle, layer) for layer in self._layers]
        self._scanner = Scanner(self.spec, self._filters)

    @property
    def path(self) -> Path:
        """Where the bundle is."""
        return self._bundle.path

    @property
    def name(self) -> str:
        """The bundle's name: that of its directory, without ``.portrait``."""
        return self._bundle.name

    @property
    def manifest(self) -> Manifest:
        """What the portrait says of itself."""
        return self._bundle.manifest

    @property
    def spec(self) -> WindowSpec:
        """How it cuts texts into windows."""
        return self.manifest.windows

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of its layers."""
        return tuple(layer.source for layer in self._layers)

    def filter(self, source: str) -> Filter:
        """The filter of a layer. Raises :class:`SpecError` where no layer has that name."""
        if source not in self.sources:
            raise SpecError(f"{self.path}: no source {source!r}: choose one of {', '.join(self.sources)}")
        return self._filters[self.sources.index(source)]

    # A str is an Iterable of str, too: the first overload wins, and is meant to.
    @overload
    def query(self, texts: str, *, evalue: float = ...) -> Answer: ...  # type: ignore[overload-overlap]
    @overload
    def query(self, texts: Iterable[str], *, evalue: float = ...) -> list[Answer]: ...
    def query(self, texts: str | Iterable[str], *, evalue: float = DEFAULT_EVALUE) -> Answer | list[Answer]:
        """Ask whether a text, or each of several, was in the corpus.

        ``evalue`` is the threshold: how many chains as strong may turn up in one text by chance for
        a chain to count as a copy. Raises :class:`TextError` for a text with lone surrogates,
        :class:`SpecError` for a threshold that is not positive.
        """
        return query([self], texts, evalue=evalue)

    def hits(self, text: str) -> dict[str, bytes]:
        """For each source, a byte per window of ``text`` at stride 1: 1 where its filter holds it."""
        return dict(zip(self.sources, self._scanner.hits(text), strict=True))

    def evidence(self, text: str) -> list[LayerEvidence]:
        """What each layer holds of ``text``, before anything is concluded."""
        units, windows, layers = self._scanner.scan(text)
        return [
            LayerEvidence(self.name, layer.source, self.spec, layer.fpr, units, windows, scan)
            for layer, scan in zip(self._layers, layers, strict=True)
        ]

    def __repr__(self) -> str:
        return f"Portrait({str(self.path)!r}, id={self.manifest.id[:12]}, sources={list(self.sources)!r})"


def open(path: str | os.PathLike[str]) -> Portrait:  # noqa: A001  # portrait.open, as gzip.open
    """Open the portrait at ``path``.

    Its filters are mapped, so that this takes no longer for a large portrait and memory is shared
    between processes.

    Raises :class:`NotAPortraitError`, :class:`DamagedBundleError`, :class:`UnsupportedBundleError`.
    """
    return Portrait(bundles.read(Path(path)))


@overload
def query(  # type: ignore[overload-overlap]  # as above
    portraits: Sequence[Portrait], texts: str, *, evalue: float = ...
) -> Answer: ...
@overload
def query(portraits: Sequence[Portrait], texts: Iterable[str], *, evalue: float = ...) -> list[Answer]: ...
def query(
    portraits: Sequence[Portrait], texts: str | Iterable[str], *, evalue: float = DEFAULT_EVALUE
) -> Answer | list[Answer]:
    """Ask several portraits at once; one answer speaks for all their layers.

    See :meth:`Portrait.query`. The more layers are asked, the more chance can show: the E-values
    account for all of them.
    """
    if not portraits:
        raise SpecError("no portrait to ask: name one or more")
    require_evalue(evalue)
    if isinstance(texts, str):
        return _query_one(portraits, texts, evalue)
    return [_query_one(portraits, text, evalue) for text in texts]


def _query_one(portraits: Sequence[Portrait], text: str, threshold: float) -> Answer:
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, not {type(text).__name__}")
    evidence = [layer for portrait in portraits for layer in portrait.evidence(text)]
    return judge(len(text), evidence, threshold)
