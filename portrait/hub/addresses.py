"""Addresses of portraits in repositories of a hub: ``hf://ORG/NAME@REVISION/PATH``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from portrait.errors import SpecError
from portrait.extras import load
from portrait.hub.environment import SCHEME, endpoint_url, is_address

if TYPE_CHECKING:
    from typing import Self

RepoType = Literal["model", "dataset"]

REPO_TYPES: tuple[RepoType, ...] = ("model", "dataset")
#: What a commit is called; every other revision may move.
_COMMIT = re.compile("[0-9a-f]{40}")
#: Revisions whose slash does not begin a path.
_REFS = re.compile(r"refs/(?:pr/\d+|convert/[\w.-]+)")
#: The folder that the hub's cache has for a repository.
_CACHE_FOLDER = re.compile("(models|datasets)--(.+?)--(.+)")


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a repository.

    Args:
        repo_type: The repository's type.
        repo_id: The repository's name, with its owner: ``ORG/NAME``.
        revision: A branch, a tag, a commit, or ``None`` for the main branch.
        path: A directory or file in the repository; empty for its root.
    """

    repo_type: RepoType
    repo_id: str
    revision: str | None = None
    path: str = ""

    def __str__(self) -> str:
        kind = "datasets/" if self.repo_type == "dataset" else ""
        revision = self.revision or ""
        if revision and not _REFS.fullmatch(revision):
            revision = revision.replace("/", "%2F")
        return SCHEME + kind + self.repo_id + (revision and f"@{revision}") + (self.path and f"/{self.path}")

    @property
    def is_fixed(self) -> bool:
        """Whether the revision is a commit, whose files never change."""
        return self.revision is not None and _COMMIT.fullmatch(self.revision) is not None

    @property
    def name(self) -> str:
        """The last part of the path, or the repository's name."""
        return (self.path or self.repo_id).rpartition("/")[2]

    @property
    def page(self) -> str:
        """The URL of the repository's page."""
        kind = "datasets/" if self.repo_type == "dataset" else ""
        return f"{endpoint_url()}/{kind}{self.repo_id}"

    def commit_page(self, commit: str) -> str:
        """Return the URL of a commit's page."""
        return f"{self.page}/commit/{commit}"

    def at(self, revision: str | None) -> Self:
        """Return the same place at another revision."""
        return replace(self, revision=revision)

    def inside(self, path: str) -> Self:
        """Return the address of another path in the same repository."""
        return replace(self, path=path)

    def join(self, name: str) -> str:
        """Return the path in the repository of a file below this place."""
        return f"{self.path}/{name}" if self.path else name


def parse(location: str) -> Address:
    """Read an address.

    Args:
        location: The address, as the hub's library understands it.

    Raises:
        SpecError: It is not the address of a model's or dataset's repository.
        MissingExtraError: ``huggingface_hub`` is not installed.
    """
    hub = load("huggingface_hub", "hub")
    errors = load("huggingface_hub.errors", "hub")
    try:
        uri = hub.parse_hf_uri(location, endpoint=endpoint_url())
    except errors.HfUriError as error:
        raise SpecError(f"{location}: not an address of a repository: {_first_line(error)}") from error
    if uri.type not in REPO_TYPES:
        raise SpecError(
            f"{location}: is in a {uri.type}: portraits are in repositories of models, hf://ORG/NAME, and "
            "of datasets, hf://datasets/ORG/NAME"
        )
    return Address(uri.type, uri.id, uri.revision, require_path(uri.path_in_repo.strip("/"), location))


def of_repository(
    repository: str, *, repo_type: RepoType = "model", revision: str | None = None, path: str = ""
) -> Address:
    """Return the address of a place in a repository.

    Args:
        repository: The repository's name, ``ORG/NAME``, or an address, whose parts count where the other
            arguments are left out.
        repo_type: The repository's type.
        revision: A branch, a tag or a commit.
        path: A directory in the repository.

    Raises:
        SpecError: It is not a repository's name, or a part is stated twice.
    """
    if repo_type not in REPO_TYPES:
        raise SpecError(
            f"a portrait's repository is a {' or a '.join(REPO_TYPES)}, not {repo_type!r}",
            parameter="repo_type",
        )
    kind = "datasets/" if repo_type == "dataset" else ""
    address = parse(repository if is_address(repository) else f"{SCHEME}{kind}{repository}")
    if not is_address(repository) and (address.revision is not None or address.path):
        raise SpecError(f"{repository}: not a repository's name, such as ORG/NAME")
    for name, given in (("revision", revision), ("path", path)):
        if given and getattr(address, name):
            raise SpecError(f"{repository}: states a {name} already", parameter=name)
    path = require_path(path.strip("/"), path) or address.path
    return Address(address.repo_type, address.repo_id, revision or address.revision, path)


def of_snapshot(path: Path) -> Address | None:
    """Return the address of a directory or file in the hub's cache; ``None`` if it is elsewhere."""
    parts = Path(path).absolute().parts
    for i in range(len(parts) - 1, 1, -1):
        folder = _CACHE_FOLDER.fullmatch(parts[i - 2])
        if parts[i - 1] == "snapshots" and folder and _COMMIT.fullmatch(parts[i]):
            kind: RepoType = "model" if folder[1] == "models" else "dataset"
            return Address(kind, f"{folder[2]}/{folder[3]}", parts[i], "/".join(parts[i + 1 :]))
    return None


def require_path(path: str, location: str) -> str:
    """Return a path in a repository, if it stays inside.

    Args:
        path: The path, without slashes at its ends.
        location: What the message names.

    Raises:
        SpecError: A part of it is empty, ``.`` or ``..``, or it holds a character that no path has.
    """
    if path and any(part in ("", ".", "..") for part in path.split("/")):
        raise SpecError(f"{location}: not a path in a repository: no part of it may be empty, . or ..")
    if "\0" in path or "\\" in path:
        raise SpecError(f"{location}: not a path in a repository")
    return path


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "msg", error)).strip()
    return text.splitlines()[0].rstrip(".") if text else "it cannot be read"
