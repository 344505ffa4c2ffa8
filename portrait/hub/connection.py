"""A hub as this process reaches it: where it is, who asks, and where downloads go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.extras import load
from portrait.hub.environment import cache_directory, endpoint_url, is_offline
from portrait.hub.failures import explained, not_cached, patiently
from portrait.version import __version__

if TYPE_CHECKING:
    import os

    from portrait.hub.addresses import Address

_LIBRARY = "data-portrait"
_SHA256 = re.compile("[0-9a-f]{64}")
_BLOB_ID = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it.

    Args:
        n_bytes: Its size.
        sha256: The SHA-256 of its content, which the hub knows of large files.
        blob_id: Git's object id: of its content, or of the pointer to a large file's.
    """

    n_bytes: int
    sha256: str | None
    blob_id: str


@dataclass(frozen=True, slots=True)
class HubConnection:
    """How to reach the hub, and the cache for what comes from there.

    Args:
        endpoint: The hub's URL.
        cache: The directory of the hub's cache.
        token: A token, ``False`` for none, or ``None`` for the one with which the user has logged in.
        local_only: Whether only the cache may be asked.
    """

    endpoint: str
    cache: Path
    token: str | bool | None = None
    local_only: bool = False

    @classmethod
    def of_environment(
        cls,
        *,
        token: str | bool | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        local_files_only: bool = False,
    ) -> HubConnection:
        """Return the connection that the environment's variables describe.

        Args:
            token: A token; by default, the one with which the user has logged in.
            cache_dir: The hub's cache; by default, where the hub's library has it.
            local_files_only: Whether only the cache may be asked, as in offline mode.
        """
        cache = cache_directory() if cache_dir is None else Path(cache_dir)
        return cls(endpoint_url(), cache, token, local_files_only or is_offline())

    def api(self) -> Any:
        """Return the client of the hub's library."""
        return load("huggingface_hub", "hub").HfApi(
            endpoint=self.endpoint,
            token=self.token,
            library_name=_LIBRARY,
            library_version=__version__,
        )

    def commit(self, address: Address) -> str:
        """Return the commit that an address's revision names now.

        Without a connection, it is the one that the cache remembers.

        Raises:
            HubError: There is no such repository or revision, or the hub cannot be reached.
        """
        with explained(address, self.cache, local_only=self.local_only):
            resolved = patiently(
                lambda: self.api().resolve_revision(
                    address.repo_id,
                    repo_type=address.repo_type,
                    revision=address.revision,
                    cache_dir=self.cache,
                    local_files_only=self.local_only,
                )
            )
        return str(resolved.resolved)

    def files(self, address: Address, *, recursive: bool = False) -> dict[str, HubFile]:
        """Return the files in a directory, by their paths in the repository.

        Args:
            address: The directory, at a revision.
            recursive: Whether files in its subdirectories count.

        Returns:
            The files; none if there is no such directory.

        Raises:
            HubError: There is no such repository or revision, or the hub cannot be reached.
        """
        if self.local_only:
            return self._cached_files(address, recursive=recursive)
        api, errors = self.api(), load("huggingface_hub.errors", "hub")

        def listed() -> list[Any]:
            entries = api.list_repo_tree(
                address.repo_id,
                path_in_repo=address.path or None,
                recursive=recursive,
                revision=address.revision,
                repo_type=address.repo_type,
            )
            return list(entries)

        with explained(address, self.cache, local_only=self.local_only):
            try:
                entries = patiently(listed)
            except errors.EntryNotFoundError:
                return {}
        return {
            entry.path: HubFile(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
            for entry in entries
            if hasattr(entry, "size")
        }

    def snapshot(self, address: Address) -> Path:
        """Return the directory in the cache that holds, or would hold, a repository's files at a commit."""
        folder = f"{address.repo_type}s--{address.repo_id.replace('/', '--')}"
        return self.cache / folder / "snapshots" / str(address.revision)

    def _cached_files(self, address: Address, *, recursive: bool) -> dict[str, HubFile]:
        """Return what the cache has of a directory."""
        root = self.snapshot(address)
        paths = (root / address.path).glob("**/*" if recursive else "*")
        files = {}
        for path in paths:
            if path.is_file():
                # The cache calls every file's content by the digest that the hub has stated of it.
                digest = path.resolve().name
                sha256 = digest if _SHA256.fullmatch(digest) else None
                blob_id = digest if _BLOB_ID.fullmatch(digest) else ""
                files[path.relative_to(root).as_posix()] = HubFile(path.stat().st_size, sha256, blob_id)
        if not files:
            raise not_cached(address, self.cache)
        return files

    def download(self, address: Address) -> Path:
        """Download a file at a commit into the cache, unless it is there, and return its path in it.

        Raises:
            HubError: There is no such file, or the hub cannot be reached.
            OutputError: The cache cannot be written.
        """
        with explained(address, self.cache, local_only=self.local_only):
            path = patiently(
                lambda: load("huggingface_hub", "hub").hf_hub_download(
                    address.repo_id,
                    address.path,
                    repo_type=address.repo_type,
                    revision=address.revision,
                    library_name=_LIBRARY,
                    library_version=__version__,
                    cache_dir=self.cache,
                    token=self.token,
                    local_files_only=self.local_only,
                    endpoint=self.endpoint,
                )
            )
        return Path(path)
