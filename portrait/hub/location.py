"""Where in a repository a portrait is: a bundle's directory, or a filter of the original library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portrait.bundle.reader import MANIFEST_NAME
from portrait.errors import NotAPortraitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portrait.hub.addresses import Address
    from portrait.hub.connection import HubConnection, HubFile

#: The end of the name of a filter of the original Data Portraits library.
FILTER_SUFFIX = ".bf"
#: So many portraits are named in a message.
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class PortraitLocation:
    """A portrait in a repository.

    Args:
        address: Its directory, or the ``.bf`` file, at a commit.
        siblings: The files of that directory, by their paths in the repository.
    """

    address: Address
    siblings: Mapping[str, HubFile]

    @property
    def is_bundle(self) -> bool:
        """Whether it is a bundle's directory."""
        return not self.address.path.endswith(FILTER_SUFFIX)


def locate(address: Address, connection: HubConnection) -> PortraitLocation:
    """Find the portrait at an address, or the only one below it.

    Args:
        address: A repository, a directory or a ``.bf`` file in it, at a commit.
        connection: How to ask the hub.

    Raises:
        NotAPortraitError: There is none, or there are several; the message names them.
        HubError: The hub cannot be asked.
    """
    if address.path.endswith(FILTER_SUFFIX):
        folder = address.path.rpartition("/")[0]
        siblings = connection.files(address.inside(folder))
        if address.path not in siblings:
            raise NotAPortraitError(f"{address}: no such file in the repository")
        return PortraitLocation(address, siblings)
    siblings = connection.files(address)
    if address.join(MANIFEST_NAME) in siblings:
        return PortraitLocation(address, siblings)
    paths = _portraits(connection.files(address, recursive=True), address)
    if not paths:
        raise NotAPortraitError(
            f"{address.at(None)}: holds no portrait: neither a {MANIFEST_NAME} nor a {FILTER_SUFFIX} file"
        )
    if len(paths) > 1:
        shown = ", ".join(str(address.at(None).inside(path)) for path in paths[:_MOST_NAMED])
        more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
        raise NotAPortraitError(f"{address.at(None)}: holds {len(paths)} portraits: name one: {shown}{more}")
    return locate(address.inside(paths[0]), connection)


def _portraits(files: Mapping[str, HubFile], address: Address) -> list[str]:
    """Return the paths of the portraits among some files."""
    manifests = [path for path in files if path.rpartition("/")[2] == MANIFEST_NAME]
    folders = [path.rpartition("/")[0] for path in manifests]
    inside = {folder for folder in folders if folder != address.path}
    # A filter that was made a bundle lies beside its manifest.
    filters = [
        path for path in files if path.endswith(FILTER_SUFFIX) and path.rpartition("/")[0] not in inside
    ]
    return sorted([*inside, *filters])
