"""Files of a corpus: how large they are, when they changed, what is in them, and shards of one."""

from __future__ import annotations

import copy
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

import xxhash

from portrait import extras
from portrait.corpus.files.remote import RemoteFile
from portrait.corpus.shards import COMPRESSIONS
from portrait.errors import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portrait.corpus.columns import Columns
    from portrait.corpus.shards import Shard

#: A file of this machine, or one at a URL.
File: TypeAlias = Path | RemoteFile

#: Bytes hashed at a time: enough that the calls cost nothing, few enough to stay in the cache.
_HASHED_BYTES = 1 << 20


class FileShard:
    """What shards have in common that read one file, or a part of it.

    The first part of a divided file carries the file's record; the others have no ``files``.
    Raises :class:`UnreadableFileError`.
    """

    read_once = False

    def __init__(self, path: File, columns: Columns) -> None:
        self._path = path
        self._columns = columns
        self.files: list[dict[str, Any]] = [file_record(path)]
        self.n_bytes: int | None = self.files[0].get("bytes")

    @property
    def label(self) -> str:
        """The file's path."""
        return str(self._path)

    def split(self, n_bytes: int) -> list[Shard]:  # noqa: ARG002
        """The shard itself: most kinds of files cannot be divided."""
        shard: Any = self
        return [shard]

    def stamps(self) -> list[list[Any]]:
        """The file's path, size and time of modification as of now."""
        return [stamp(self._path)]

    def digests(self) -> dict[str, str]:
        """The digest of the file, which is read for it; none of a part that is not the first.

        None of a remote file, either, which would be fetched once more.
        """
        if not isinstance(self._path, Path):
            return {}
        return {file["path"]: digest(self._path) for file in self.files}

    def _part(self, n_bytes: int, *, first: bool) -> Self:
        """A copy that is to read ``n_bytes`` bytes of what this one reads."""
        part = copy.copy(self)
        part.n_bytes = n_bytes
        if not first:
            part.files = []
        return part


class StreamShard(FileShard):
    """What shards have in common that read a file from its beginning to its end.

    They hash it as they do so: ``_digest`` is for ``chunks`` to set.
    """

    def __init__(self, path: File, columns: Columns) -> None:
        super().__init__(path, columns)
        self.n_bytes = known_bytes([path])
        self.read_once = self.n_bytes is None and isinstance(path, Path)
        self._digest: str | None = None

    def digests(self) -> dict[str, str]:
        """The digest of the file, once it has been read to its end."""
        return {} if self._digest is None else {str(self._path): self._digest}


class Before(Protocol):
    """Rows or lines that stand before a part of a file."""

    def count(self) -> int:
        """How many they are: found out when it is asked for, once."""


def reason(error: OSError) -> str:
    """What the system says is wrong, in one line."""
    return error.strerror or (str(error).splitlines() or ["unknown error"])[0]


def unreadable(path: Any, error: OSError) -> UnreadableFileError:
    """The error for a file that cannot be opened or looked up."""
    return UnreadableFileError(f"{path}: {reason(error)}")


def known_bytes(paths: Sequence[File]) -> int | None:
    """How many bytes some files have; ``None`` if one is a pipe, or at a server that does not tell.

    Raises :class:`UnreadableFileError`.
    """
    sizes = [path.n_bytes for path in paths if not isinstance(path, Path)]
    try:
        # Half the time of Path.stat.
        found = [os.stat(path) for path in paths if isinstance(path, Path)]  # noqa: PTH116
    except OSError as error:
        raise unreadable(error.filename, error) from error
    sizes += [one.st_size if stat.S_ISREG(one.st_mode) else None for one in found]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def file_record(path: File) -> dict[str, Any]:
    """A file's path and size, for the manifest. Raises :class:`UnreadableFileError`."""
    if not isinstance(path, Path):
        return path.record()
    try:
        return {"path": str(path), "bytes": os.stat(path).st_size}  # noqa: PTH116  # half the time of Path.stat
    except OSError as error:
        raise unreadable(path, error) from error


def stamp(path: File) -> list[Any]:
    """A file's path, size in bytes and time of modification in nanoseconds, as of now.

    Raises :class:`UnreadableFileError`.
    """
    if not isinstance(path, Path):
        return path.stamp()
    try:
        found = os.stat(path)  # noqa: PTH116  # half the time of Path.stat
    except OSError as error:
        raise unreadable(path, error) from error
    return [str(path), found.st_size, found.st_mtime_ns]


def digest(path: Path) -> str:
    """The XXH3-128 of a file's bytes in 32 hexadecimal digits. Raises :class:`UnreadableFileError`."""
    hashed = xxhash.xxh3_128()
    try:
        with path.open("rb", buffering=0) as file:
            while data := file.read(_HASHED_BYTES):
                hashed.update(data)
    except OSError as error:
        raise unreadable(path, error) from error
    return hashed.hexdigest()


def runs(sizes: Sequence[int], n_bytes: int, total: int) -> list[tuple[tuple[int, int], int]]:
    """Consecutive things, each of some size, in runs of about ``n_bytes``: [begin, end) of each.

    With it, how much of ``total`` it is, in proportion: the shares add up to it.
    """
    whole = sum(sizes)
    found: list[tuple[tuple[int, int], int]] = []
    begin = at = run = given = 0
    for i, size in enumerate(sizes):
        run += size
        at += size
        if run >= n_bytes or i == len(sizes) - 1:
            share = total if i == len(sizes) - 1 else total * at // max(1, whole)
            found.append(((begin, i + 1), share - given))
            begin, run, given = i + 1, 0, share
    return found


def open_native(path: File) -> Any:
    """A file for Arrow to read here and there. Raises :class:`OSError`, :class:`UnreadableFileError`."""
    pa = extras.load("pyarrow", "build")
    if isinstance(path, Path):
        return pa.OSFile(str(path))
    return pa.PythonFile(path.open(sequential=False), "r")


def is_compressed(path: File) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.suffix.lower() in COMPRESSIONS
