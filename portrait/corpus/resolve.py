"""From what a caller names to the sources of a corpus, with their files found and shards opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from portrait.corpus.columns import DEFAULT_COLUMN, Columns
from portrait.corpus.locations import find_files, open_shards, without_password
from portrait.corpus.shards import FORMATS, Format, Source
from portrait.errors import CorpusError, SpecError
from portrait.spec import require_source_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The source that data belongs to unless another is named.
DEFAULT_SOURCE = "main"


def resolve(
    sources: Any,
    *,
    column: str | Sequence[str] | Columns = DEFAULT_COLUMN,
    format: Format = "auto",  # noqa: A002
) -> list[Source]:
    """Find the files and datasets of a corpus.

    Args:
        sources: A location, several of them, or a mapping from source names to these. A location is a file,
            a directory, a glob, a URL of these, ``NAME=`` before any of these, ``-`` for standard input,
            ``hf://datasets/ORG/NAME``, or an object of the ``datasets`` library.
        column: The columns of text, and those to keep.
        format: The format of all files, or ``auto`` to judge each by its suffix.

    Returns:
        The sources, ordered by name, with their shards in order. A file that a source names twice is read
        once.

    Raises:
        CorpusError: A location has no files or cannot be looked up.
        SpecError: The format is unknown, or a source's or a column's name is not valid.
    """
    if format not in FORMATS:
        raise SpecError(f"unknown format {format!r}: choose one of {', '.join(FORMATS)}", parameter="format")
    columns = Columns.of(column)
    collectors: dict[str, _Collector] = {}
    for name, location in _named_locations(sources):
        collector = collectors.setdefault(name, _Collector(Source(name), columns, format))
        collector.add(location)
    if not collectors:
        raise CorpusError("no source given: name a file, a directory, a glob, or - for standard input")
    return [collectors[name].source for name in sorted(collectors)]


def parse_source(argument: str) -> tuple[str, str]:
    """Split ``NAME=location`` into the source's name and the location.

    A path that exists, or that has no name in front of it, belongs to the source ``main``.

    Raises:
        SpecError: The location is empty, or the name is not valid.
    """
    name, equals, location = argument.partition("=")
    if not equals or not name or "/" in name or os.path.exists(argument):  # noqa: PTH110  # no error for long names
        return DEFAULT_SOURCE, argument
    if not location:
        raise SpecError(f"{argument}: no path after the source's name: write {name}=PATH")
    return require_source_name(name), location


class _Collector:
    """Adds locations to one source."""

    def __init__(self, source: Source, columns: Columns, format: Format) -> None:  # noqa: A002
        self.source = source
        self._columns = columns
        self._format = format
        self._seen: set[str] = set()

    def add(self, location: Any) -> None:
        """Add a location or a dataset. Raises :class:`CorpusError`, :class:`SpecError`."""
        if not isinstance(location, str):
            self._add_dataset(location)
            return
        self.source.locations.append(without_password(location))
        if not self._add_hub_dataset(location):
            self._add_files(location)

    def _add_dataset(self, dataset: Any) -> None:
        from portrait.corpus.datasets.dataset import dataset_shard

        self.source.locations.append("datasets")
        self.source.shards.append(dataset_shard(dataset, self._columns))

    def _add_hub_dataset(self, location: str) -> bool:
        """Add a dataset on a hub, and return whether the location names one rather than files inside one."""
        if not location.startswith("hf://datasets/"):
            return False
        from portrait.corpus.datasets import hub, hub_url

        dataset = hub_url.parse(location)
        if dataset is None:
            return False
        if location not in self.source.revisions:
            found = hub.find(dataset, self._columns)
            self.source.revisions[location] = found.revision
            self.source.shards += found.shards
        return True

    def _add_files(self, location: str) -> None:
        """Add the files of a location that this source does not have yet."""
        new = []
        for file in find_files(location):
            identity = file.identity()
            if identity not in self._seen or file.is_stdin:
                self._seen.add(identity)
                new.append(file if self._format == "auto" else file._replace(format=self._format))
        self.source.shards += open_shards(new, self._columns)


def _named_locations(sources: Any) -> Iterator[tuple[str, Any]]:
    """Yield each location with its source's name: paths as strings, datasets as they are."""
    if not isinstance(sources, Mapping) or _is_dataset(sources):
        for location in _flatten(sources):
            yield parse_source(location) if isinstance(location, str) else (DEFAULT_SOURCE, _as_str(location))
        return
    for name, value in sources.items():
        require_source_name(name)
        locations = list(_flatten(value))
        if not locations:
            raise CorpusError(f"source {name!r} has no location: name a file, a directory or a glob")
        for location in locations:
            yield name, _as_str(location)


def _flatten(value: Any) -> Iterator[Any]:
    """Yield the paths and datasets in nested collections."""
    if isinstance(value, str | os.PathLike) or _is_dataset(value):
        yield value
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _flatten(inner)
    else:
        raise CorpusError(f"cannot read a source from {type(value).__name__}: pass paths or datasets")


def _is_dataset(value: Any) -> bool:
    """Return whether a value is an object of the ``datasets`` library: rows, a stream, or splits of these."""
    return hasattr(value, "with_format")


def _as_str(location: Any) -> Any:
    return os.fspath(location) if isinstance(location, os.PathLike) else location
