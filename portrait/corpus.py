"""Where text comes from: named sources, each a list of shards that yield batches of text.

This module decides what is read; ``readers`` know how. Nothing heavy is imported until a shard is
read.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from portrait.columns import DEFAULT_COLUMN, Columns
from portrait.errors import CorpusError, SpecError
from portrait.spec import require_source_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Format = Literal["auto", "txt", "jsonl", "parquet", "arrow", "csv", "tsv"]
FORMATS: tuple[str, ...] = get_args(Format)

#: The source that data belongs to when none is named.
DEFAULT_SOURCE = "main"
STDIN = "-"

#: Suffixes of compressed files.
COMPRESSIONS = {".gz", ".zst", ".bz2", ".xz"}
_SUFFIXES: dict[str, Format] = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".csv": "csv",
    ".tsv": "tsv",
}
#: Bytes of text in a byte of a file, by its format or how it is compressed.
_EXPANSIONS: dict[str, float] = {"parquet": 3, ".gz": 3.5, ".zst": 4, ".bz2": 5, ".xz": 5}
#: Also JSON lines where somebody names the file; in a directory, likelier to be something else.
_NAMED_SUFFIXES: dict[str, Format] = {**_SUFFIXES, ".json": "jsonl"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of text.

    ``texts`` is an Arrow array of string, large_string, binary or large_binary, the latter two
    meant to hold UTF-8. ``place`` names a row (from 0) for an error message; ``read_bytes`` is how
    much of the shard's ``n_bytes`` was read for this batch. ``kept`` has the values of each column
    that is carried along: an Arrow array, or a list of what JSON holds.
    """

    texts: Any
    place: Callable[[int], str]
    read_bytes: int
    kept: tuple[Any, ...] = ()


class Piece(Protocol):
    """Some rows as they were read: a batch to be.

    It pickles, so that the work of unpacking it can be left to another process.
    """

    @property
    def n_rows(self) -> int:
        """How many rows there are, if they are what they should be."""

    @property
    def read_bytes(self) -> int:
        """How much of the shard's ``n_bytes`` was read for this piece."""

    def batch(self) -> Batch:
        """The rows. Raises :class:`CorpusError`, naming the file and the row."""

    def places(self) -> list[str]:
        """Where each row stands: ``file:line``, ``file:row``, or the file."""

    def slice(self, start: int, stop: int) -> Piece:
        """The rows from ``start`` up to ``stop``, in their places; its ``read_bytes`` are 0."""


class Shard(Protocol):
    """A piece of a corpus that is read from its beginning to its end.

    It pickles, unless it is to be read once, so that another process can read it.
    """

    @property
    def kind(self) -> Format:
        """What its files are; ``auto``: it is no file."""

    @property
    def label(self) -> str:
        """What messages call it."""

    @property
    def files(self) -> list[dict[str, Any]]:
        """For the manifest: the files' paths and sizes in bytes.

        Of a divided file only the first part has the record.
        """

    @property
    def n_bytes(self) -> int | None:
        """How much there is to read, if that is known."""

    @property
    def read_once(self) -> bool:
        """Whether it is used up when it has been read, as a pipe is."""

    def pieces(self) -> Iterator[Piece]:
        """The shard's rows, in order. Raises :class:`CorpusError`, naming the file and the row."""

    def split(self, n_bytes: int) -> list[Shard]:
        """Parts of about ``n_bytes`` each that one after the other yield the same rows.

        Each can be read by itself, in another process. The shard alone where it cannot be divided.
        """

    def stamps(self) -> list[list[Any]]:
        """For each of its files, also of a part of it: path, size in bytes, time of modification.

        They are JSON values as of now; where one has changed, so may have the file. None of what is no
        file. Raises :class:`CorpusError` for a file that is gone.
        """

    def digests(self) -> dict[str, str]:
        """The XXH3-128 of each of its ``files``, in 32 hexadecimal digits, by path.

        To be asked for when ``pieces`` has been read to its end. Raises :class:`CorpusError`.
        """


@dataclass(slots=True)
class Source:
    """A named part of the corpus."""

    name: str
    locations: list[str] = field(default_factory=list)
    shards: list[Shard] = field(default_factory=list)
    #: For each location that can change under its name: what exactly was read.
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int | None:
        """How much there is to read, if that is known."""
        sizes = [shard.n_bytes for shard in self.shards]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def text_bytes(self) -> int | None:
        """About how much text there is, if the size of what holds it is known."""
        sizes = [None if shard.n_bytes is None else shard.n_bytes * expansion(shard) for shard in self.shards]
        return None if None in sizes else round(sum(size for size in sizes if size is not None))

    def record(self) -> dict[str, Any]:
        """What the manifest says of the source, whatever the order it was given in."""
        files = sorted((file for shard in self.shards for file in shard.files), key=lambda file: file["path"])
        return {"location": sorted(self.locations), "revision": self.revisions or None, "files": files}


def expansion(shard: Shard) -> float:
    """About how many bytes of text a byte of a shard holds: what is usual for its format."""
    if shard.kind in _EXPANSIONS:
        return _EXPANSIONS[shard.kind]
    # Several files have a label that no suffix can be read off.
    name = shard.files[0]["path"] if shard.files else shard.label
    return _EXPANSIONS.get(Path(name).suffix.lower(), 1.0)


def excerpt(shard: Shard, n_bytes: int) -> Shard:
    """A shard like this, of whose documents no more than about ``n_bytes`` need be in memory.

    Rows are read some at a time anyway; a file of plain text is one document, and the rest is left out.
    """
    if shard.kind != "txt":
        return shard
    from portrait.readers.plain import PlainShard

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
            from portrait.readers.dataset import dataset_shard

            source.locations.append("datasets")
            source.shards.append(dataset_shard(location, columns))
            continue
        source.locations.append(_without_password(location))
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
    from portrait.readers import hub

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
    for path, known in _find(location):
        real = os.path.realpath(path) if isinstance(path, Path) else str(path)
        if real in seen and str(path) != STDIN:
            continue
        seen.add(real)
        kind = known if format == "auto" else format
        if kind == "txt" and str(path) != STDIN:
            plain.append(path)
        else:
            source.shards.append(_shard(path, kind, columns))
    if plain:
        from portrait.readers.plain import PlainShard

        source.shards.append(PlainShard(plain, columns))


def _shard(path: Any, kind: Format, columns: Columns) -> Shard:
    if str(path) == STDIN:
        from portrait.readers.stdin import StdinShard

        return StdinShard(kind, columns)
    if kind == "parquet":
        from portrait.readers.parquet import ParquetShard

        return ParquetShard(path, columns)
    if kind == "arrow":
        from portrait.readers.arrow import ArrowShard

        return ArrowShard(path, columns)
    if kind in ("csv", "tsv"):
        from portrait.readers.delimited import DelimitedShard

        return DelimitedShard(path, kind, columns)
    from portrait.readers.jsonl import JsonlShard

    return JsonlShard(path, columns)


def is_url(location: str) -> bool:
    """Whether a location is a URL, and no file that is called like one."""
    return "://" in location and not os.path.exists(location)  # noqa: PTH110  # no error for long names


def _without_password(location: str) -> str:
    if not is_url(location):
        return location
    from portrait.readers import remote

    return remote.without_password(location)


def _find_remote(location: str) -> list[tuple[Any, Format]]:
    from portrait.readers import remote

    files, is_directory = remote.find(location)
    if not is_directory:
        return [(file, _format(file, _NAMED_SUFFIXES) or "txt") for file in files]
    found = [(file, kind) for file in files if (kind := _format(file, _SUFFIXES))]
    if not found:
        raise CorpusError(
            f"{remote.without_password(location)}: no {', '.join(_SUFFIXES)} files in this directory: "
            "name others by a glob"
        )
    return found


def _find(location: str) -> list[tuple[Any, Format]]:
    """The files of one location, sorted, each with its format."""
    if not location:
        raise CorpusError("the location is empty: name a file, a directory, a glob, or - for standard input")
    if is_url(location):
        scheme, _, rest = location.partition("://")
        if scheme != "file":
            return _find_remote(location)
        location = rest
    path = Path(location)
    if location == STDIN:
        return [(path, "auto")]
    try:
        path.exists()
    except OSError as error:
        raise CorpusError(f"{location}: {error.strerror}") from error
    if path.is_dir():
        files = [(file, kind) for file in _walk(path) if (kind := _format(file, _SUFFIXES))]
        if not files:
            raise CorpusError(
                f"{location}: no {', '.join(_SUFFIXES)} files in this directory: "
                f"name others by a glob, such as '{path / '**' / '*.md'}'"
            )
        return files
    if path.exists():
        return [(path, _format(path, _NAMED_SUFFIXES) or "txt")]
    if glob.has_magic(location):
        matches = sorted(map(Path, glob.glob(location, recursive=True)))  # noqa: PTH207  # Path.glob wants a base
        found = [match for match in matches if match.is_file()]
        if not found:
            raise CorpusError(f"{location}: no file matches")
        return [(file, _format(file, _NAMED_SUFFIXES) or "txt") for file in found]
    raise CorpusError(f"{location}: no such file or directory")


def _walk(directory: Path) -> Iterator[Path]:
    """The files below a directory in the order of their paths, hidden ones left out."""

    def fail(error: OSError) -> None:
        raise CorpusError(f"{error.filename}: {error.strerror}") from error

    found: list[Path] = []
    for parent, directories, names in os.walk(directory, onerror=fail):
        directories[:] = [name for name in directories if not name.startswith(".")]
        found.extend(Path(parent, name) for name in names if not name.startswith("."))
    # A pipe would block, and a socket is no text; a dangling link is an error that reading will name.
    return (path for path in sorted(found) if path.is_file() or not path.exists())


def _format(path: Any, suffixes: Mapping[str, Format]) -> Format | None:
    suffix = path.suffix.lower()
    if suffix in COMPRESSIONS:
        suffix = Path(path.stem).suffix.lower()
    return suffixes.get(suffix)
