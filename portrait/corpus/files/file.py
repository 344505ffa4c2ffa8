"""One file of a corpus, local or remote: its size, its stamp, its digest, and how Arrow opens it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import xxhash

from portrait import extras
from portrait.corpus.files.failures import unreadable
from portrait.corpus.files.remote import RemoteFile
from portrait.corpus.shards import COMPRESSIONS, FileRecord, Stamp, total_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A local file, or one at a URL.
File: TypeAlias = Path | RemoteFile

#: Bytes hashed at a time: enough to amortise the calls, few enough to stay in the cache.
_HASH_BYTES = 1 << 20


def known_bytes(paths: Sequence[File]) -> int | None:
    """Return how many bytes some files have, ``None`` if the size of one is unknown, as a pipe's is.

    Raises:
        UnreadableFileError: A file cannot be looked up.
    """
    return total_bytes([_known_bytes(path) for path in paths])


def _known_bytes(path: File) -> int | None:
    if not isinstance(path, Path):
        return path.n_bytes
    status = _status(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def file_record(path: File) -> FileRecord:
    """Return the manifest's record of a file.

    Raises:
        UnreadableFileError: The file cannot be looked up.
    """
    if not isinstance(path, Path):
        return path.record()
    return FileRecord(str(path), _status(path).st_size)


def stamp(path: File) -> Stamp:
    """Look up a file's present state.

    Raises:
        UnreadableFileError: The file cannot be looked up.
    """
    if not isinstance(path, Path):
        return path.stamp()
    status = _status(path)
    return Stamp(str(path), (status.st_size, status.st_mtime_ns))


def _status(path: Path) -> os.stat_result:
    try:
        return os.stat(path)  # noqa: PTH116  # half the time of Path.stat
    except OSError as error:
        raise unreadable(path, error) from error


def digest(path: Path) -> str:
    """Return the XXH3-128 of a file's bytes in 32 hexadecimal digits.

    Raises:
        UnreadableFileError: The file cannot be read.
    """
    hasher = xxhash.xxh3_128()
    try:
        with path.open("rb", buffering=0) as file:
            while data := file.read(_HASH_BYTES):
                hasher.update(data)
    except OSError as error:
        raise unreadable(path, error) from error
    return hasher.hexdigest()


def open_native(path: File) -> Any:
    """Open a file for Arrow's random access.

    Raises:
        OSError: A local file cannot be opened.
        UnreadableFileError: A remote file cannot be opened.
    """
    pa = extras.load("pyarrow", "build")
    if isinstance(path, Path):
        return pa.OSFile(str(path))
    return pa.PythonFile(path.open(sequential=False), "r")


def is_compressed(path: File) -> bool:
    """Return whether a file's name says that it is compressed."""
    return path.suffix.lower() in COMPRESSIONS
