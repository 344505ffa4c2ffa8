"""An open portrait, and questions to one or several of them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from portrait.answers.judge import (
    DEFAULT_EVALUE,
    DEFAULT_ROW_EVALUE,
    judge,
    layers_together,
    require_evalue,
)
from portrait.answers.record import to_record
from portrait.answers.scan import LayerEvidence
from portrait.bundle.manifest import Manifest
from portrait.errors import DamagedBundleError, SpecError, UnsupportedBundleError
from portrait.filters.probe import contradicts
from portrait.hub.environment import is_address
from portrait.hub.local import local_path
from portrait.portraits.contents import bundle_contents, open_contents
from portrait.portraits.scanner import Scanner

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from portrait.answers.answer import Answer
    from portrait.bundle.reader import Bundle
    from portrait.filters.protocols import Filter
    from portrait.hub.addresses import RepoType
    from portrait.hub.companions import CardChoice
    from portrait.hub.push import Pushed
    from portrait.portraits.contents import Contents, OpenLayer
    from portrait.spec import WindowSpec


class Portrait:
    """An open portrait: read-only, memory-mapped unless opened otherwise, safe to share between threads.

    :func:`open` and :func:`portrait.build` make it. Opening takes the same time for every size; a question
    reads only what it needs.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._layers = contents.layers
        self._scanner = Scanner(contents.spec, [(layer.filter, layer.fpr) for layer in contents.layers])

    @classmethod
    def from_pretrained(
        cls,
        location: str | os.PathLike[str],
        *,
        revision: str | None = None,
        subfolder: str = "",
        repo_type: RepoType = "model",
        token: str | bool | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        local_files_only: bool = False,
        stride: int | None = None,
        map: bool = True,  # noqa: A002
    ) -> Portrait:
        """Open a portrait in a directory or in a repository of the hub, with the hub's usual arguments.

        Args:
            location: A directory, a ``.bf`` file, the name of a repository, ``ORG/NAME``, or an address.
            revision: A branch, a tag or a commit of the repository; its main branch by default.
            subfolder: The portrait's directory in the repository.
            repo_type: The repository's type, ``model`` or ``dataset``.
            token: A token; by default, the one with which the user has logged in.
            cache_dir: The hub's cache; by default, where the hub's library has it.
            local_files_only: Whether only the cache may be asked, as in offline mode.
            stride: As for :func:`open`.
            map: As for :func:`open`.

        Raises:
            PortraitError: What :func:`open` and :func:`portrait.pull` raise.
        """
        # They take a while to import, and most portraits are opened from a path.
        from portrait.hub.addresses import of_repository
        from portrait.hub.connection import HubConnection
        from portrait.hub.download import cached

        path = Path(location)
        if is_address(location) or not path.exists():
            address = of_repository(str(location), repo_type=repo_type, revision=revision, path=subfolder)
            connection = HubConnection.of_environment(
                token=token, cache_dir=cache_dir, local_files_only=local_files_only
            )
            path = cached(str(address), connection)
        elif subfolder:
            path /= subfolder
        return open(path, stride=stride, map=map)

    def push_to_hub(
        self,
        repository: str,
        *,
        path_in_repo: str = "",
        repo_type: RepoType = "model",
        private: bool = False,
        revision: str | None = None,
        create_pr: bool = False,
        commit_message: str | None = None,
        card: CardChoice = "merge",
        token: str | bool | None = None,
    ) -> Pushed:
        """Publish the portrait in a repository of the hub: :func:`portrait.push` of its directory.

        Raises:
            UnsupportedBundleError: It is a foreign filter: wrap it first.
            PortraitError: What :func:`portrait.push` raises.
        """
        # It takes a while to import, and few portraits are published.
        from portrait.hub.push import push

        if not self.is_bundle:
            raise UnsupportedBundleError(
                f"{self.path}: a filter of the original library has no manifest: wrap it first, and push that"
            )
        return push(
            self.path,
            repository,
            path_in_repo=path_in_repo,
            repo_type=repo_type,
            private=private,
            revision=revision,
            create_pr=create_pr,
            commit_message=commit_message,
            card=card,
            token=token,
        )

    @property
    def path(self) -> Path:
        """The bundle's directory, or a foreign filter's file."""
        return self._contents.path

    @property
    def name(self) -> str:
        """The directory's name without ``.portrait``, or the file's without ``.bf``."""
        return self._contents.name

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest.

        Raises:
            UnsupportedBundleError: The portrait is a foreign filter, which has :attr:`facts` only.
        """
        about = self._contents.about
        if not isinstance(about, Manifest):
            raise UnsupportedBundleError(
                f"{self.path}: a filter of the original library has no manifest: see its facts"
            )
        return about

    @property
    def facts(self) -> dict[str, Any]:
        """What the files say about the portrait, as a JSON object: manifest, or foreign filter's header."""
        return self._contents.about.to_dict()

    @property
    def is_bundle(self) -> bool:
        """Whether the portrait is a bundle, with a manifest."""
        return isinstance(self._contents.about, Manifest)

    @property
    def spec(self) -> WindowSpec:
        """How the portrait cuts texts into windows."""
        return self._contents.spec

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the layers."""
        return tuple(layer.source for layer in self._layers)

    @property
    def layers(self) -> tuple[OpenLayer, ...]:
        """The layers, each with its filter and false-positive rate."""
        return self._layers

    def filter(self, source: str) -> Filter:
        """Return the filter of a layer.

        Raises:
            SpecError: No layer has that name.
        """
        if source not in self.sources:
            raise SpecError(
                f"{self.path}: no source {source!r}: choose one of {', '.join(self.sources)}",
                parameter="source",
            )
        return self._layers[self.sources.index(source)].filter

    def check_rates(self) -> None:
        """Check that each filter has about the false-positive rate that the portrait records of it.

        Answers rely on that rate. It is compared with that of a sample of the filter's bits, in time
        independent of the size; :func:`portrait.verify` compares it exactly.

        Raises:
            DamagedBundleError: A recorded rate is off by more than a tenth.
        """
        for layer in self._layers:
            sampled = layer.filter.sampled_rate()
            if contradicts(layer.fpr, sampled):
                raise DamagedBundleError(
                    f"{self.path}: the false-positive rate of layer {layer.source!r} is recorded as "
                    f"{layer.fpr:.3g}, but its bits have {sampled:.3g}: fetch the portrait again, or do not "
                    "trust it"
                )

    # A str is an Iterable of str, too: the first overload wins, and is meant to.
    @overload
    def query(self, texts: str, *, evalue: float = ...) -> Answer: ...  # type: ignore[overload-overlap]
    @overload
    def query(self, texts: Iterable[str], *, evalue: float = ...) -> list[Answer]: ...
    def query(self, texts: str | Iterable[str], *, evalue: float = DEFAULT_EVALUE) -> Answer | list[Answer]:
        """Ask whether a text, or each of several texts, was in the corpus.

        Args:
            texts: One text, or several.
            evalue: The threshold: how many chains as strong may turn up in one text by chance for a chain
                to count as a copy.

        Returns:
            An answer, or a list of as many answers as texts.

        Raises:
            TextError: A text has a lone surrogate.
            SpecError: The threshold is not a positive number.
        """
        return query([self], texts, evalue=evalue)

    def scan(
        self,
        dataset: Any,
        *,
        column: str = "text",
        evalue: float = DEFAULT_ROW_EVALUE,
        matches: bool = True,
        prefix: str = "portrait_",
        **options: Any,
    ) -> Any:
        """Ask about every row of a ``datasets`` object, and return it with the answers as columns.

        Args:
            dataset: A ``Dataset``, an ``IterableDataset``, or a ``DatasetDict`` of either.
            column: The column that holds the text.
            evalue: The threshold of each row; its default is stricter than that of :meth:`query`, as there
                are many rows.
            matches: Whether to add the column ``matches``.
            prefix: What the names of the new columns begin with.
            **options: Arguments of the dataset's ``map``, such as ``num_proc``.

        Returns:
            The dataset with the new columns ``verdict`` (string), ``evalue`` (float64, or null),
            ``detectable_length`` (int64, or null), ``coverage`` (float64), ``longest_match`` (int64),
            ``exact_document`` (bool, or null), ``hit_rate`` (float64, the highest of all layers), ``sources``
            (list of string: the sources with a match) and, if wanted, ``matches`` (list of structs of
            ``portrait`` and ``source``, string, ``start``, ``end`` and ``windows``, int64, and ``evalue``,
            float64).

        Raises:
            SpecError: The dataset has a column of one of these names, or the threshold is not a positive
                number.
            CorpusError: There is no such column, or a row is not text.
        """
        from portrait.portraits.dataset_map import add_records

        require_evalue(evalue)
        recorder = partial(_record, self, evalue=evalue, matches=matches)
        return add_records(dataset, recorder, column=column, matches=matches, prefix=prefix, options=options)

    def hits(self, text: str) -> dict[str, bytes]:
        """Return, for each source, one byte per asked window of ``text``: 1 if the filter holds it.

        Raises:
            TextError: The text has a lone surrogate.
        """
        return dict(zip(self.sources, self._scanner.hits(text), strict=True))

    def asked(self, text: str) -> list[int]:
        """Return the offsets, in units of the normalised text, of the windows that a question asks.

        Raises:
            TextError: The text has a lone surrogate.
        """
        return self._scanner.asked(text)

    def normalize(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """Return the normalised text, and the characters [start, end) of ``text`` that each comes from.

        Raises:
            TextError: The text has a lone surrogate.
        """
        return self._scanner.normalize(text)

    def evidence(
        self, text: str, *, evalue: float = DEFAULT_EVALUE, n_layers: int | None = None, number: int = 0
    ) -> list[LayerEvidence]:
        """Return what each layer answers about a text, before anything is concluded.

        Args:
            text: The text as given.
            evalue: The threshold. Chains that are not significant are left out.
            n_layers: The number of layers in the whole question that cut text alike; by default, the
                portrait's own.
            number: The portrait's place in the question.

        Raises:
            TextError: The text has a lone surrogate.
        """
        units, windows, scans = self._scanner.scan(text, n_layers=n_layers, threshold=evalue)
        name, spec = self.name, self.spec
        return [
            LayerEvidence(
                name,
                layer.source,
                spec,
                layer.fpr,
                units,
                windows,
                scan if layer.knows_documents(windows) else scan._replace(document=None),
                number,
            )
            for layer, scan in zip(self._layers, scans, strict=True)
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the path and the identity: another process opens the same files."""
        is_mapped = self._contents.access != "memory"
        return _reopen, (self.path.absolute(), self.spec.stride, self.identity, is_mapped)

    @property
    def identity(self) -> str:
        """A bundle's id, or a foreign filter's header and time of change."""
        if self.is_bundle:
            return self.manifest.id
        return f"{self.path.stat().st_mtime_ns} {json.dumps(self.facts, sort_keys=True, default=str)}"

    def __repr__(self) -> str:
        identity = f", id={self.manifest.id[:12]}" if self.is_bundle else ""
        return f"Portrait({str(self.path)!r}{identity}, sources={list(self.sources)!r})"


def open(  # noqa: A001  # portrait.open, as gzip.open
    path: str | os.PathLike[str],
    *,
    stride: int | None = None,
    map: bool = True,  # noqa: A002  # as of mmap
) -> Portrait:
    """Open the portrait at ``path``: a bundle, or a filter of the original library (``.bf``).

    A portrait on a hub is downloaded into the hub's cache first, and verified.

    The filters are mapped, so that opening takes no longer for a large portrait and processes share the
    memory; however many files there are, they take no file descriptors. A mapped file must stay as it is: if
    another program cuts it short, or its server fails, the system ends the process that reads it (SIGBUS).

    Args:
        path: A bundle's directory, a ``.bf`` file, or the address of either on a hub, such as
            ``hf://ORG/NAME@REVISION/PATH``.
        stride: The stride of a filter of the original library, if its name does not say it
            (``NAME.WIDTH-STRIDE.bf``). A bundle states its own.
        map: Whether to map the filters. Otherwise they are read into memory, as a whole, before the first
            question: for network file systems, and for files that may change meanwhile.

    Raises:
        NotAPortraitError: Nothing at the path looks like a portrait.
        DamagedBundleError: The files contradict each other or the format.
        UnsupportedBundleError: The format is newer than this version.
        SpecError: The stride is unknown, or is not the one that a bundle was built with.
        HubError: The hub refuses, or cannot be reached.
    """
    return Portrait(open_contents(local_path(path), stride, "random" if map else "memory"))


def of_bundle(bundle: Bundle) -> Portrait:
    """Return the portrait in a bundle whose manifest has been read."""
    return Portrait(bundle_contents(bundle))


def _reopen(path: Path, stride: int | None, identity: str, is_mapped: bool) -> Portrait:
    """Open a portrait that another process had open."""
    opened = open(path, stride=stride, map=is_mapped)
    if opened.identity != identity:
        raise DamagedBundleError(f"{path}: is another portrait than it was: open it again")
    return opened


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

    The more layers are asked, the more chance can show: E-values account for all layers that cut text alike.
    Portraits that cut it differently answer each kind for itself; the text is found if any of them finds it.

    Args:
        portraits: One or more portraits.
        texts: One text, or several.
        evalue: The threshold, as for :meth:`Portrait.query`.

    Returns:
        An answer, or a list of as many answers as texts.

    Raises:
        TextError: A text has a lone surrogate.
        SpecError: There is no portrait, or the threshold is not a positive number.
    """
    if not portraits:
        raise SpecError("no portrait to ask: name one or more")
    require_evalue(evalue)
    if isinstance(texts, str):
        return _query_one(portraits, texts, evalue, _layers_together(portraits))
    n_layers = _layers_together(portraits)
    return [_query_one(portraits, text, evalue, n_layers) for text in texts]


def _layers_together(portraits: Sequence[Portrait]) -> dict[WindowSpec, int]:
    return layers_together(portrait.spec for portrait in portraits for _ in portrait.layers)


def _query_one(
    portraits: Sequence[Portrait], text: str, threshold: float, n_layers: dict[WindowSpec, int]
) -> Answer:
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, not {type(text).__name__}")
    evidence: list[LayerEvidence] = []
    for number, portrait in enumerate(portraits):
        n_alike = n_layers[portrait.spec]
        evidence += portrait.evidence(text, evalue=threshold, n_layers=n_alike, number=number)
    return judge(text, evidence, threshold)


def _record(portrait: Portrait, text: str, *, evalue: float, matches: bool) -> dict[str, Any]:
    """Return a text's record for a dataset; the processes of ``map`` pickle this function."""
    return to_record(portrait.query(text, evalue=evalue), matches=matches, qualified=False)
