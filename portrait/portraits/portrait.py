"""Portrait: open a bundle, or a filter of the original Data Portraits library, and ask it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from portrait.answers.judge import DEFAULT_EVALUE, LayerEvidence, judge, require_evalue
from portrait.bundle import reader as bundles
from portrait.bundle.manifest import Manifest
from portrait.errors import DamagedBundleError, SpecError, UnsupportedBundleError
from portrait.filters import redisbloom_dump
from portrait.filters.kinds import open_layer
from portrait.portraits.scanner import Scanner

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from portrait.answers.answer import Answer
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import Filter
    from portrait.filters.redisbloom_dump import Dump
    from portrait.spec import WindowSpec


@dataclass(frozen=True, slots=True)
class OpenLayer:
    """One source: its filter, and how often that errs."""

    source: str
    fpr: float
    filter: Filter


@dataclass(frozen=True, slots=True)
class Contents:
    """What a portrait is made of, whatever its files look like, and what these say of it."""

    path: Path
    name: str
    spec: WindowSpec
    layers: tuple[OpenLayer, ...]
    about: Manifest | Dump


class Portrait:
    """An open portrait: read-only, memory-mapped, safe to share between threads.

    Opening takes time independent of the portrait's size; asking reads only what it needs. Made by
    :func:`open` and :func:`portrait.build`.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._layers = contents.layers
        self._scanner = Scanner(contents.spec, [(layer.filter, layer.fpr) for layer in contents.layers])

    @property
    def path(self) -> Path:
        """Where it is: a bundle's directory, or a foreign filter's file."""
        return self._contents.path

    @property
    def name(self) -> str:
        """The name of its directory without ``.portrait``, or of its file without ``.bf``."""
        return self._contents.name

    @property
    def manifest(self) -> Manifest:
        """What a bundle says of itself.

        Raises :class:`UnsupportedBundleError` for a foreign filter, which has none: its
        :attr:`facts` are all there is.
        """
        about = self._contents.about
        if not isinstance(about, Manifest):
            raise UnsupportedBundleError(
                f"{self.path}: a filter of the original library has no manifest: see `portrait info`"
            )
        return about

    @property
    def facts(self) -> dict[str, Any]:
        """What its files say of it, as a JSON object: the manifest, or a foreign filter's header."""
        return self._contents.about.to_dict()

    @property
    def is_bundle(self) -> bool:
        """Whether it is a bundle of our own, with a manifest."""
        return isinstance(self._contents.about, Manifest)

    @property
    def spec(self) -> WindowSpec:
        """How it cuts texts into windows."""
        return self._contents.spec

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of its layers."""
        return tuple(layer.source for layer in self._layers)

    @property
    def layers(self) -> tuple[OpenLayer, ...]:
        """Its layers, each with its false-positive rate."""
        return self._layers

    def filter(self, source: str) -> Filter:
        """The filter of a layer. Raises :class:`SpecError` where no layer has that name."""
        if source not in self.sources:
            raise SpecError(f"{self.path}: no source {source!r}: choose one of {', '.join(self.sources)}")
        return self._layers[self.sources.index(source)].filter

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

    def scan(
        self,
        dataset: Any,
        *,
        column: str = "text",
        evalue: float = DEFAULT_EVALUE,
        matches: bool = True,
        prefix: str = "portrait_",
        **options: Any,
    ) -> Any:
        """Ask every row of a ``datasets`` object, which comes back with the answers as further columns.

        ``dataset`` is a ``Dataset``, an ``IterableDataset`` or a ``DatasetDict`` of either; ``column``
        holds the text; ``options``, such as ``num_proc``, go to the dataset's ``map``. Each row gets,
        their names beginning with ``prefix``: ``verdict`` (string), ``evalue`` (float64, or null),
        ``detectable_length`` (int64, or null), ``coverage`` (float64), ``longest_match`` (int64),
        ``exact_document`` (bool), ``hit_rate`` (float64, the highest of the layers'), ``sources`` (list of
        string: those with a match) and, if wanted, ``matches`` (list of structs of ``portrait`` and
        ``source``, string, ``start``, ``end`` and ``windows``, int64, and ``evalue``, float64).

        Raises :class:`SpecError` where a column of these names is there already, :class:`CorpusError`
        for a column that is not there or a row that is no text.
        """
        from portrait.portraits.dataset_map import scan

        return scan(
            self, dataset, column=column, evalue=evalue, matches=matches, prefix=prefix, options=options
        )

    def hits(self, text: str) -> dict[str, bytes]:
        """For each source, a byte per window of ``text`` at stride 1: 1 where its filter holds it."""
        return dict(zip(self.sources, self._scanner.hits(text), strict=True))

    def normalize(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """``text`` as windows are cut from it, and which characters [start, end) of ``text`` each of
        its characters comes from. Raises :class:`TextError` for lone surrogates.
        """
        return self._scanner.normalize(text)

    def evidence(self, text: str) -> list[LayerEvidence]:
        """What each layer holds of ``text``, before anything is concluded."""
        units, windows, layers = self._scanner.scan(text)
        return [
            LayerEvidence(self.name, layer.source, self.spec, layer.fpr, units, windows, scan)
            for layer, scan in zip(self._layers, layers, strict=True)
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the path and what stood there; another process maps the same files."""
        return _reopen, (self.path.absolute(), self.spec.stride, self.identity)

    @property
    def identity(self) -> str:
        """What tells it from others: a bundle's id, or what a foreign filter's header says, and its age."""
        if self.is_bundle:
            return self.manifest.id
        return f"{self.path.stat().st_mtime_ns} {json.dumps(self.facts, sort_keys=True, default=str)}"

    def __repr__(self) -> str:
        known_by = f", id={self.manifest.id[:12]}" if self.is_bundle else ""
        return f"Portrait({str(self.path)!r}{known_by}, sources={list(self.sources)!r})"


def open(  # noqa: A001  # portrait.open, as gzip.open
    path: str | os.PathLike[str], *, stride: int | None = None
) -> Portrait:
    """Open the portrait at ``path``: a bundle, or a filter of the original library (``.bf``).

    Its filters are mapped, so that this takes no longer for a large portrait and memory is shared
    between processes. ``stride`` is for a filter of the original library whose name does not say it
    (``NAME.WIDTH-STRIDE.bf``); a bundle states its own.

    Raises :class:`NotAPortraitError`, :class:`DamagedBundleError`, :class:`UnsupportedBundleError`,
    and :class:`SpecError` where the stride is unknown or a bundle's is another.
    """
    path = Path(path)
    if redisbloom_dump.is_dump(path):
        return _of_dump(redisbloom_dump.open_dump(path, stride))
    bundle = bundles.read(path)
    if stride is not None and stride != bundle.manifest.windows.stride:
        raise SpecError(
            f"{path}: was built with a stride of {bundle.manifest.windows.stride}, not {stride!r}: "
            "a stride is given for filters of the original library only"
        )
    return of_bundle(bundle)


def _reopen(path: Path, stride: int, identity: str) -> Portrait:
    opened = open(path, stride=stride)
    if opened.identity != identity:
        raise DamagedBundleError(f"{path}: is another portrait than it was: open it again")
    return opened


def of_bundle(bundle: Bundle) -> Portrait:
    """The portrait in a bundle that has been read."""
    manifest = bundle.manifest
    layers = tuple(OpenLayer(layer.source, layer.fpr, open_layer(bundle, layer)) for layer in manifest.layers)
    return Portrait(Contents(bundle.path, bundle.name, manifest.windows, layers, manifest))


def _of_dump(dump: Dump) -> Portrait:
    layers = (OpenLayer(dump.name, dump.fpr, dump.filter),)
    return Portrait(Contents(dump.path, dump.name, dump.spec, layers, dump))


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
    return judge(text, evidence, threshold)
