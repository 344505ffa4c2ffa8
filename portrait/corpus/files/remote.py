"""Files at URLs, read through ``fsspec``: found, opened, and every failure named in one line."""

from __future__ import annotations

import errno
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from portrait import extras
from portrait.errors import CorpusError, MissingExtraError, UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

#: Bytes asked of a server at a time, where a file is read from its beginning to its end.
_BLOCK_BYTES = 1 << 23
#: What servers and archives call that which changes with a file's content.
_CHECKSUMS = ("ETag", "etag", "Content-MD5", "content_md5", "md5Hash", "crc32c", "Digest", "CRC")
_TIMES = ("LastModified", "Last-Modified", "last_modified", "mtime", "updated", "modified", "created")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that is not in this machine's directories.

    ``url`` is what it is called, without any password; ``path`` what ``filesystem`` calls it. ``n_bytes``
    is ``None`` if the server does not tell; so is ``etag``, a checksum or another mark of this content.
    """

    url: str
    path: str
    filesystem: Any = field(repr=False, compare=False)
    n_bytes: int | None
    etag: str | None

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

    def record(self) -> dict[str, Any]:
        """Its URL, its size in bytes and its mark, as far as they are known, for the manifest."""
        known = {"bytes": self.n_bytes, "etag": self.etag}
        return {"path": self.url, **{name: value for name, value in known.items() if value is not None}}

    def stamp(self) -> list[Any]:
        """Its URL, its size, and its mark or the time of its last change, as of now.

        Raises :class:`UnreadableFileError`.
        """
        filesystem = self.filesystem
        with naming(self.url):
            filesystem.invalidate_cache()
            if hasattr(filesystem, "fo"):
                # An archive is listed once, when it is opened.
                options = {**filesystem.storage_options, "skip_instance_cache": True}
                filesystem = type(filesystem)(*filesystem.storage_args, **options)
            info = filesystem.info(self.path)
        return [self.url, info.get("size"), _first(info, _CHECKSUMS) or _first(info, _TIMES)]

    def open(self, *, sequential: bool) -> io.RawIOBase:
        """Open it; ``sequential``: to be read from its beginning to its end.

        Raises :class:`UnreadableFileError`.
        """
        # What is read here and there is asked for as it is wanted.
        cache: dict[str, Any] = {"cache_type": "readahead" if sequential else "none"}
        with naming(self.url):
            opened = self.filesystem.open(self.path, "rb", block_size=_BLOCK_BYTES, **cache)
        return _Reader(opened, self.n_bytes)


class _RemoteError(OSError):
    """What a client says is wrong."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EIO, what)

    def __str__(self) -> str:
        return str(self.strerror)


class _Reader(io.RawIOBase):
    """An open file, all of whose errors are an :class:`OSError` of one line."""

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
        with _as_os_error():
            data = self._file.read(len(room))
        room[: len(data)] = data
        self._at += len(data)
        if not data and len(room) and self._n_bytes is not None and self._at < self._n_bytes:
            raise _RemoteError(f"the data ends after {self._at} of {self._n_bytes} bytes")
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with _as_os_error():
            try:
                found = self._file.seek(offset, whence)
            except ValueError as error:
                raise _RemoteError("its server gives no parts of files: fetch it first") from error
        # A stream that stays where it is does not say where that is.
        self._at = self._at if found is None else found
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._file.close()


def find(location: str) -> tuple[list[RemoteFile], bool]:
    """The file at a URL, those below a directory, or those of a glob, in the order of their URLs.

    And whether it is a directory: of these the hidden files are left out. Raises :class:`CorpusError`
    where there is none, and :class:`MissingExtraError` for a package that is missing to read such URLs.
    """
    filesystem, path = _filesystem(location)
    shown = without_password(location)
    with naming(shown):
        info = _info(filesystem, path, location)
        is_directory = info is not None and info["type"] == "directory"
        if info is None:
            found = filesystem.glob(path, detail=True)
        elif is_directory:
            below = path.rstrip("/") + "/"
            found = filesystem.find(path, detail=True)
            found = {name: one for name, one in found.items() if not _is_hidden(name.removeprefix(below))}
        else:
            return [_file(shown, path, filesystem, info)], False
    files = [
        _file(_url(shown, path, name), name, filesystem, one)
        for name, one in found.items()
        if one["type"] == "file"
    ]
    if not files and info is None:
        raise CorpusError(f"{shown}: no file matches")
    return sorted(files, key=str), is_directory


def without_password(url: str) -> str:
    """A URL without the name and password of who may read it."""
    return re.sub(r"://[^/@]*@", "://", url)


def _filesystem(location: str) -> tuple[Any, str]:
    core = extras.load("fsspec.core", "build")
    try:
        filesystem, path = core.url_to_fs(location)
    except ImportError as error:
        missing = getattr(error.__cause__, "name", None) or "a package"
        raise MissingExtraError(
            f"{without_password(location)}: this needs {missing}, which is not installed: "
            f"pip install {missing}"
        ) from error
    except Exception as error:
        raise CorpusError(f"{without_password(location)}: {describe(error)}") from error
    return filesystem, path


def _info(filesystem: Any, path: str, location: str) -> Any:
    """What is known of the file or directory at ``path``; nothing where it is a glob."""
    try:
        info = filesystem.info(path)
    except FileNotFoundError:
        if any(character in path for character in "*["):
            return None
        raise
    # A web server has pages, and what ends with a slash lists others.
    if info["type"] == "file" and location.endswith("/") and filesystem.isdir(path):
        return {**info, "type": "directory"}
    return info


def _file(url: str, path: str, filesystem: Any, info: dict[str, Any]) -> RemoteFile:
    return RemoteFile(url, path, filesystem, info.get("size"), _first(info, _CHECKSUMS))


def _first(info: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((str(info[name]) for name in names if info.get(name)), None)


def _url(location: str, path: str, name: str) -> str:
    """The URL of the file ``name``, found at ``location``, which is ``path`` there."""
    if "://" in name:
        return without_password(name)
    outer, chained, inner = location.partition("::")
    if "://" not in outer:
        return f"{outer}{chained}{_url(inner, path, name)}"
    scheme, _, rest = outer.partition("://")
    # A path may come without the host, and with a slash that the URL does not have.
    rest, path = rest.rstrip("/"), path.strip("/")
    host = rest.removesuffix(path) if rest.endswith(path) else ""
    return f"{scheme}://{host}{name.lstrip('/')}{chained}{inner}"


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


@contextmanager
def naming(url: str) -> Iterator[None]:
    """Whatever a client raises is an :class:`UnreadableFileError` that names ``url``."""
    try:
        yield
    except Exception as error:
        raise UnreadableFileError(f"{url}: {describe(error)}") from error


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise _RemoteError(describe(error)) from error


def describe(error: BaseException) -> str:
    """What is wrong, in a line: clients hide the cause behind a file that is not found."""
    while isinstance(error, FileNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    status = getattr(error, "status", None)
    if isinstance(status, int) and status:
        return f"the server answers {status} {getattr(error, 'message', '')}".rstrip()
    if isinstance(error, FileNotFoundError):
        return "no such file or directory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
