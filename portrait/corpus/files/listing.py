"""The files at a URL: one file, a directory's, or those that match a glob."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from portrait import extras
from portrait.corpus.files.failures import describe, naming
from portrait.corpus.files.remote import RemoteFile
from portrait.errors import CorpusError, MissingExtraError


class Listing(NamedTuple):
    """The files at a URL, ordered by URL, and whether the URL is a directory."""

    files: list[RemoteFile]
    is_directory: bool


def list_files(location: str) -> Listing:
    """List the files at a URL: the file, those below the directory, or those that match the glob.

    Hidden files of a directory are left out.

    Raises:
        CorpusError: There is no such file, or no file matches.
        MissingExtraError: The package that reads such URLs is not installed.
    """
    filesystem, path = _filesystem(location)
    shown = without_password(location)
    with naming(shown):
        info = _info(filesystem, path, location)
        if info is not None and info["type"] != "directory":
            return Listing([RemoteFile.of(shown, path, filesystem, info)], is_directory=False)
        entries = filesystem.glob(path, detail=True) if info is None else _below(filesystem, path)
    files = [
        RemoteFile.of(_url(shown, path, name), name, filesystem, entry)
        for name, entry in entries.items()
        if entry["type"] == "file"
    ]
    if not files and info is None:
        raise CorpusError(f"{shown}: no file matches")
    return Listing(sorted(files, key=str), is_directory=info is not None)


def without_password(url: str) -> str:
    """Return a URL without the name and password of its user."""
    return re.sub(r"://[^/@]*@", "://", url)


def _filesystem(location: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the URL's path within it."""
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
    """Look up the file or directory at ``path``; return ``None`` for a glob."""
    try:
        info = filesystem.info(path)
    except FileNotFoundError:
        if any(character in path for character in "*["):
            return None
        raise
    # To a web server everything is a page; a page whose URL ends with a slash may list others.
    if info["type"] == "file" and location.endswith("/") and filesystem.isdir(path):
        return {**info, "type": "directory"}
    return info


def _below(filesystem: Any, path: str) -> dict[str, Any]:
    """Return the entries below a directory that are not hidden."""
    prefix = path.rstrip("/") + "/"
    entries = filesystem.find(path, detail=True)
    return {name: entry for name, entry in entries.items() if not _is_hidden(name.removeprefix(prefix))}


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def _url(location: str, path: str, name: str) -> str:
    """Return the URL of a file.

    Args:
        location: The URL that was listed.
        path: The path of ``location`` within its file system.
        name: The file's path within the file system.
    """
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
