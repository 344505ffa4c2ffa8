"""Writing a bundle into a directory that exists, beside other people's files, which stay as they are.

New files get names that are free there, the manifest is replaced at once, and only then the files go that
the old manifest alone listed. A process that is killed at any moment leaves either the old manifest or the
new one, with all of its files. What it leaves besides is known by the staging directory, which holds hard
links to all files that come and go, and removed by the next process that writes there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from portrait.bundle.manifest import ShardRecord, SketchRecord
from portrait.bundle.reader import MANIFEST_NAME, Bundle, read
from portrait.bundle.readme import card as cards
from portrait.bundle.shard_writer import free_name
from portrait.errors import BundleError, OutputExistsError
from portrait.storage.atomic import create_file, place, sync_directory
from portrait.storage.failures import writing
from portrait.storage.lock import lock_directory
from portrait.storage.staging import StagingDirectory

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path

    from portrait.bundle.manifest import Layer, Manifest

_File = TypeVar("_File", ShardRecord, SketchRecord)

#: Folders of a staging directory: hard links to files that come, and to files that go.
_COMING = "coming"
_GOING = "going"


def replaceable(directory: Path) -> Bundle | None:
    """Return the bundle in a directory that may be written again; ``None`` if there is no manifest.

    Raises:
        OutputExistsError: The manifest cannot be read: it does not say which files are the bundle's.
    """
    if not os.path.lexists(directory / MANIFEST_NAME):
        return None
    try:
        return read(directory)
    except BundleError as error:
        raise OutputExistsError(
            f"{error}: so nothing says which files are the portrait's, and none is replaced: choose another "
            "output, or move the manifest away"
        ) from error


def write_beside(directory: Path, manifest: Manifest, *, overwrite: bool) -> Bundle:
    """Make a directory that holds the files a bundle: add the manifest, and a card if it has no README.md.

    Args:
        directory: The directory; other files in it stay as they are.
        manifest: The manifest.
        overwrite: Whether to replace a portrait in the directory.

    Raises:
        OutputExistsError: There is a manifest, and it is not to be replaced, or cannot be read.
        OutputError: A file cannot be written.
    """
    out = directory / MANIFEST_NAME
    if os.path.lexists(out) and not overwrite:
        raise OutputExistsError(
            f"{out}: already exists: choose another output, or allow overwriting", parameter="overwrite"
        )
    replaceable(directory)
    sources = {layer.source for layer in manifest.layers}
    with (
        writing(directory),
        StagingDirectory.inside(directory, partial(remove_leftovers, directory)) as staging,
    ):
        replace_bundle(directory, staging.path, manifest, in_place=sources, overwrite=overwrite)
    return Bundle(directory, manifest)


def replace_bundle(
    directory: Path,
    staging: Path,
    manifest: Manifest,
    *,
    base: Manifest | None = None,
    in_place: Container[str] = (),
    overwrite: bool = True,
) -> Manifest:
    """Write a bundle into a directory that exists, durably.

    Args:
        directory: The directory.
        staging: A directory on the same file system, which holds the files that are new.
        manifest: The manifest; it names new files as they are named in ``staging``.
        base: The manifest that must be in the directory, because layers of it are kept; by default, any may.
        in_place: The sources of those layers.
        overwrite: Whether a manifest in the directory is replaced.

    Returns:
        The manifest with the names that the files have got.

    Raises:
        OutputExistsError: There is another manifest than ``base``, one that may not be replaced, or one that
            cannot be read.
        OSError: The bundle cannot be written; the old one stays.
    """
    with lock_directory(directory):
        old = replaceable(directory)
        there = None if old is None else old.manifest
        if base is not None and there != base:
            raise OutputExistsError(f"{directory}: another process has changed it meanwhile: run this again")
        if there is not None and not overwrite:
            raise OutputExistsError(f"{directory / MANIFEST_NAME}: already exists", parameter="overwrite")
        made = _name_files(directory, staging, manifest, there, in_place)
        create_file(staging / MANIFEST_NAME, made.to_json())
        card = _stage_card(directory, staging, made, there)
        going = _going(directory, staging, there, made)
        placed: list[Path] = []
        try:
            _place_files(directory, staging, there, placed)
            sync_directory(directory)
            (staging / MANIFEST_NAME).replace(directory / MANIFEST_NAME)
        except BaseException:
            for path in placed:
                path.unlink(missing_ok=True)
            raise
        sync_directory(directory)
        if card:
            with suppress(FileExistsError):  # somebody has written a page of their own meanwhile
                place(staging / cards.CARD_NAME, directory / cards.CARD_NAME, replace=card == "replace")
        for path in going:
            with suppress(OSError):
                path.unlink()
        sync_directory(directory)
    return made


def remove_leftovers(directory: Path, abandoned: Path) -> None:
    """Remove from a directory what a killed process has left there and the manifest does not list.

    Args:
        directory: The directory that was written to.
        abandoned: The staging directory of the process that was killed.
    """
    with lock_directory(directory):
        listed = set()
        if os.path.lexists(directory / MANIFEST_NAME):
            try:
                listed = {one.file for one in _files(read(directory).manifest)}
            except BundleError:
                return
        for link in [*_entries(abandoned / _COMING), *_entries(abandoned / _GOING)]:
            path = directory / link.name
            with suppress(OSError):
                if link.name not in listed and os.path.samestat(link.lstat(), path.lstat()):
                    path.unlink()


def _name_files(
    directory: Path, staging: Path, manifest: Manifest, old: Manifest | None, in_place: Container[str]
) -> Manifest:
    """Move new files to a folder of their own, under names that are free in the directory."""
    taken = {name.casefold() for name in os.listdir(directory)}  # noqa: PTH208
    layers = manifest.layers
    kept = {one.file for layer in layers if layer.source in in_place for one in layer.files}
    # A file that is to have the very content that the old manifest records of it may keep its name.
    same = {_content(one) for one in _files(old) if one.file not in kept}
    coming = staging / _COMING
    coming.mkdir()

    def named(record: _File) -> _File:
        new = record if _content(record) in same else replace(record, file=free_name(record.file, taken))
        taken.add(new.file.casefold())
        (staging / record.file).rename(coming / new.file)
        return new

    def placed(layer: Layer) -> Layer:
        sketch = None if layer.sketch is None else named(layer.sketch)
        return replace(layer, shards=tuple(named(shard) for shard in layer.shards), sketch=sketch)

    return replace(
        manifest, layers=tuple(layer if layer.source in in_place else placed(layer) for layer in layers)
    )


def _content(record: ShardRecord | SketchRecord) -> tuple[str, int, str]:
    return record.file, record.bytes, record.sha256


def _stage_card(directory: Path, staging: Path, manifest: Manifest, old: Manifest | None) -> str:
    """Write the card to the staging directory, and return whether it is new, replaces one, or ``""``."""
    name = directory.resolve().name
    path = staging / cards.CARD_NAME
    path.unlink(missing_ok=True)
    content = cards.read_card(directory)
    if content is not None:
        create_file(path, cards.updated(content, manifest, name, old))
        return "replace"
    # A model's repository has a page of its own.
    if os.path.lexists(directory / cards.CARD_NAME):
        return ""
    create_file(path, cards.card(manifest, name).encode())
    return "new"


def _going(directory: Path, staging: Path, old: Manifest | None, new: Manifest) -> list[Path]:
    """Return the files that only the old manifest lists, after linking them into the staging directory."""
    listed = {one.file for one in _files(new)}
    paths = []
    folder = staging / _GOING
    folder.mkdir()
    for layer in old.layers if old is not None else ():
        # Files of other software were there before the bundle was, and stay.
        for record in layer.files if layer.documents is not None else ():
            path = directory / record.file
            if record.file in listed or not _is_recorded(path, record):
                continue
            with suppress(OSError):  # a file system without hard links
                os.link(path, folder / record.file, follow_symlinks=False)
            paths.append(path)
    return paths


def _is_recorded(path: Path, record: ShardRecord | SketchRecord) -> bool:
    """Return whether a file can be the one that a manifest lists, and not somebody else's of its name."""
    if path.name in (MANIFEST_NAME, cards.CARD_NAME):
        return False
    try:
        return path.is_file() and path.stat().st_size == record.bytes
    except OSError:
        return False


def _place_files(directory: Path, staging: Path, old: Manifest | None, placed: list[Path]) -> None:
    """Link the new files into the directory, and add those that were not there to ``placed``.

    Raises:
        FileExistsError: A file of that name has appeared meanwhile.
    """
    listed = {one.file for one in _files(old)}
    for link in _entries(staging / _COMING):
        path = directory / link.name
        if link.name in listed and os.path.lexists(path):
            link.replace(path)
        else:
            place(link, path)
            placed.append(path)


def _files(manifest: Manifest | None) -> Sequence[ShardRecord | SketchRecord]:
    return [] if manifest is None else [one for layer in manifest.layers for one in layer.files]


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from sorted(folder.iterdir())
