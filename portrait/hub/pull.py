"""Pulling: a published portrait in the hub's cache, or in a directory of one's own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from portrait.bundle import reader as bundles
from portrait.bundle.readme.card import CARD_NAME, read_card
from portrait.bundle.writer import BundleWriter
from portrait.errors import SpecError
from portrait.hub.companions import COMPANIONS
from portrait.hub.connection import HubConnection
from portrait.hub.download import cached
from portrait.hub.environment import is_address
from portrait.signing.signature_file import SIGNATURE_NAME
from portrait.storage.atomic import write_file
from portrait.storage.failures import writing

if TYPE_CHECKING:
    import os


def pull(
    location: str,
    out: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    local_files_only: bool = False,
) -> Path:
    """Download a published portrait, verify it, and return where it is.

    Every file is compared with its digest. The hub's cache keeps what was downloaded, so that a second call
    downloads only what is new.

    Args:
        location: The portrait's address, ``hf://ORG/NAME@REVISION/PATH``, where all but the repository may be
            left out.
        out: A directory to write, which is independent of the cache and may be added to; by default the
            portrait stays in the cache.
        overwrite: Whether to replace a portrait at ``out``. Where its files have the names of new ones, these
            get others; the signature, which names them, is then left out.
        token: A token; by default, the one with which the user has logged in.
        cache_dir: The hub's cache; by default, where the hub's library has it.
        local_files_only: Whether only the cache may be asked, as in offline mode.

    Returns:
        The portrait's directory, or its ``.bf`` file.

    Raises:
        SpecError: It is no address of a repository.
        NotAPortraitError: There is no portrait at the address, or several are below it.
        DamagedBundleError: A file is not what its digest says.
        UnsupportedBundleError: The portrait is of a newer format.
        HubError: The hub refuses or cannot be reached.
        OutputExistsError: Something at ``out`` may not be replaced.
        OutputError: The cache or ``out`` cannot be written.
        MissingExtraError: ``huggingface_hub`` is not installed.
    """
    if not is_address(location):
        raise SpecError(f"{location}: not an address: name a repository, such as hf://ORG/NAME")
    writer = None if out is None else BundleWriter(Path(out), overwrite=overwrite)
    if writer is not None:
        writer.check()
    connection = HubConnection.of_environment(
        token=token, cache_dir=cache_dir, local_files_only=local_files_only
    )
    path = cached(location, connection)
    if writer is None:
        return path
    return _copy_bundle(path, writer) if path.is_dir() else _copy_filter(path, writer.out)


def _copy_bundle(path: Path, writer: BundleWriter) -> Path:
    """Write a portrait in the cache to a directory of its own, with what travels with it."""
    bundle = bundles.read(path)
    with writer:
        layers = tuple(writer.keep_layer(bundle, layer) for layer in bundle.manifest.layers)
        manifest = replace(bundle.manifest, layers=layers)
        written = writer.commit(manifest, read_card(path), bundle.manifest).manifest
    for name in COMPANIONS:
        # Where files got other names, because theirs were taken, the signature is of another manifest.
        is_valid = name != SIGNATURE_NAME or written == bundle.manifest
        if name != CARD_NAME and is_valid and (path / name).is_file():
            with writing(writer.out, name):
                write_file(writer.out / name, (path / name).read_bytes())
    return writer.out


def _copy_filter(path: Path, out: Path) -> Path:
    """Copy a filter of the original library, whose files stand beside each other, to a new directory."""
    with writing(out):
        out.mkdir(parents=True)
        try:
            for file in sorted(path.parent.glob(f"{path.name}*")):
                shutil.copyfile(file, out / file.name)
        except BaseException:
            shutil.rmtree(out)
            raise
    return out / path.name
