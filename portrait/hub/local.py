"""Addresses where paths are expected: a portrait on a hub becomes one in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from portrait.errors import SpecError
from portrait.hub.environment import cache_directory, is_address
from portrait.hub.receipts import recall

if TYPE_CHECKING:
    import os


def local_path(location: str | os.PathLike[str]) -> Path:
    """Return a path as it is, and of an address the path of the verified portrait in the hub's cache.

    An address that names a commit, and was opened before, is found without any request, and without loading
    the hub's library. One that names a branch or nothing is asked for at the hub, for a newer commit; in
    offline mode it is the commit that the cache remembers.

    Args:
        location: A path, or an address such as ``hf://ORG/NAME@REVISION/PATH``.

    Raises:
        SpecError: It is no address of a repository.
        NotAPortraitError: There is no portrait at the address, or several are below it.
        DamagedBundleError: A file is not what its digest says.
        UnsupportedBundleError: The portrait is of a newer format.
        HubError: The hub refuses or cannot be reached.
        OutputError: The cache cannot be written.
        MissingExtraError: ``huggingface_hub`` is not installed.
    """
    if not is_address(location):
        return Path(location)
    known = recall(str(location), cache_directory())
    if known is not None:
        return known
    # They take a while to import, and most portraits are on this machine.
    from portrait.hub.connection import HubConnection
    from portrait.hub.download import cached

    return cached(str(location), HubConnection.of_environment())


def changeable_path(location: str | os.PathLike[str]) -> Path:
    """Return a path whose portrait may be changed in place.

    Raises:
        SpecError: It is an address.
    """
    if is_address(location):
        raise SpecError(f"{location}: is on a hub: pull it into a directory, change that, and push it again")
    return Path(location)
