"""Where text comes from: named sources, each a list of shards that yield batches of text.

This module decides what is read; ``readers`` know how. Nothing heavy is imported until a shard is
read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.corpus.columns import DEFAULT_COLUMN, Columns
from portrait.corpus.locations import STDIN, find_files, open_shard, without_password
from portrait.corpus.shards import FORMATS, Format, Shard, Source
from portrait.errors import CorpusError, SpecError
from portrait.spec import require_source_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The source that data belongs to when none is named.
DEFAULT_SOURCE = "main"


def excerpt(shard: Shard, n_bytes: int) -> Shard:
    """A shard like this, of whose documents no more than about ``n_bytes`` need be in memory.

    Rows are read some at a time anyway; a file of plain text is one document, and the rest is left out.
    """
    if shard.kind != "txt":
        return shard
    from portrait.corpus.formats.plain import PlainShard

    return shard.excerpt(n_bytes) if isinstance(shard, PlainShard) else shard


def parse_source(argument: str) -> tuple[str, str]:
    """Split ``NAME=path``; a path that exists, or has no name before it, belongs to ``main``."""
    name, equals, location = argument.partition("=")
    if not equals or not name or "/" in name or os.path.exists(argument):  # noqa: PTH110  # no error for long names
        return DEFAULT_SOURCE, argument
    if not location:
        raise SpecError(f"{argument}: no path after the source's name: write {name}=PATH")
    return require_source_name(name), location


def resolve(
    sources: Any,
    *,
    column: str | Sequence[str] | Columns = DEFAULT_COLUMN,
    format: Format = "auto",  # noqa: A002
) -> list[Source]:
    """The named sources, ordered by name, with their files found and ordered.

    ``sources`` is a location (a file, a directory, a glob, ``NAME=`` any of these, ``-`` for
    standard input, ``hf://datasets/ORG/NAME``, a ``datasets`` object), several of them, or a mapping
    from names to these. Raises :class:`CorpusError` where nothing is found.
    """
    if format not in FORMATS:
        raise SpecError(f"unknown format {format!r}: choose one of {', '.join(FORMATS)}")
    columns = Columns.of(column)
    found: dict[str, Source] = {}
    seen: dict[str, set[str]] = {}
    for name, location in _named(sources):
        source = found.setdefault(name, Source(name))
        if not isinstance(location, str):
            from portrait.corpus.datasets.dataset import dataset_shard

            source.locations.append("datasets")
            source.shards.append(dataset_shard(location, columns))
            continue
        source.locations.append(without_password(location))
        if _add_hub(source, location, columns):
            continue
        _add_files(source, location, columns, format, seen.setdefault(name, set()))
    if not found:
        raise CorpusError("no source given: name a file, a directory, a glob, or - for standard input")
    return [found[name] for name in sorted(found)]


def _named(sources: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(sources, Mapping) and not _is_dataset(sources):
        for name, value in sources.items():
            require_source_name(name)
            locations = list(_locations(value))
            if not locations:
                raise CorpusError(f"source {name!r} has no location: name a file, a directory or a glob")
            for location in locations:
                yield name, _plain(location)
    else:
        for location in _locations(sources):
            yield parse_source(location) if isinstance(location, str) else (DEFAULT_SOURCE, _plain(location))


def _locations(value: Any) -> Iterator[Any]:
    """Each path or dataset of a nest of them."""
    if isinstance(value, str | os.PathLike) or _is_dataset(value):
        yield value
    elif isinstance(value, Iterable):
        for one in value:
            yield from _locations(one)
    else:
        raise CorpusError(f"cannot read a source from {type(value).__name__}: pass paths or datasets")


def _is_dataset(value: Any) -> bool:
    """Whether it is of the ``datasets`` library: rows, a stream, or a mapping from splits to these."""
    return hasattr(value, "with_format")


def _plain(location: Any) -> Any:
    """A path as a string; a dataset as it is."""
    return os.fspath(location) if isinstance(location, os.PathLike) else location


def _add_hub(source: Source, location: str, columns: Columns) -> bool:
    """Add a dataset on a hub; files inside of one are files."""
    if not location.startswith("hf://datasets/"):
        return False
    from portrait.corpus.datasets import hub

    asked = hub.parse(location)
    if asked is None:
        return False
    if location not in source.revisions:
        found = hub.find(asked, columns)
        source.revisions[location] = found.revision
        source.shards += found.shards
    return True


def _add_files(
    source: Source,
    location: str,
    columns: Columns,
    format: Format,  # noqa: A002
    seen: set[str],
) -> None:
    plain: list[Any] = []
    for path, known in find_files(location):
        real = os.path.realpath(path) if isinstance(path, Path) else str(path)
        if real in seen and str(path) != STDIN:
            continue
        seen.add(real)
        kind = known if format == "auto" else format
        if kind == "txt" and str(path) != STDIN:
            plain.append(path)
        else:
            source.shards.append(open_shard(path, kind, columns))
    if plain:
        from portrait.corpus.formats.plain import PlainShard

        source.shards.append(PlainShard(plain, columns))
