"""Which files a location means, and the shard that reads each."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.corpus.shards import COMPRESSIONS, Format
from portrait.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portrait.corpus.columns import Columns
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
#: Also JSON lines where somebody names the file; in a directory, likelier to be something else.
_NAMED_SUFFIXES: dict[str, Format] = {**_SUFFIXES, ".json": "jsonl"}


def is_url(location: str) -> bool:
    """Whether a location is a URL, and no file that is called like one."""
    return "://" in location and not os.path.exists(location)  # noqa: PTH110  # no error for long names


def without_password(location: str) -> str:
    if not is_url(location):
        return location
    from portrait.corpus.files import remote

    return remote.without_password(location)


def _find_remote(location: str) -> list[tuple[Any, Format]]:
    from portrait.corpus.files import remote

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


def find_files(location: str) -> list[tuple[Any, Format]]:
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


def open_shard(path: Any, kind: Format, columns: Columns) -> Shard:
    if str(path) == STDIN:
        from portrait.corpus.formats.stdin import StdinShard

        return StdinShard(kind, columns)
    if kind == "parquet":
        from portrait.corpus.formats.parquet import ParquetShard

        return ParquetShard(path, columns)
    if kind == "arrow":
        from portrait.corpus.formats.arrow import ArrowShard

        return ArrowShard(path, columns)
    if kind in ("csv", "tsv"):
        from portrait.corpus.formats.delimited import DelimitedShard

        return DelimitedShard(path, kind, columns)
    from portrait.corpus.formats.jsonl import JsonlShard

    return JsonlShard(path, columns)
