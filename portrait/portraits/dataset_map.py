"""Answers as further columns of a ``datasets`` object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.answers.judge import require_evalue
from portrait.answers.record import FIELDS, MATCHES, OF_MATCH, SOURCES, finding
from portrait.corpus.columns import Columns
from portrait.errors import CorpusError, SpecError, TextError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.portraits.portrait import Portrait


def scan(
    portrait: Portrait,
    dataset: Any,
    *,
    column: str,
    evalue: float,
    matches: bool,
    prefix: str,
    options: dict[str, Any],
) -> Any:
    """See :meth:`portrait.Portrait.scan`."""
    require_evalue(evalue)
    if isinstance(dataset, dict):  # as a DatasetDict is
        scanned = {
            name: scan(
                portrait, one, column=column, evalue=evalue, matches=matches, prefix=prefix, options=options
            )
            for name, one in dataset.items()
        }
        return type(dataset)(scanned)
    if not hasattr(dataset, "map") or not hasattr(dataset, "features"):
        raise SpecError(f"cannot scan a {type(dataset).__name__}: pass a dataset of the datasets library")
    added = features(prefix, matches=matches)
    there = dataset.column_names
    if there is not None:
        if column not in there:
            raise Columns((column,)).missing(column, there, "dataset")
        taken = next((name for name in added if name in there), None)
        if taken is not None:
            raise SpecError(f"the dataset has a column {taken!r} already: choose another prefix")
    if dataset.features is not None:
        whole = type(added)({**dataset.features, **added})
        if getattr(dataset, "num_rows", None) == 0:  # map would leave the columns out
            return type(dataset).from_dict({name: [] for name in whole}, features=whole)
        options = {"features": whole, **options}
    if there is not None:  # so that no other column, perhaps of images, is decoded for this
        options = {"input_columns": [column], **options}
    ask = _Ask(portrait, column, evalue, matches, prefix)
    form = getattr(dataset, "format", None)
    if form is None or form["type"] is None:
        return dataset.map(ask, batched=True, with_indices=True, **options)
    # Texts are asked as Python has them; the dataset keeps its own format.
    mapped = dataset.with_format(None).map(ask, batched=True, with_indices=True, **options)
    return mapped.with_format(form["type"], columns=[*form["columns"], *added], **form["format_kwargs"])


def features(prefix: str, *, matches: bool) -> Any:
    """The new columns' names and types, as ``datasets.Features``."""
    datasets = extras.load("datasets", "build")
    columns: dict[str, Any] = {name: datasets.Value(kind) for name, kind in FIELDS.items()}
    columns[SOURCES] = _list_of(datasets, datasets.Value("string"))
    if matches:
        columns[MATCHES] = _list_of(datasets, {name: datasets.Value(kind) for name, kind in OF_MATCH.items()})
    return datasets.Features({prefix + name: kind for name, kind in columns.items()})


def _list_of(datasets: Any, feature: Any) -> Any:
    """A list's feature: a class of its own since version 4, and before that a Python list."""
    return datasets.List(feature) if hasattr(datasets, "List") else [feature]


@dataclass(frozen=True)
class _Ask:
    """Asks a batch of rows; pickled with the portrait's path where ``map`` uses processes."""

    portrait: Portrait
    column: str
    evalue: float
    matches: bool
    prefix: str

    def __call__(self, batch: Any, indices: Sequence[int]) -> dict[str, list[Any]]:
        if isinstance(batch, Mapping):  # of a stream that did not know its columns
            if self.column not in batch:
                raise Columns((self.column,)).missing(self.column, batch, "dataset")
            batch = batch[self.column]
        found = [self._ask(text, i) for text, i in zip(batch, indices, strict=True)]
        names = [*FIELDS, SOURCES, *([MATCHES] if self.matches else [])]
        return {self.prefix + name: [one[name] for one in found] for name in names}

    def _ask(self, text: Any, index: int) -> dict[str, Any]:
        where = f"dataset, row {index + 1}"
        if not isinstance(text, str):
            kind = "null" if text is None else type(text).__name__
            raise CorpusError(f"{where}: column {self.column!r} holds {kind}, not text")
        try:
            answer = self.portrait.query(text, evalue=self.evalue)
        except TextError as error:
            raise CorpusError(f"{where}: {error}") from error
        return finding(answer, matches=self.matches, qualified=False)
