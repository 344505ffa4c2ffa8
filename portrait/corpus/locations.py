"""The files that a location names, and the shards that read them."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from portrait.corpus.shards import COMPRESSIONS, Format
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from portrait.corpus.columns import Columns
    from portrait.corpus.files.file import File
    from portrait.corpus.shards import Shard

STDIN = "-"

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
#: A ``.json`` file is JSON lines where somebody names it; in a directory, it is more likely something else.
_NAMED_SUFFIXES: dict[str, Format] = {**_SUFFIXES, ".json": "jsonl"}


class FoundFile(NamedTuple):
    """A file and its format, or standard input, whose content decides about its format."""

    path: File
    format: Format
    is_stdin: bool = False

    def identity(self) -> str:
        """Return what all paths to the same file have in common."""
        return os.path.realpath(self.path) if isinstance(self.path, Path) else str(self.path)


def is_url(location: str) -> bool:
    """Return whether a location is a URL, rather than the name of an existing file."""
    return "://" in location and not os.path.exists(location)  # noqa: PTH110  # no error for long names


def without_password(location: str) -> str:
    """Return a location without the name and password that a URL may have."""
    if not is_url(location):
        return location
    from portrait.corpus.files import listing

    return listing.without_password(location)


def find_files(location: str) -> list[FoundFile]:
    """Find the files that a location names, in the order of their paths.

    Args:
        location: A file, a directory, a glob, the URL of any of these, or ``-`` for standard input.

    Raises:
        CorpusError: There is no such file, no file matches, or the directory has no files of known formats.
    """
    if not location:
        raise CorpusError("the location is empty: name a file, a directory, a glob, or - for standard input")
    if location == STDIN:
        return [FoundFile(Path(location), "auto", is_stdin=True)]
    if is_url(location):
        scheme, _, path = location.partition("://")
        return _find_local(path) if scheme == "file" else _find_remote(location)
    return _find_local(location)


def _find_remote(location: str) -> list[FoundFile]:
    from portrait.corpus.files import listing

    files, is_directory = listing.list_files(location)
    if not is_directory:
        return _named(files)
    return _of_directory(files, listing.without_password(location), "a glob")


def _find_local(location: str) -> list[FoundFile]:
    path = Path(location)
    try:
        exists = path.exists()
    except OSError as error:
        raise CorpusError(f"{location}: {error.strerror}") from error
    if path.is_dir():
        return _of_directory(_walk(path), location, f"a glob, such as '{glob.escape(location)}/**/*.md'")
    if exists:
        return _named([path])
    if not glob.has_magic(location):
        raise CorpusError(f"{location}: no such file or directory")
    matches = sorted(map(Path, glob.glob(_pattern(path), recursive=True)))  # noqa: PTH207  # Path.glob wants a base
    files = [match for match in matches if match.is_file()]
    if not files:
        raise CorpusError(f"{location}: no file matches")
    return _named(files)


def _pattern(path: Path) -> str:
    """Return a glob in which directories that exist are meant as they are, whatever their names hold."""
    there = next(parent for parent in path.parents if parent.is_dir())
    return str(Path(glob.escape(str(there)), path.relative_to(there)))


def _named(files: Iterable[File]) -> list[FoundFile]:
    """Return files that somebody named; those of unknown suffixes are plain text."""
    return [FoundFile(file, _format(file, _NAMED_SUFFIXES) or "txt") for file in files]


def _of_directory(files: Iterable[File], location: str, glob_hint: str) -> list[FoundFile]:
    """Return the files of known formats in a directory."""
    found = [FoundFile(file, kind) for file in files if (kind := _format(file, _SUFFIXES))]
    if not found:
        raise CorpusError(
            f"{location}: no {', '.join(_SUFFIXES)} files in this directory: name others by {glob_hint}"
        )
    return found


def _walk(directory: Path) -> Iterator[Path]:
    """Return the files below a directory in the order of their paths, except hidden ones."""

    def fail(error: OSError) -> None:
        raise CorpusError(f"{error.filename}: {error.strerror}") from error

    paths: list[Path] = []
    for parent, directories, names in os.walk(directory, onerror=fail):
        directories[:] = [name for name in directories if not name.startswith(".")]
        paths.extend(Path(parent, name) for name in names if not name.startswith("."))
    # A pipe would block and a socket is not text; a dangling link is an error, which reading reports.
    return (path for path in sorted(paths) if path.is_file() or not path.exists())


def _format(file: File, suffixes: Mapping[str, Format]) -> Format | None:
    suffix = file.suffix.lower()
    if suffix in COMPRESSIONS:
        suffix = Path(file.stem).suffix.lower()
    return suffixes.get(suffix)


def open_shards(files: Iterable[FoundFile], columns: Columns) -> list[Shard]:
    """Return the shards that read some files: one for each table, and one last for all plain texts.

    Raises:
        CorpusError: A file cannot be looked up, or standard input cannot have its format.
    """
    shards: list[Shard] = []
    texts: list[File] = []
    for file in files:
        if file.is_stdin:
            shards.append(_open_stdin(file.format, columns))
        elif file.format == "txt":
            texts.append(file.path)
        else:
            shards.append(_READERS[file.format](file.path, file.format, columns))
    return [*shards, _open_texts(texts, columns)] if texts else shards


# Readers are loaded when they are needed: most corpora have one format, and opening a portrait needs none.


def _open_stdin(kind: Format, columns: Columns) -> Shard:
    from portrait.corpus.formats.stdin import StdinShard

    return StdinShard(kind, columns)


def _open_texts(paths: list[File], columns: Columns) -> Shard:
    from portrait.corpus.formats.plain import PlainShard

    return PlainShard(paths, columns)


def _open_jsonl(path: File, _: Format, columns: Columns) -> Shard:
    from portrait.corpus.formats.jsonl import JsonlShard

    return JsonlShard(path, columns)


def _open_parquet(path: File, _: Format, columns: Columns) -> Shard:
    from portrait.corpus.formats.parquet import ParquetShard

    return ParquetShard(path, columns)


def _open_arrow(path: File, _: Format, columns: Columns) -> Shard:
    from portrait.corpus.formats.arrow import ArrowShard

    return ArrowShard(path, columns)


def _open_delimited(path: File, kind: Format, columns: Columns) -> Shard:
    from portrait.corpus.formats.delimited import DelimitedShard

    return DelimitedShard(path, kind, columns)


_READERS: dict[Format, Callable[[File, Format, Columns], Shard]] = {
    "jsonl": _open_jsonl,
    "parquet": _open_parquet,
    "arrow": _open_arrow,
    "csv": _open_delimited,
    "tsv": _open_delimited,
}
