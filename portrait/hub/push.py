"""Publishing: a portrait's files go into a repository, in one commit, beside whatever else is there."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portrait.bundle import reader as bundles
from portrait.bundle.manifest import MAX_MANIFEST_BYTES, check_digest
from portrait.bundle.reader import MANIFEST_NAME
from portrait.errors import DamagedBundleError, HubError, OutputError, SpecError
from portrait.extras import load
from portrait.hub.addresses import Address, of_repository
from portrait.hub.companions import COMPANIONS, companions, outdated
from portrait.hub.connection import HubConnection
from portrait.hub.environment import is_address
from portrait.hub.failures import StaleParentError, explained, patiently
from portrait.hub.push_plan import PushPlan, RemoteFolder, Upload, parse_remote, plan_push
from portrait.markup.numbers import counted
from portrait.signing.signature_file import check_current
from portrait.storage.regular import open_regular, read_regular

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from portrait.bundle.reader import Bundle
    from portrait.hub.addresses import RepoType
    from portrait.hub.companions import CardChoice

#: The largest file that hubs take without special arrangements.
MAX_FILE_BYTES = 5_000_000_000
#: Filters that cannot be cut into smaller files.
_UNCUT = ("pybloom", "redisbloom")
_MAX_TEXT_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 22
_N_THREADS = 4
#: How often a push starts over because others commit at the same time.
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Pushed:
    """A published portrait.

    Args:
        address: Where it is, at the commit that holds it.
        commit_url: The page of the commit; of the branch's last one, if nothing had to change.
        pull_request_url: The page of the pull request, if one was opened.
        uploaded: The paths of the files that were uploaded.
        uploaded_bytes: Their size together.
        unchanged: The paths of the files that were there already.
        removed: The paths of the files of an older portrait that were removed.
        card: Whether the portrait's card is among the files; the page of a model's repository stays its own.
    """

    address: str
    commit_url: str
    pull_request_url: str | None
    uploaded: tuple[str, ...]
    uploaded_bytes: int
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    card: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        lists = {name: list(getattr(self, name)) for name in ("uploaded", "unchanged", "removed")}
        return {
            "address": self.address,
            "commit_url": self.commit_url,
            "pull_request_url": self.pull_request_url,
            **lists,
            "uploaded_bytes": self.uploaded_bytes,
            "card": self.card,
        }


def push(
    path: str | os.PathLike[str],
    repository: str,
    *,
    path_in_repo: str = "",
    repo_type: RepoType = "model",
    private: bool = False,
    revision: str | None = None,
    create_pr: bool = False,
    commit_message: str | None = None,
    card: CardChoice = "merge",
    token: str | bool | None = None,
) -> Pushed:
    """Publish a portrait in a repository of the hub, in one commit.

    The repository is created if there is none. Files of an older portrait in the same directory are replaced,
    and removed where the new one no longer has them; all other files there stay as they are. Every file is
    compared with the manifest's digest before it is sent.

    Args:
        path: The portrait's directory.
        repository: The repository's name, ``ORG/NAME``, or an address, ``hf://ORG/NAME/PATH``.
        path_in_repo: The directory in the repository; its root by default.
        repo_type: The repository's type, ``model`` or ``dataset``.
        private: Whether a repository that is created is private.
        revision: The branch; it is created if there is none.
        create_pr: Whether to open a pull request instead of committing.
        commit_message: The first line of the commit's message.
        card: Which text of people the card has where the one here and the one there differ: ``local``,
            ``remote``, or ``merge``, which keeps either where the other has nothing else, and is an error
            otherwise.
        token: A token; by default, the one with which the user has logged in.

    Raises:
        BundleError: The portrait cannot be read, or a file is not what the manifest says.
        SignatureError: Its signature is of another version of the portrait.
        SpecError: The name of the repository, the path or another value is not possible.
        OutputExistsError: A file of somebody else's has the name of one of the portrait's.
        HubError: The hub refuses, or cannot be reached.
        MissingExtraError: ``huggingface_hub`` is not installed.
    """
    if is_address(path):
        raise SpecError(f"{path}: is on a hub already: pull it into a directory, and push that")
    bundle = bundles.read(Path(path))
    text = read_regular(bundle.path / MANIFEST_NAME, MAX_MANIFEST_BYTES)
    check_digest(text, str(bundle.path / MANIFEST_NAME))
    check_current(bundle.path, text, bundle.manifest)
    _require_sizes(bundle)
    address = of_repository(repository, repo_type=repo_type, revision=revision, path=path_in_repo)
    connection = HubConnection.of_environment(token=token)
    if connection.local_only:
        raise HubError(f"{address}: nothing can be published in offline mode: unset HF_HUB_OFFLINE")
    _require_token(address, token)
    _require_repository(address, connection, private=private, create_branch=not create_pr)
    message = commit_message or f"Data portrait {bundle.name} ({bundle.manifest.id[:12]})"
    for tries_left in reversed(range(_TRIES)):
        remote = _remote_folder(address, connection)
        texts = [
            Upload(MANIFEST_NAME, text, len(text)),
            *(
                Upload(name, content, len(content))
                for name, content in companions(bundle, text, remote, card).items()
            ),
        ]
        plan = plan_push(bundle.path, bundle.manifest, texts, remote)
        plan = replace(plan, removed=(*plan.removed, *outdated(bundle, text, remote)))
        try:
            return _commit(plan, remote, connection, message, create_pr=create_pr)
        except StaleParentError:
            if not tries_left:
                raise
    raise AssertionError("every try returns or raises")


def _require_sizes(bundle: Bundle) -> None:
    for layer in bundle.manifest.layers:
        for shard in layer.shards:
            bundle.file_path(shard)
            if shard.bytes > MAX_FILE_BYTES and layer.filter["kind"] not in _UNCUT:
                raise OutputError(
                    f"{bundle.path / shard.file}: {counted(shard.bytes, 'byte')}, more than hubs take in one "
                    f"file: convert the portrait to shards of {MAX_FILE_BYTES // 10**9} GB or less first",
                    parameter="max_shard_bytes",
                )


def _require_token(address: Address, token: str | bool | None) -> None:
    given = token if isinstance(token, str) else None
    if token is False or not (given or load("huggingface_hub", "hub").get_token()):
        raise HubError(
            f"{address}: publishing needs a token that may write: log in (`hf auth login`), or set HF_TOKEN"
        )


def _require_repository(
    address: Address, connection: HubConnection, *, private: bool, create_branch: bool
) -> None:
    """Create the repository and the branch, unless they are there."""
    api, errors = connection.api(), load("huggingface_hub.errors", "hub")
    place = {"repo_id": address.repo_id, "repo_type": address.repo_type}
    with explained(address):
        try:
            patiently(lambda: api.repo_info(**place))
        except errors.GatedRepoError:
            raise
        except errors.RepositoryNotFoundError:
            patiently(lambda: api.create_repo(**place, private=private or None, exist_ok=True))
        if address.revision is None or not create_branch:
            return
        try:
            patiently(lambda: api.repo_info(**place, revision=address.revision))
        except errors.RevisionNotFoundError:
            patiently(lambda: api.create_branch(**place, branch=address.revision, exist_ok=True))


def _remote_folder(address: Address, connection: HubConnection) -> RemoteFolder:
    """Return what is in the directory now."""
    fixed = address.at(connection.commit(address))
    files = connection.files(fixed)
    names = {path.rpartition("/")[2]: file for path, file in files.items()}
    texts = {
        name: connection.download(fixed.inside(fixed.join(name))).read_bytes()
        for name in (MANIFEST_NAME, *COMPANIONS)
        if name in names and names[name].n_bytes <= _largest(name)
    }
    manifest = parse_remote(texts[MANIFEST_NAME], address) if MANIFEST_NAME in texts else None
    return RemoteFolder(address, str(fixed.revision), names, manifest, texts)


def _largest(name: str) -> int:
    return MAX_MANIFEST_BYTES if name == MANIFEST_NAME else _MAX_TEXT_BYTES


def _commit(
    plan: PushPlan, remote: RemoteFolder, connection: HubConnection, message: str, *, create_pr: bool
) -> Pushed:
    """Send the files, and commit."""
    hub = load("huggingface_hub", "hub")
    address = remote.address
    _check_uploads(plan.uploads)
    operations: list[Any] = []
    for upload in plan.uploads:
        operation = hub.CommitOperationAdd(address.join(upload.name), upload.content)
        if upload.sha256 is not None:
            # It was computed a moment ago; the hub compares it with what arrives.
            operation.upload_info.sha256 = bytes.fromhex(upload.sha256)
        operations.append(operation)
    operations += [hub.CommitOperationDelete(address.join(name), is_folder=False) for name in plan.removed]
    commit_url, pull_request_url, oid = address.commit_page(remote.commit), None, remote.commit
    if operations:
        with explained(address):
            commit = connection.api().create_commit(
                address.repo_id,
                operations,
                commit_message=message,
                repo_type=address.repo_type,
                revision=address.revision,
                create_pr=create_pr,
                parent_commit=remote.commit,
            )
        commit_url, pull_request_url, oid = commit.commit_url, commit.pr_url, commit.oid
    names = {*plan.unchanged, *(upload.name for upload in plan.uploads)}
    return Pushed(
        address=str(address.at(oid)),
        commit_url=commit_url,
        pull_request_url=pull_request_url,
        uploaded=tuple(address.join(upload.name) for upload in plan.uploads),
        uploaded_bytes=sum(upload.n_bytes for upload in plan.uploads),
        unchanged=tuple(address.join(name) for name in plan.unchanged),
        removed=tuple(address.join(name) for name in plan.removed),
        card=COMPANIONS[0] in names,
    )


def _check_uploads(uploads: Sequence[Upload]) -> None:
    """Compare the files with their digests, several at a time.

    Raises:
        DamagedBundleError: One is not what the manifest records.
    """
    with ThreadPoolExecutor(_N_THREADS) as threads:
        list(threads.map(_check_upload, uploads))


def _check_upload(upload: Upload) -> None:
    if isinstance(upload.content, bytes):
        return
    digest = hashlib.sha256()
    try:
        with open_regular(upload.content) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise DamagedBundleError(f"{upload.content}: {error.strerror}") from error
    if digest.hexdigest() != upload.sha256:
        raise DamagedBundleError(
            f"{upload.content}: its digest is not the recorded one, so nothing was published: fetch the "
            "bundle again, or build it again"
        )
