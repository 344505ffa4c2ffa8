"""Downloads of portraits into the hub's cache, verified before anything opens them."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash

from portrait import strict_json
from portrait.bundle.manifest import MAX_MANIFEST_BYTES, check_digest
from portrait.bundle.manifest_reader import parse
from portrait.bundle.reader import MANIFEST_NAME
from portrait.errors import DamagedBundleError, OutputError
from portrait.hub import receipts
from portrait.hub.addresses import parse as parse_address
from portrait.hub.companions import COMPANIONS
from portrait.hub.location import locate
from portrait.markup.numbers import count, counted
from portrait.storage.regular import open_regular, read_regular
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portrait.hub.addresses import Address
    from portrait.hub.connection import HubConnection
    from portrait.hub.location import PortraitLocation

#: An index of a filter of the original library has a line or two for each chunk of 16 MiB.
_MAX_INDEX_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 22
#: Files that are downloaded at the same time: while one of them is verified, others arrive.
_N_THREADS = 4


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file to download, and what it must be.

    Args:
        path: Its path in the repository.
        n_bytes: Its size.
        sha256: The SHA-256 of its content, where something states it.
        blob_id: Git's object id of its content, for small files of which nothing states the SHA-256.
        xxh3_128: Its XXH3-128, where the manifest states it.
    """

    path: str
    n_bytes: int
    sha256: str | None = None
    blob_id: str | None = None
    xxh3_128: str | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """A portrait in the cache, verified.

    Args:
        path: The bundle's directory, or the ``.bf`` file.
        files: The files that it is opened from.
    """

    path: Path
    files: tuple[Path, ...]


def cached(location: str, connection: HubConnection) -> Path:
    """Return the path of a verified portrait in the cache, after downloading it if need be.

    Args:
        location: Its address.
        connection: How to reach the hub, and the cache.

    Raises:
        PortraitError: As for :func:`download`, or it is no address.
    """
    if (known := receipts.recall(location, connection.cache)) is not None:
        return known
    address = parse_address(location)
    fixed = address if address.is_fixed else address.at(connection.commit(address))
    path = receipts.recall(str(fixed), connection.cache)
    if path is None:
        downloaded = download(fixed, connection)
        path = downloaded.path
        receipts.remember(str(fixed), connection.cache, path, downloaded.files)
        if address.is_fixed and location != str(fixed):
            receipts.remember(location, connection.cache, path, downloaded.files)
    return path


def download(address: Address, connection: HubConnection) -> Download:
    """Download the portrait at an address into the cache, and verify it.

    Every file of the portrait is compared with its digest: in a bundle, with those of the manifest; of a
    filter of the original library, with those that the hub knows. What is in the cache is not downloaded
    again.

    Args:
        address: The address, at a commit.
        connection: How to reach the hub, and the cache.

    Raises:
        NotAPortraitError: There is no portrait at the address, or several are below it.
        DamagedBundleError: A file is not what it should be; the message names it.
        UnsupportedBundleError: The portrait is of a newer format.
        HubError: The hub refuses or cannot be reached.
        OutputError: The cache has no room for it.
    """
    location = locate(address, connection)
    if location.is_bundle:
        first, expected = _files_of_bundle(location, connection)
    else:
        first, expected = _files_of_filter(location, connection)
    _require_room(expected, location.address, connection)
    with ThreadPoolExecutor(_N_THREADS) as threads:

        def fetch(file: ExpectedFile) -> Path:
            path = connection.download(location.address.inside(file.path))
            _verify(path, file, location.address)
            return path

        try:
            paths = list(threads.map(fetch, expected))
            for name in COMPANIONS if location.is_bundle else ():
                if location.address.join(name) in location.siblings:
                    _download_listed(location.address.join(name), location, connection)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return Download(first.parent if location.is_bundle else first, (first, *paths))


def _files_of_bundle(
    location: PortraitLocation, connection: HubConnection
) -> tuple[Path, list[ExpectedFile]]:
    """Download a bundle's manifest, and return it and the files that it lists."""
    address = location.address
    where = address.join(MANIFEST_NAME)
    if location.siblings[where].n_bytes > MAX_MANIFEST_BYTES:
        raise DamagedBundleError(
            f"{address.inside(where)}: larger than any manifest, which has "
            f"{counted(MAX_MANIFEST_BYTES, 'byte')} at most"
        )
    path = _download_listed(where, location, connection)
    text = read_regular(path, MAX_MANIFEST_BYTES)
    manifest = parse(text, str(address.inside(where)))
    check_digest(text, str(address.inside(where)))
    expected = []
    for layer in manifest.layers:
        for record in layer.files:
            file = ExpectedFile(
                address.join(record.file), record.bytes, record.sha256, xxh3_128=record.xxh3_128
            )
            _require_listed(file, location)
            expected.append(file)
    return path, expected


def _files_of_filter(
    location: PortraitLocation, connection: HubConnection
) -> tuple[Path, list[ExpectedFile]]:
    """Download the index of a filter of the original library, and return the filter and its other files."""
    address = location.address
    legacy = f"{address.path}.idx"
    index = legacy if legacy in location.siblings else address.path
    if location.siblings[index].n_bytes > _MAX_INDEX_BYTES:
        raise DamagedBundleError(f"{address.inside(index)}: too large for an index")
    path = _download_listed(index, location, connection)
    names = [address.path] if index == legacy else _part_names(path, address)
    folder = address.inside(address.path.rpartition("/")[0])
    expected = []
    for name in dict.fromkeys([address.path, index, *(folder.join(name) for name in names)]):
        if name not in location.siblings:
            raise DamagedBundleError(f"{address.inside(name)}: the part is missing in the repository")
        expected.append(_listed_file(name, location))
    return path.with_name(address.name), expected


def _part_names(index: Path, address: Address) -> list[str]:
    """Return the names of the files that hold a filter's bits; opening it checks the index itself."""
    try:
        content = strict_json.loads(read_regular(index, _MAX_INDEX_BYTES))
        names = [block["part_file"] for block in content["blocks"]]
    except (JsonError, KeyError, TypeError) as error:
        raise DamagedBundleError(
            f"{address}: not an index of a filter of the original library, and there is no "
            f"{address.name}.idx beside it"
        ) from error
    for name in names:
        if (
            not isinstance(name, str)
            or "/" in name
            or "\\" in name
            or name in ("", ".", "..")
            or "\0" in name
        ):
            raise DamagedBundleError(f"{address}: part_file {name!r:.200} is not a plain file name")
    return names


def _download_listed(path: str, location: PortraitLocation, connection: HubConnection) -> Path:
    """Download a file of which only the hub states a digest, and return its verified path in the cache."""
    downloaded = connection.download(location.address.inside(path))
    _verify(downloaded, _listed_file(path, location), location.address)
    return downloaded


def _listed_file(path: str, location: PortraitLocation) -> ExpectedFile:
    """Return what a file must be according to the hub's list."""
    listed = location.siblings[path]
    blob_id = listed.blob_id or None if listed.sha256 is None else None
    return ExpectedFile(path, listed.n_bytes, listed.sha256, blob_id)


def _require_listed(file: ExpectedFile, location: PortraitLocation) -> None:
    listed = location.siblings.get(file.path)
    where = location.address.inside(file.path)
    if listed is None:
        raise DamagedBundleError(f"{where}: the manifest lists it, but the repository does not have it")
    if listed.n_bytes != file.n_bytes:
        raise DamagedBundleError(
            f"{where}: {counted(listed.n_bytes, 'byte')} instead of {count(file.n_bytes)}: the repository "
            "does not hold what its manifest says"
        )


def _require_room(files: Sequence[ExpectedFile], address: Address, connection: HubConnection) -> None:
    """Check that the disk has room for what is not there yet, before anything large is downloaded."""
    cache = connection.cache
    there = next((folder for folder in (cache, *cache.parents) if folder.exists()), None)
    if there is None:
        return
    missing = [file for file in files if not (connection.snapshot(address) / file.path).exists()]
    needed, free = sum(file.n_bytes for file in missing), shutil.disk_usage(there).free
    if needed > free:
        raise OutputError(
            f"{cache}: {address} needs {counted(needed, 'byte')}, and its disk has {count(free)} free: make "
            "room, or set HF_HOME to a directory with more of it"
        )


def _verify(path: Path, file: ExpectedFile, address: Address) -> None:
    """Compare a downloaded file with what it must be, and remove it from the cache if it is not.

    Raises:
        DamagedBundleError: It is not.
    """
    sha256, xxh3 = hashlib.sha256(), xxhash.xxh3_128()
    blob = hashlib.sha1(b"blob %d\0" % file.n_bytes, usedforsecurity=False)
    digests: list[tuple[Any, str | None]] = [
        (sha256, file.sha256),
        (xxh3, file.xxh3_128),
        (blob, file.blob_id),
    ]
    stated = [(digest, value) for digest, value in digests if value is not None]
    n_bytes = 0
    try:
        with open_regular(path) as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                n_bytes += len(chunk)
                for digest, _ in stated:
                    digest.update(chunk)
    except OSError as error:
        raise DamagedBundleError(f"{path}: {error.strerror}") from error
    if n_bytes == file.n_bytes and all(digest.hexdigest() == value for digest, value in stated):
        return
    for damaged in {path, path.resolve()}:
        with suppress(OSError):
            damaged.unlink()
    raise DamagedBundleError(
        f"{address.inside(file.path)}: its digest is not the one that "
        f"{'the manifest' if file.xxh3_128 else 'the hub'} states, so it was removed from the cache: try "
        "again, or tell the owner of the repository"
    )
