"""What a push changes in a repository: which files come, which stay, which go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.manifest_reader import parse
from portrait.bundle.reader import MANIFEST_NAME
from portrait.errors import BundleError, OutputExistsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from portrait.bundle.manifest import Manifest, ShardRecord, SketchRecord
    from portrait.hub.addresses import Address
    from portrait.hub.connection import HubFile


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """The directory of a repository that a portrait is pushed to.

    Args:
        address: The directory, at the branch.
        commit: The branch's commit.
        files: The files in the directory, by their names.
        manifest: The manifest of the portrait that is there, if one is.
        texts: The content of the small files there that travel with a portrait, by their names.
    """

    address: Address
    commit: str
    files: Mapping[str, HubFile]
    manifest: Manifest | None
    texts: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to upload: ``content`` itself, or the path of a file with its SHA-256."""

    name: str
    content: bytes | Path
    n_bytes: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PushPlan:
    """The changes of one commit.

    Args:
        uploads: The files that come, new or in place of others.
        unchanged: The names of files that are there already.
        removed: The names of files that go: those that only the manifest of the old portrait lists.
    """

    uploads: tuple[Upload, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def parse_remote(text: bytes, address: Address) -> Manifest:
    """Return the manifest of the portrait that a push would replace.

    Raises:
        OutputExistsError: It cannot be read, so that nothing says which files are the portrait's.
    """
    try:
        return parse(text, str(address.inside(address.join(MANIFEST_NAME))))
    except BundleError as error:
        raise OutputExistsError(
            f"{error}: so nothing says which files there are the portrait's, and none is replaced: choose "
            "another path in the repository",
            parameter="path_in_repo",
        ) from error


def plan_push(directory: Path, manifest: Manifest, texts: Sequence[Upload], remote: RemoteFolder) -> PushPlan:
    """Compare a bundle with the directory that it is pushed to.

    Args:
        directory: The bundle's directory.
        manifest: Its manifest.
        texts: The manifest's file and those beside it, as they are to be.
        remote: The directory in the repository.

    Raises:
        OutputExistsError: A file of somebody else's has the name of one of the bundle's.
    """
    theirs = {} if remote.manifest is None else _files(remote.manifest)
    uploads, unchanged = [], []
    for name, record in _files(manifest).items():
        there = remote.files.get(name)
        if there is not None and there.sha256 == record.sha256:
            unchanged.append(name)
            continue
        if there is not None and name not in theirs:
            raise OutputExistsError(
                f"{remote.address.inside(remote.address.join(name))}: is somebody else's file: choose "
                "another path in the repository",
                parameter="path_in_repo",
            )
        uploads.append(Upload(name, directory / name, record.bytes, record.sha256))
    for text in texts:
        if remote.texts.get(text.name) == text.content:
            unchanged.append(text.name)
        else:
            uploads.append(text)
    coming = {*_files(manifest), *(text.name for text in texts)}
    return PushPlan(tuple(uploads), tuple(unchanged), _removed(remote, coming))


def _removed(remote: RemoteFolder, coming: set[str]) -> tuple[str, ...]:
    """Return the names of files that only the old manifest lists, as far as they are what it records."""
    if remote.manifest is None:
        return ()
    names = []
    for layer in remote.manifest.layers:
        # Files of other software were there before the portrait was, and stay.
        for record in layer.files if layer.documents is not None else ():
            there = remote.files.get(record.file)
            if there is not None and record.file not in coming and there.n_bytes == record.bytes:
                names.append(record.file)
    return tuple(sorted(names))


def _files(manifest: Manifest) -> dict[str, ShardRecord | SketchRecord]:
    return {record.file: record for layer in manifest.layers for record in layer.files}
