"""A file at a URL, read through ``fsspec``."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from portrait.corpus.files.failures import RemoteError, as_os_error, naming
from portrait.corpus.shards import FileRecord, Stamp
from portrait.markup.numbers import count, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Buffer

#: Bytes requested from a server at a time where a file is read from beginning to end.
_BLOCK_BYTES = 1 << 23
#: What servers and archives call a mark of the content, and the time of its last change.
_CHECKSUMS = ("ETag", "etag", "Content-MD5", "content_md5", "md5Hash", "crc32c", "Digest", "CRC")
_TIMES = ("LastModified", "Last-Modified", "last_modified", "mtime", "updated", "modified", "created")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that an ``fsspec`` file system serves.

    Args:
        url: Its name, without any password.
        path: Its name within ``filesystem``.
        filesystem: The file system.
        n_bytes: Its size, if the server tells.
        etag: A checksum or another mark of its content, if the server tells.
    """

    url: str
    path: str
    filesystem: Any = field(repr=False, compare=False)
    n_bytes: int | None
    etag: str | None

    @classmethod
    def of(cls, url: str, path: str, filesystem: Any, info: Mapping[str, Any]) -> RemoteFile:
        """Return the file that a file system describes by ``info``."""
        return cls(url, path, filesystem, info.get("size"), _first_of(info, _CHECKSUMS))

    def __str__(self) -> str:
        return self.url

    @property
    def suffix(self) -> str:
        """The last suffix of its name, with the dot."""
        return self._name.suffix

    @property
    def stem(self) -> str:
        """Its name without the last suffix."""
        return self._name.stem

    @property
    def _name(self) -> PurePosixPath:
        return PurePosixPath(re.split("[?#]", self.path, maxsplit=1)[0] if "://" in self.path else self.path)

    def record(self) -> FileRecord:
        """Return the manifest's record of the file."""
        return FileRecord(self.url, self.n_bytes, self.etag)

    def stamp(self) -> Stamp:
        """Look up the file's present size, and its checksum or the time of its last change.

        Raises:
            UnreadableFileError: The file is gone, or the server cannot be reached.
        """
        filesystem = self.filesystem
        with naming(self.url):
            filesystem.invalidate_cache()
            if hasattr(filesystem, "fo"):
                # An archive is listed once, when it is opened.
                options = {**filesystem.storage_options, "skip_instance_cache": True}
                filesystem = type(filesystem)(*filesystem.storage_args, **options)
            info = filesystem.info(self.path)
        return Stamp(self.url, (info.get("size"), _first_of(info, _CHECKSUMS) or _first_of(info, _TIMES)))

    def open(self, *, sequential: bool) -> io.RawIOBase:
        """Open the file.

        Args:
            sequential: Whether it is read from beginning to end, rather than a range here and there.

        Raises:
            UnreadableFileError: It cannot be opened.
        """
        # Ranges are requested one by one, as they are read.
        cache: dict[str, Any] = {"cache_type": "readahead" if sequential else "none"}
        with naming(self.url):
            opened = self.filesystem.open(self.path, "rb", block_size=_BLOCK_BYTES, **cache)
        return _OpenFile(opened, self.n_bytes)


class _OpenFile(io.RawIOBase):
    """An open remote file, all of whose failures are a :class:`RemoteError`."""

    def __init__(self, file: Any, n_bytes: int | None) -> None:
        self._file = file
        self._n_bytes = n_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def readinto(self, buffer: Buffer, /) -> int:
        room = memoryview(buffer)
        with as_os_error():
            data = self._file.read(len(room))
        room[: len(data)] = data
        self._at += len(data)
        if not data and len(room) and self._n_bytes is not None and self._at < self._n_bytes:
            raise RemoteError(f"the data ends after {count(self._at)} of {counted(self._n_bytes, 'byte')}")
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with as_os_error():
            try:
                position = self._file.seek(offset, whence)
            except ValueError as error:
                raise RemoteError("its server does not serve ranges: download the file first") from error
        # A stream that stays where it is does not return its position.
        self._at = self._at if position is None else position
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._file.close()


def _first_of(info: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((str(info[name]) for name in names if info.get(name)), None)
