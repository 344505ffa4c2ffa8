"""Records about texts as further columns of a ``datasets`` object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.answers.record import FIELDS, MATCH_FIELDS, MATCHES, SOURCES
from portrait.corpus.columns import Columns
from portrait.errors import CorpusError, SpecError, TextError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Makes a text's record, as :func:`portrait.answers.record.to_record` does. ``map`` pickles it for its
#: processes.
Recorder = Callable[[str], dict[str, Any]]


def add_records(
    dataset: Any,
    recorder: Recorder,
    *,
    column: str,
    matches: bool,
    prefix: str,
    options: dict[str, Any],
) -> Any:
    """Return a dataset with the record of each row's text as further columns.

    Args:
        dataset: A ``Dataset``, an ``IterableDataset``, or a ``DatasetDict`` of either.
        recorder: The function that makes a text's record.
        column: The column that holds the text.
        matches: Whether the records list matches.
        prefix: What the names of the new columns begin with.
        options: Further arguments of the dataset's ``map``.

    Raises:
        SpecError: ``dataset`` is something else, or has a column of one of the new names.
        CorpusError: There is no such column, or a row is not text.
    """
    if isinstance(dataset, dict):  # as a DatasetDict is
        splits = {
            name: add_records(split, recorder, column=column, matches=matches, prefix=prefix, options=options)
            for name, split in dataset.items()
        }
        return type(dataset)(splits)
    if not hasattr(dataset, "map") or not hasattr(dataset, "features"):
        raise SpecError(f"cannot scan a {type(dataset).__name__}: pass a dataset of the datasets library")
    added = _features(prefix, matches=matches)
    _check_columns(dataset.column_names, column, added)
    if dataset.features is not None:
        whole = type(added)({**dataset.features, **added})
        if getattr(dataset, "num_rows", None) == 0:  # map would leave the columns out
            return type(dataset).from_dict({name: [] for name in whole}, features=whole)
        options = {"features": whole, **options}
    if dataset.column_names is not None:  # so that no other column, perhaps of images, is decoded
        options = {"input_columns": [column], **options}
    work = _BatchRecorder(recorder, column, matches, prefix)
    form = getattr(dataset, "format", None)
    if form is None or form["type"] is None:
        return dataset.map(work, batched=True, with_indices=True, **options)
    # The recorder takes Python's strings; the dataset keeps its own format.
    mapped = dataset.with_format(None).map(work, batched=True, with_indices=True, **options)
    return mapped.with_format(form["type"], columns=[*form["columns"], *added], **form["format_kwargs"])


def _check_columns(names: Sequence[str] | None, column: str, added: Any) -> None:
    """Raise an error unless the text's column is there and the new names are free.

    A stream may not know its columns; its batches are checked instead.
    """
    if names is None:
        return
    if column not in names:
        raise Columns((column,)).missing(column, names, "dataset")
    taken = next((name for name in added if name in names), None)
    if taken is not None:
        raise SpecError(
            f"the dataset has a column {taken!r} already: choose another prefix", parameter="prefix"
        )


def _features(prefix: str, *, matches: bool) -> Any:
    """Return the new columns' names and types, as ``datasets.Features``."""
    datasets = extras.load("datasets", "build")
    columns: dict[str, Any] = {name: datasets.Value(kind) for name, kind in FIELDS.items()}
    columns[SOURCES] = _list_of(datasets, datasets.Value("string"))
    if matches:
        match = {name: datasets.Value(kind) for name, kind in MATCH_FIELDS.items()}
        columns[MATCHES] = _list_of(datasets, match)
    return datasets.Features({prefix + name: kind for name, kind in columns.items()})


def _list_of(datasets: Any, feature: Any) -> Any:
    """Return a list's feature: an object since version 4 of ``datasets``, before that a Python list."""
    return datasets.List(feature) if hasattr(datasets, "List") else [feature]


@dataclass(frozen=True)
class _BatchRecorder:
    """The function for ``map``: from a batch of rows to the new columns."""

    recorder: Recorder
    column: str
    matches: bool
    prefix: str

    def __call__(self, batch: Any, indices: Sequence[int]) -> dict[str, list[Any]]:
        if isinstance(batch, Mapping):  # from a stream that does not know its columns
            if self.column not in batch:
                raise Columns((self.column,)).missing(self.column, batch, "dataset")
            batch = batch[self.column]
        records = [self._record(text, i) for text, i in zip(batch, indices, strict=True)]
        names = [*FIELDS, SOURCES, *([MATCHES] if self.matches else [])]
        return {self.prefix + name: [record[name] for record in records] for name in names}

    def _record(self, text: Any, index: int) -> dict[str, Any]:
        where = f"dataset, row {index + 1}"
        if not isinstance(text, str):
            kind = "null" if text is None else type(text).__name__
            raise CorpusError(f"{where}: column {self.column!r} holds {kind}, not text", parameter="column")
        try:
            return self.recorder(text)
        except TextError as error:
            raise CorpusError(f"{where}: {error}") from error
